/**
 * One file after a power cut, where a journal was committed up to some entry of the history.
 *
 *     entries:   durable ... commit ... crash
 *                   |          |          |
 *     size, blocks: |          +-- as they were here
 *     bytes in place: any state between, as long as the block stayed the file's
 *
 * Invariants
 *  1. `base` has the size and the blocks of the commit. A block that the commit makes reachable, or
 *     more of, holds what it held at the commit.
 *  2. `laterStates` of a sector are those that may have been written to the very block that `base` has.
 */
import type { FileContent } from './content.js';
import type { DiskNode, FileNode } from './disk-state.js';
import type { Versioned } from './history.js';
import { SECTOR_BYTES, type Sector } from './sector.js';

/** How far back a sector may have been written back, in states of its file. */
const STATES_MAX = 64;

interface State {
  readonly at: number;
  readonly cache: FileContent;
}

export class JournalledFile {
  /** What the journal and the durable bytes alone give. */
  readonly base: FileContent;
  readonly #durable: FileContent;
  /** States after the commit, newest first. */
  readonly #later: readonly State[];
  /** States from the commit back to what is durable, newest first. */
  readonly #earlier: readonly State[];
  /** Sectors that begin at or behind these sizes were freed, in the states of the same name. */
  readonly #laterBytesMin: number;
  readonly #earlierBytesMin: number;

  /** `node` is the file at the crash, after entry `at`. */
  constructor(versions: Versioned<DiskNode>, node: FileNode, at: number, commit: number) {
    const states = [...unsynced(versions, node, at)];
    const since = states.findIndex((state) => state.at <= commit);
    this.#durable = node.durable;
    this.#later = since < 0 ? states : states.slice(0, since);
    this.#earlier = since < 0 ? [] : states.slice(since);
    this.#laterBytesMin = bytesMin(this.#later);
    this.#earlierBytesMin = bytesMin(this.#earlier);
    this.base = this.#committed(node);
  }

  /** What the block of a sector may hold instead of what `base` says, newest first. */
  laterStates(index: number): Sector[] {
    // Freed after the commit: what was written since went to another block.
    if (index * SECTOR_BYTES >= this.#laterBytesMin) return [];
    const states = this.#ordered(index) ? this.#later : [...this.#later, ...this.#earlier];
    const found: Sector[] = [];
    for (const { cache } of states) {
      const sector = cache.sector(index);
      if (sector === undefined || found.length === STATES_MAX) break;
      found.push(sector);
    }
    return this.base.sector(index) === undefined ? [] : found;
  }

  #committed({ clean, durable }: FileNode): FileContent {
    const cache = this.#earlier.at(0)?.cache;
    if (cache === undefined) return durable;
    const moved = cache.differences(clean).filter((index) => this.#ordered(index));
    return durable.patch(
      moved.map((index) => [index, cache.sector(index)] as const),
      cache.size === clean.size ? durable.size : cache.size,
    );
  }

  /**
   * Whether the commit waited for a sector: its block is another than the durable one, or the file grew
   * over the end that it had in it.
   */
  #ordered(index: number): boolean {
    if (this.#durable.sector(index) === undefined) return true;
    if (index * SECTOR_BYTES >= this.#earlierBytesMin) return true;
    const grown = (this.#earlier.at(0)?.cache.size ?? 0) > this.#durable.size;
    return grown && (index + 1) * SECTOR_BYTES > this.#durable.size;
  }
}

function bytesMin(states: readonly State[]): number {
  return states.reduce((least, { cache }) => Math.min(least, cache.size), Infinity);
}

/** States of a file that the kernel has not written back, newest first. */
function* unsynced(versions: Versioned<DiskNode>, node: FileNode, at: number): Generator<State> {
  for (const [since, version] of versions.back(at)) {
    if (version.kind !== 'file' || version.cache.stamp <= node.clean.stamp) return;
    yield { at: since, cache: version.cache };
  }
}

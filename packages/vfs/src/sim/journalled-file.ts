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
  /** From the crash back to what is durable, newest first. */
  readonly #states: readonly State[];
  readonly #commit: number;
  readonly #node: FileNode;

  /** `node` is the file at the crash, after entry `at`. */
  constructor(versions: Versioned<DiskNode>, node: FileNode, at: number, commit: number) {
    this.#node = node;
    this.#commit = commit;
    this.#states = [...unsynced(versions, node, at)];
    this.base = this.#committed();
  }

  /** What the block of a sector may hold instead of what `base` says, newest first. */
  laterStates(index: number): Sector[] {
    if (this.base.sector(index) === undefined) return [];
    const found: Sector[] = [];
    const inPlace = !this.#ordered(index);
    for (const { at, cache } of this.#states) {
      const sector = cache.sector(index);
      // Freed after the commit: what was written since went to another block.
      if (sector === undefined) return at > this.#commit ? [] : found;
      if (at < this.#commit && !inPlace) break;
      if (found.length < STATES_MAX) found.push(sector);
    }
    return found;
  }

  #committed(): FileContent {
    const { clean, durable } = this.#node;
    const cache = this.#states.find(({ at }) => at <= this.#commit)?.cache;
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
    const { durable } = this.#node;
    if (durable.sector(index) === undefined) return true;
    const states = this.#states.filter(({ at }) => at <= this.#commit);
    const grows = (states[0]?.cache.size ?? 0) > durable.size;
    if (grows && (index + 1) * SECTOR_BYTES > durable.size) return true;
    return states.some(({ cache }) => cache.sector(index) === undefined);
  }
}

/** States of a file that the kernel has not written back, newest first. */
function* unsynced(versions: Versioned<DiskNode>, node: FileNode, at: number): Generator<State> {
  for (const [since, version] of versions.back(at)) {
    if (version.kind !== 'file' || version.cache.stamp <= node.clean.stamp) return;
    yield { at: since, cache: version.cache };
  }
}

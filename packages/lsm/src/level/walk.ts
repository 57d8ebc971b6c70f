/**
 * Steps over a cursor of the tree on behalf of an iterator, many entries at a time.
 *
 * Invariant: a key that is sought outside of the range finds nothing, whatever the direction.
 */
import type { Timers } from '@nendb/vfs';
import type { LsmCursor } from '../db/cursor.js';
import { boundsOf, isAtOrBehind, type KeyBounds } from '../db/key-bounds.js';
import type { Lsm } from '../db/lsm.js';
import { type LevelData, type LevelFormat, ofBytes, toBytes } from './format.js';
import { LevelAbortError, levelError } from './level-error.js';
import { cursorOptions, type LevelWalk } from './range.js';

/** Entries that are read in one go; then others get their turn, and an abort is heard of. */
const STEP_ENTRIES = 1000;

/** What an iterator works with. */
export interface WalkParts {
  tree: Lsm;
  options: LevelWalk;
  timers: Timers;
}

/** Steps over a cursor, and shows what `read` makes of each entry. */
export class Walk<T> {
  readonly #cursor: LsmCursor;
  readonly #bounds: KeyBounds;
  readonly #read: (cursor: LsmCursor) => T;
  readonly #timers: Timers;
  readonly #signal: AbortSignal | undefined;
  /** A key outside of the bounds was sought. */
  #outside = false;

  /** Throws `LevelError`. */
  constructor({ tree, options, timers }: WalkParts, read: (cursor: LsmCursor) => T) {
    try {
      const asked = { ...cursorOptions(options), fillCache: options.fillCache ?? true };
      this.#bounds = boundsOf(asked);
      this.#cursor = tree.cursor(asked);
    } catch (error) {
      throw levelError(error);
    }
    this.#read = read;
    this.#timers = timers;
    this.#signal = options.signal ?? undefined;
  }

  async next(): Promise<T | undefined> {
    const items = this.#step(1);
    if (this.#signal !== undefined) await this.#hear(this.#signal);
    return items[0];
  }

  /** The next `size` entries, or all that are left. */
  async take(size: number): Promise<T[]> {
    let items = this.#step(Math.min(size, STEP_ENTRIES));
    if (this.#signal !== undefined) await this.#hear(this.#signal);
    for (let got = items.length; got === STEP_ENTRIES && items.length < size; ) {
      await new Promise<void>((resolve) => this.#timers.turnEnd(resolve));
      const more = this.#step(Math.min(size - items.length, STEP_ENTRIES));
      got = more.length;
      items = items.concat(more);
      if (this.#signal !== undefined) await this.#hear(this.#signal);
    }
    return items;
  }

  seek(target: LevelData): void {
    const key = toBytes(target);
    const { gte, lt } = this.#bounds;
    const before = gte !== undefined && !isAtOrBehind(key, 0, key.length, gte);
    const behind = lt !== undefined && isAtOrBehind(key, 0, key.length, lt);
    this.#outside = before || behind;
    if (!this.#outside) this.#cursor.seek(key);
  }

  close(): void {
    this.#cursor.close();
  }

  #step(size: number): T[] {
    const items: T[] = [];
    if (this.#outside) return items;
    try {
      while (items.length < size && this.#cursor.next()) items.push(this.#read(this.#cursor));
      return items;
    } catch (error) {
      throw levelError(error);
    }
  }

  /** Throws `LEVEL_ABORTED`, also where it was aborted in the turn of the call. */
  async #hear(signal: AbortSignal): Promise<void> {
    await undefined;
    if (signal.aborted) throw new LevelAbortError(signal.reason);
  }
}

export type Entry = [LevelData | undefined, LevelData | undefined];

export function walkEntries(parts: WalkParts): Walk<Entry> {
  const { keys, values, keyEncoding, valueEncoding } = parts.options;
  return new Walk<Entry>(parts, (cursor) => [
    keys ? keyIn(cursor, keyEncoding) : undefined,
    values ? valueIn(cursor, valueEncoding) : undefined,
  ]);
}

export function walkKeys(parts: WalkParts): Walk<LevelData> {
  const { keyEncoding } = parts.options;
  return new Walk(parts, (cursor) => keyIn(cursor, keyEncoding));
}

export function walkValues(parts: WalkParts): Walk<LevelData> {
  const { valueEncoding } = parts.options;
  return new Walk(parts, (cursor) => valueIn(cursor, valueEncoding));
}

/** A string is made of borrowed bytes, anything else of a copy. */
function keyIn(cursor: LsmCursor, format: LevelFormat): LevelData {
  return ofBytes(format === 'utf8' ? cursor.keyView : cursor.key, format);
}

function valueIn(cursor: LsmCursor, format: LevelFormat): LevelData {
  return ofBytes(format === 'utf8' ? cursor.valueView : cursor.value, format);
}

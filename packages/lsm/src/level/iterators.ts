/**
 * The three iterators of Level over one cursor of the tree.
 *
 * Invariant: an iterator sees the database of the moment in which it was made, or of its snapshot.
 *
 * `nextv` and `all` fill their array in steps of many entries, with a turn of the event loop between two: no promise
 * for each entry. Blocks that are not in memory are read in the call.
 */

import {
  AbstractIterator,
  type AbstractIteratorOptions,
  AbstractKeyIterator,
  AbstractValueIterator,
} from 'abstract-level';
import type { LevelData } from './format.js';
import type { LevelWalk } from './range.js';
import type { Entry, Walk } from './walk.js';

export class LevelIterator<TDatabase> extends AbstractIterator<TDatabase, LevelData, LevelData> {
  readonly #walk: Walk<Entry>;

  constructor(db: TDatabase, options: LevelWalk, walk: Walk<Entry>) {
    super(db, asDeclared(options));
    this.#walk = walk;
  }

  _next(): Promise<Entry | undefined> {
    return this.#walk.next();
  }

  _nextv(size: number): Promise<Entry[]> {
    return this.#walk.take(size);
  }

  _all(): Promise<Entry[]> {
    return this.#walk.take(this.limit - this.count);
  }

  _seek(target: LevelData): void {
    this.#walk.seek(target);
  }

  async _close(): Promise<void> {
    this.#walk.close();
  }
}

export class LevelKeyIterator<TDatabase> extends AbstractKeyIterator<TDatabase, LevelData> {
  readonly #walk: Walk<LevelData>;

  constructor(db: TDatabase, options: LevelWalk, walk: Walk<LevelData>) {
    super(db, asDeclared(options));
    this.#walk = walk;
  }

  _next(): Promise<LevelData | undefined> {
    return this.#walk.next();
  }

  _nextv(size: number): Promise<LevelData[]> {
    return this.#walk.take(size);
  }

  _all(): Promise<LevelData[]> {
    return this.#walk.take(this.limit - this.count);
  }

  _seek(target: LevelData): void {
    this.#walk.seek(target);
  }

  async _close(): Promise<void> {
    this.#walk.close();
  }
}

export class LevelValueIterator<TDatabase> extends AbstractValueIterator<
  TDatabase,
  LevelData,
  LevelData
> {
  readonly #walk: Walk<LevelData>;

  constructor(db: TDatabase, options: LevelWalk, walk: Walk<LevelData>) {
    super(db, asDeclared(options));
    this.#walk = walk;
  }

  _next(): Promise<LevelData | undefined> {
    return this.#walk.next();
  }

  _nextv(size: number): Promise<LevelData[]> {
    return this.#walk.take(size);
  }

  _all(): Promise<LevelData[]> {
    return this.#walk.take(this.limit - this.count);
  }

  _seek(target: LevelData): void {
    this.#walk.seek(target);
  }

  async _close(): Promise<void> {
    this.#walk.close();
  }
}

/** The constructors are declared with the options of callers; what they get is what Level has made of those. */
function asDeclared(options: LevelWalk): AbstractIteratorOptions<LevelData, LevelData> {
  return options as AbstractIteratorOptions<LevelData, LevelData>;
}

/**
 * Table headers, 64 bytes each, in slabs that are never given back.
 *
 *     space ─▶ slab ─▶ slab       newest first; 64 bytes of its own, then headers
 *
 * Invariants
 *  1. A header is complete and durable before its state says that it is live.
 *  2. Every table of the region, live or being freed, is found by walking the slabs.
 */
import {
  SLAB,
  SLAB_HEADER_BYTES,
  SPACE,
  TABLE,
  TABLE_BYTES,
  TABLE_FREE,
  TABLE_LIVE,
  TABLE_UNITS,
} from '../format.js';
import { SLAB_BYTES, SLAB_SEARCH_MAX } from '../limits.js';
import type { Space } from './space.js';
import { offsetOf, windowAt, wordOf } from './words.js';

export const TABLES_PER_SLAB = (SLAB_BYTES - SLAB_HEADER_BYTES) / TABLE_BYTES;

export class Slabs {
  readonly #space: Space;
  /** Headers known to be free. */
  readonly #free: number[] = [];
  /** Where the search in the slabs found at open goes on: slab (0: done) and number in it. */
  #searchSlab: number;
  #searchNumber = 0;

  constructor(space: Space) {
    this.#space = space;
    this.#searchSlab = space.word(SPACE.firstSlab);
  }

  /** A free header. Throws `PMEM_EXHAUSTED`. */
  take(): number {
    if (this.#free.length === 0) this.#search();
    if (this.#free.length === 0) this.#addSlab();
    return this.#free.pop()!;
  }

  /** Takes a header back whose state is free. */
  give(unit: number): void {
    this.#free.push(unit);
  }

  get first(): number {
    return this.#space.word(SPACE.firstSlab);
  }

  next(slab: number): number {
    return windowAt(this.#space.windows, slab).u32[wordOf(slab) + SLAB.next];
  }

  /** Address of header `number` of a slab. */
  header(slab: number, number: number): number {
    return slab + SLAB_HEADER_BYTES / 8 + number * TABLE_UNITS;
  }

  /** Addresses of all live tables. */
  *liveTables(): IterableIterator<number> {
    for (let slab = this.first; slab !== 0; slab = this.next(slab)) {
      for (let number = 0; number < TABLES_PER_SLAB; number++) {
        const unit = this.header(slab, number);
        if (this.#state(unit) === TABLE_LIVE) yield unit;
      }
    }
  }

  #state(unit: number): number {
    return windowAt(this.#space.windows, unit).i32[wordOf(unit) + TABLE.state];
  }

  #search(): void {
    for (let looked = 0; looked < SLAB_SEARCH_MAX && this.#searchSlab !== 0; looked++) {
      const unit = this.header(this.#searchSlab, this.#searchNumber);
      if (++this.#searchNumber === TABLES_PER_SLAB) {
        this.#searchSlab = this.next(this.#searchSlab);
        this.#searchNumber = 0;
      }
      if (this.#state(unit) === TABLE_FREE) this.#free.push(unit);
    }
  }

  #addSlab(): void {
    const space = this.#space;
    const slab = space.alloc(SLAB_BYTES);
    const window = windowAt(space.windows, slab);
    const word = wordOf(slab);
    window.zero(word << 2, (word << 2) + SLAB_BYTES);
    window.store32(word + SLAB.next, this.first);
    window.store32(word + SLAB.tables, TABLES_PER_SLAB);
    space.region.persist(offsetOf(slab), SLAB_BYTES);
    space.region.publish(offsetOf(slab), space.offsetOfWord(SPACE.firstSlab));
    for (let number = TABLES_PER_SLAB - 1; number >= 0; number--) {
      this.#free.push(this.header(slab, number));
    }
  }
}

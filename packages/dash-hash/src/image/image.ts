/**
 * A point-in-time image of every table of a region, while writes go on (R16).
 *
 *     next()    walks slabs ─▶ tables ─▶ segments ─▶ buckets    those not passed yet, in order
 *     pass()    called by a write, before it changes a bucket    that bucket, at once
 *                                   both ─▶ queue of (table, tag, record) ─▶ visitor
 *
 * Invariants
 *  1. A bucket whose generation is the image's was passed, or was born after the image began: its
 *     entries of that moment are in the queue or were visited.
 *  2. While an image is read no record moves and no chunk is given back: the addresses in the queue
 *     can be read until `release`, from other threads too.
 *  3. A table dropped before the image began is not in it; one dropped since is, by its old address.
 *
 * Concurrency: the writer's thread; visited records may be read by any.
 */
import type { RegionImage } from '@nendb/pmem';
import { DashError } from '../errors.js';
import {
  BUCKET,
  BUCKET_WORDS,
  CLASS_BUCKETS,
  CLASS_MASK,
  SLOTS_MASK,
  SPACE,
  TABLE,
  TABLE_DROPPED,
} from '../format.js';
import { TABLES_PER_SLAB } from '../space/slabs.js';
import type { Space } from '../space/space.js';
import { TableCore } from '../table/core.js';
import { segmentEnd } from '../table/repair.js';

/**
 * Receives an entry of an image: the table's address, its tag, the record's address. The record's
 * accessors are the table's.
 */
export type ImageVisitor = (table: number, tag: number, record: number) => void;

const QUEUE_ENTRIES_FIRST = 1024;
const WORDS_PER_ENTRY = 3;

export class DashImage implements RegionImage {
  readonly #space: Space;
  readonly #generation: number;
  readonly #core: TableCore;
  readonly #retainedBefore: number;
  #visitor: ImageVisitor | undefined;
  #queue = new Uint32Array(QUEUE_ENTRIES_FIRST * WORDS_PER_ENTRY);
  #queued = 0;
  /** Where the walk is: slab, header in it, position in hash order, bucket of the segment. */
  #slab: number;
  #number = -1;
  #position = 0;
  #bucket = 0;
  #inTable = false;
  /** Tables being freed that were walked after the slabs. */
  readonly #droppedDone = new Set<number>();
  #released = false;

  /** Begins an image. Throws `DASH_IMAGE_ACTIVE`. */
  constructor(space: Space, visitor?: ImageVisitor) {
    if (space.imaging !== undefined) {
      throw new DashError(
        'DASH_IMAGE_ACTIVE',
        'expected no image, got one that is being read: release it first',
      );
    }
    this.#space = space;
    this.#visitor = visitor;
    this.#generation = space.nextGeneration();
    this.#core = new TableCore(space);
    this.#slab = space.slabs.first;
    this.#retainedBefore = space.log.retainedUnits;
    space.imaging = this;
  }

  /** Who receives the entries, if not known when the image began. */
  set visitor(visitor: ImageVisitor) {
    this.#visitor = visitor;
  }

  /** Bytes of records that are kept for the image alone, and of its queue. */
  get retainedBytes(): number {
    if (this.#released) return 0;
    const units = this.#space.log.retainedUnits - this.#retainedBefore;
    return units * 8 + this.#queue.byteLength;
  }

  /**
   * Visits what writes have pushed ahead of them, then walks on: about `entriesMax` entries, or as
   * many buckets without any. `false` when everything was visited. Throws `DASH_CLOSED` after
   * `release`.
   */
  next(entriesMax: number): boolean {
    if (this.#released) {
      throw new DashError(
        'DASH_CLOSED',
        'expected an image, got one that was released: make another',
      );
    }
    let more = true;
    for (let buckets = 0; more && buckets < entriesMax && this.#queued < entriesMax; buckets++) {
      more = this.#walk();
    }
    const { queue, count } = { queue: this.#queue, count: this.#queued };
    this.#queued = 0;
    const visitor = this.#visitor;
    if (visitor !== undefined) {
      for (let i = 0; i < count * WORDS_PER_ENTRY; i += WORDS_PER_ENTRY) {
        visitor(queue[i], queue[i + 1], queue[i + 2]);
      }
    }
    return more;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#space.imaging = undefined;
    this.#space.log.compactor.consider();
  }

  /** Hands a bucket of the located segment over before it changes. */
  pass(core: TableCore, bucket: number): void {
    const { window } = core;
    if (window.i32[bucket + BUCKET.generation] === (this.#generation | 0)) return;
    const { i32 } = window;
    if (this.#belongs(core)) {
      let used = i32[bucket + BUCKET.bits] & SLOTS_MASK;
      for (; used !== 0; used &= used - 1) {
        const slot = 31 - Math.clz32(used & -used);
        this.#push(core, i32[bucket + BUCKET.slots + slot * 2]);
      }
    }
    window.store32(bucket + BUCKET.generation, this.#generation);
  }

  /** Hands every bucket of the located segment over. */
  passSegment(core: TableCore): void {
    const buckets = CLASS_BUCKETS[core.entry & CLASS_MASK];
    for (let number = 0; number < buckets; number++) {
      this.pass(core, core.segment + number * BUCKET_WORDS);
    }
  }

  /** Passes one bucket, or goes to the next table; `false` at the end. */
  #walk(): boolean {
    const core = this.#core;
    if (!this.#inTable) return this.#nextTable();
    if (!core.tryBind(core.unit)) {
      this.#inTable = false;
      return true;
    }
    const scale = 2 ** (32 - core.depth);
    const index = Math.floor(this.#position / scale);
    core.locateEntry(index);
    if (core.entry === 0) {
      this.#goTo((index + 1) * scale);
      return true;
    }
    if (this.#bucket < CLASS_BUCKETS[core.entry & CLASS_MASK]) {
      this.pass(core, core.segment + this.#bucket * BUCKET_WORDS);
      this.#bucket++;
    }
    if (this.#bucket >= CLASS_BUCKETS[core.entry & CLASS_MASK]) {
      this.#goTo(segmentEnd(core, index) * scale);
    }
    return true;
  }

  #goTo(position: number): void {
    this.#bucket = 0;
    this.#position = position;
    if (position >= 2 ** 32) this.#inTable = false;
  }

  #nextTable(): boolean {
    if (this.#slab === 0) return this.#nextDropped();
    this.#number++;
    if (this.#number === TABLES_PER_SLAB) {
      this.#number = -1;
      this.#slab = this.#space.slabs.next(this.#slab);
      return true;
    }
    this.#enter(this.#space.slabs.header(this.#slab, this.#number));
    return true;
  }

  /** Contents that went to a header the walk had passed already, to be freed, come last. */
  #nextDropped(): boolean {
    let unit = this.#space.word(SPACE.firstDropped);
    while (unit !== 0 && this.#droppedDone.has(unit)) {
      this.#core.tryBind(unit);
      unit = this.#core.headerWord(TABLE.nextDropped);
    }
    if (unit === 0) return false;
    this.#droppedDone.add(unit);
    this.#enter(unit);
    return true;
  }

  #enter(unit: number): void {
    this.#inTable = this.#core.tryBind(unit) && this.#belongs(this.#core);
    this.#position = 0;
    this.#bucket = 0;
  }

  /** Whether the table was there when the image began. */
  #belongs(core: TableCore): boolean {
    if (core.state !== TABLE_DROPPED) return true;
    return core.headerWord(TABLE.dropGeneration) === this.#generation;
  }

  #push(core: TableCore, record: number): void {
    const at = this.#queued * WORDS_PER_ENTRY;
    if (at === this.#queue.length) {
      const longer = new Uint32Array(this.#queue.length * 2);
      longer.set(this.#queue);
      this.#queue = longer;
    }
    this.#queue[at] = core.headerWord(TABLE.origin) || core.unit;
    this.#queue[at + 1] = core.headerWord(TABLE.tag);
    this.#queue[at + 2] = record;
    this.#queued++;
  }
}

/**
 * A table bound to its header: finding. Hot. A core is a flyweight: `bind` turns it to another table
 * of the region at the cost of reading one cache line.
 *
 *     hash ─┬─ high bits ─▶ directory entry ─▶ segment
 *           └─ low bits  ─▶ home bucket, the one behind it, the stash
 *
 * The result of a search stays in the fields `window`, `bucket` and `slot`: no object is made.
 *
 * Invariants
 *  1. An entry is in its home bucket, in the one behind it (marked as guest), or in a stash bucket
 *     that its home bucket tells of.
 *  2. What is cached of the directory is compared with the header at every search: another core may
 *     have changed it.
 *
 * Concurrency: the writer's thread. `reader/` finds in other threads.
 */
import type { RegionWindow } from '@nendb/pmem';
import { DashError } from '../errors.js';
import {
  BUCKET,
  BUCKET_WORDS,
  CLASS_MASK,
  DIRECTORY,
  HOME_BITS,
  HOME_MASK,
  NORMAL_BUCKETS,
  OWN_DIRECTORY_UNITS,
  SLOTS_MASK,
  STASH,
  STASH_BUCKETS,
  TABLE,
  TABLE_FREE,
  TABLE_LIVE,
} from '../format.js';
import { hash32, lastPrint } from '../hash.js';
import { POSITION_MASK, type RecordReader, WINDOW_SHIFT, type Windows } from '../log/record.js';
import type { Space } from '../space/space.js';
import { wordOf } from '../space/words.js';
import { beginRepair, repairSegment } from './repair.js';

/** Bytes 1, 1, 1, 1 and the top bit of each: to compare four prints at once. */
export const ONES = 0x01010101;
export const TOPS = 0x80808080 | 0;
/** Whether a byte of a bucket's prints is that of `pattern`: seldom if the key is not there. */
function hasPrint(i32: Int32Array, bucket: number, pattern: number): boolean {
  const first = i32[bucket + BUCKET.prints] ^ pattern;
  const second = i32[bucket + BUCKET.prints + 1] ^ pattern;
  const third = i32[bucket + BUCKET.prints + 2] ^ pattern;
  const zeros = ((first - ONES) & ~first) | ((second - ONES) & ~second) | ((third - ONES) & ~third);
  return (zeros & TOPS) !== 0;
}

/** A segment's address in an entry, as a position in its window. */
export const SEGMENT_MASK = POSITION_MASK & ~CLASS_MASK;

export class TableCore {
  readonly space: Space;
  readonly windows: Windows;
  readonly reader: RecordReader;
  /** Address of the header, 0 while unbound. */
  unit = 0;
  headerWindow: RegionWindow;
  /** Word of the header in its window. */
  header = 0;
  seed0 = 0;
  seed1 = 0;
  /** Address of the directory that the next three fields describe. */
  directory = 0;
  directoryWindow: RegionWindow;
  /** Word of the first entry. */
  entries = 0;
  /** 31 - depth. */
  shift = 31;
  /** Whether segments may need repair after a crash. */
  lazy = false;

  /** Of the key searched last. */
  hash = 0;
  print = 0;
  /** The entry of its segment, the segment's window and first word. */
  entry = 0;
  window: RegionWindow;
  segment = 0;
  /** Where it was found: word of the bucket, number of the slot. */
  bucket = 0;
  slot = 0;

  constructor(space: Space) {
    this.space = space;
    this.windows = space.windows;
    this.reader = space.log.reader;
    this.headerWindow = this.windows[0];
    this.directoryWindow = this.windows[0];
    this.window = this.windows[0];
  }

  /** Turns to the live table at `unit`. Throws `DASH_NO_TABLE`. */
  bind(unit: number): void {
    if (!this.tryBind(unit) || this.state !== TABLE_LIVE) {
      this.unit = 0;
      throw new DashError(
        'DASH_NO_TABLE',
        `expected the address of a live table, got ${unit}: it was freed, or never created here`,
      );
    }
  }

  /** Turns to the table at `unit`, live or being freed; `false` where there is none. */
  tryBind(unit: number): boolean {
    this.unit = unit;
    this.headerWindow = this.windows[unit >>> WINDOW_SHIFT];
    this.header = wordOf(unit);
    const { i32 } = this.headerWindow;
    if (i32[this.header + TABLE.state] === TABLE_FREE) return false;
    this.seed0 = i32[this.header + TABLE.seed0];
    this.seed1 = i32[this.header + TABLE.seed1];
    this.#readDirectory();
    this.lazy = i32[this.header + TABLE.recovered] !== this.space.crashes;
    if (this.lazy) beginRepair(this);
    return true;
  }

  /** Turns to no table: searching throws `DASH_NO_TABLE` from here on. */
  unbind(): void {
    this.unit = 0;
    this.directory = -1;
  }

  get state(): number {
    return this.headerWindow.i32[this.header + TABLE.state];
  }

  get depth(): number {
    return 31 - this.shift;
  }

  /** Whether the directory is the one in the header. */
  get hasOwnDirectory(): boolean {
    return this.directory === ((this.unit + OWN_DIRECTORY_UNITS) | 0);
  }

  /** A word of the header, unsigned. */
  headerWord(word: number): number {
    return this.headerWindow.u32[this.header + word];
  }

  setHeaderWord(word: number, value: number): void {
    this.headerWindow.store32(this.header + word, value);
  }

  /** The record of the key `bytes[from, to)`, or 0; then `window`, `bucket`, `slot` say where. */
  find(bytes: Uint8Array, from: number, to: number): number {
    const hash = hash32(this.seed0, this.seed1, bytes, from, to);
    this.hash = hash;
    this.print = lastPrint;
    this.locate(hash);
    const { i32 } = this.window;
    const { entry, segment } = this;
    const normal = NORMAL_BUCKETS[entry & CLASS_MASK];
    const home = ((hash & HOME_MASK) * normal) >>> HOME_BITS;
    const first = segment + home * BUCKET_WORDS;
    const second = home + 1 === normal ? segment : first + BUCKET_WORDS;
    // Both loads begin before either bucket is looked at: memory is the time that a search takes.
    const firstBits = i32[first + BUCKET.bits];
    const secondBits = i32[second + BUCKET.bits];
    const pattern = Math.imul(this.print, ONES);
    if (hasPrint(i32, first, pattern)) {
      const found = this.#inBucket(i32, first, firstBits, bytes, from, to);
      if (found !== 0) return found;
    }
    if (hasPrint(i32, second, pattern)) {
      const found = this.#inBucket(i32, second, secondBits, bytes, from, to);
      if (found !== 0) return found;
    }
    const told = i32[first + BUCKET.stash];
    return told === 0 ? 0 : this.#inStash(i32, first, told, bytes, from, to);
  }

  /** Finds the slot that names the record at `at`, which is not a piece; whether one does. */
  findRecord(at: number): boolean {
    this.#hashRecord(at);
    this.locate(this.hash);
    return this.#eachCandidate((bucket, slot) => {
      return this.window.i32[bucket + BUCKET.slots + slot * 2] === (at | 0);
    });
  }

  /** Finds the slot of a chained record of hash `hash` whose piece `number` is at `piece`. */
  findPieceOwner(hash: number, piece: number, number: number): boolean {
    this.hash = hash;
    this.locate(hash);
    const { reader, windows } = this;
    return this.#eachCandidate((bucket, slot) => {
      const { i32 } = this.window;
      const at = i32[bucket + BUCKET.slots + slot * 2];
      if (i32[bucket + BUCKET.slots + slot * 2 + 1] !== hash) return false;
      if (number >= reader.pieces(at)) return false;
      return windows[at >>> WINDOW_SHIFT].i32[reader.pieceWord(at, number)] === (piece | 0);
    });
  }

  /** Finds the segment of `hash`: sets `entry`, `window`, `segment`. */
  locate(hash: number): void {
    if (this.headerWindow.i32[this.header + TABLE.directory] !== this.directory) this.#turn();
    this.locateEntry((hash >>> 1) >>> this.shift);
  }

  /** The same for the entry at `index` of the directory. */
  locateEntry(index: number): void {
    const entry = this.directoryWindow.i32[this.entries + index];
    this.entry = entry;
    this.window = this.windows[entry >>> WINDOW_SHIFT];
    this.segment = (entry & SEGMENT_MASK) << 1;
    if (this.lazy && entry !== 0) repairSegment(this);
  }

  /** The record that the slot found last names. */
  get record(): number {
    return this.window.i32[this.bucket + BUCKET.slots + this.slot * 2];
  }

  /** Address of a word of the segment's window, in bytes for the region. */
  offsetOfWord(word: number): number {
    return (this.entry >>> WINDOW_SHIFT) * 2 ** 30 + word * 4;
  }

  #inBucket(
    i32: Int32Array,
    bucket: number,
    bits: number,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): number {
    const pattern = Math.imul(this.print, ONES);
    const { hash, reader } = this;
    for (let word = 0; word < 3; word++) {
      const difference = i32[bucket + BUCKET.prints + word] ^ pattern;
      let matches = (difference - ONES) & ~difference & TOPS;
      while (matches !== 0) {
        const lowest = matches & -matches;
        const slot = word * 4 + ((31 - Math.clz32(lowest)) >>> 3);
        const at = bucket + BUCKET.slots + slot * 2;
        if (((bits >>> slot) & 1) === 1 && i32[at + 1] === hash) {
          const record = i32[at];
          if (reader.hasKey(record, bytes, from, to)) {
            this.bucket = bucket;
            this.slot = slot;
            return record;
          }
        }
        matches ^= lowest;
      }
    }
    return 0;
  }

  #inStashBucket(
    i32: Int32Array,
    bucket: number,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): number {
    return this.#inBucket(i32, bucket, i32[bucket + BUCKET.bits], bytes, from, to);
  }

  #inStash(
    i32: Int32Array,
    home: number,
    told: number,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): number {
    const classNumber = this.entry & CLASS_MASK;
    const stash = this.segment + NORMAL_BUCKETS[classNumber] * BUCKET_WORDS;
    if (told >>> STASH.uncountedShift !== 0) {
      for (let i = 0; i < STASH_BUCKETS[classNumber]; i++) {
        const found = this.#inStashBucket(i32, stash + i * BUCKET_WORDS, bytes, from, to);
        if (found !== 0) return found;
      }
      return 0;
    }
    const prints = i32[home + BUCKET.stashPrints];
    for (let i = 0; i < STASH.prints; i++) {
      if (((told >>> i) & 1) === 0 || ((prints >>> (i * 8)) & 0xff) !== this.print) continue;
      const number = (told >>> (STASH.bucketShift + i * 2)) & 3;
      const found = this.#inStashBucket(i32, stash + number * BUCKET_WORDS, bytes, from, to);
      if (found !== 0) return found;
    }
    return 0;
  }

  /** Asks `is` of each used slot that an entry of this hash can be in; sets the slot it accepts. */
  #eachCandidate(is: (bucket: number, slot: number) => boolean): boolean {
    const classNumber = this.entry & CLASS_MASK;
    const normal = NORMAL_BUCKETS[classNumber];
    const home = ((this.hash & HOME_MASK) * normal) >>> HOME_BITS;
    const next = home + 1 === normal ? 0 : home + 1;
    if (this.#candidateIn(home, is) || this.#candidateIn(next, is)) return true;
    for (let i = 0; i < STASH_BUCKETS[classNumber]; i++) {
      if (this.#candidateIn(normal + i, is)) return true;
    }
    return false;
  }

  #candidateIn(number: number, is: (bucket: number, slot: number) => boolean): boolean {
    const bucket = this.segment + number * BUCKET_WORDS;
    let used = this.window.i32[bucket + BUCKET.bits] & SLOTS_MASK;
    for (; used !== 0; used &= used - 1) {
      const slot = 31 - Math.clz32(used & -used);
      if (!is(bucket, slot)) continue;
      this.bucket = bucket;
      this.slot = slot;
      return true;
    }
    return false;
  }

  /** Hashes the key of a record. */
  #hashRecord(at: number): void {
    const { reader, seed0, seed1 } = this;
    const { u8 } = this.windows[at >>> WINDOW_SHIFT];
    if (reader.pieces(at) === 0) {
      const from = reader.bodyAt(at);
      this.hash = hash32(seed0, seed1, u8, from, from + reader.keyBytes(at));
    } else {
      const key = new Uint8Array(reader.keyBytes(at));
      reader.copyKey(at, key, 0);
      this.hash = hash32(seed0, seed1, key, 0, key.length);
    }
    this.print = lastPrint;
  }

  /** The header names another directory than the one known. */
  #turn(): void {
    if (this.unit === 0 || this.state !== TABLE_LIVE) {
      throw new DashError(
        'DASH_NO_TABLE',
        'expected a live table, got one that was freed: open or create another',
      );
    }
    this.#readDirectory();
  }

  #readDirectory(): void {
    const { i32 } = this.headerWindow;
    this.directory = i32[this.header + TABLE.directory];
    const directory = this.directory !== 0 ? this.directory : i32[this.header + TABLE.dropping];
    const at = wordOf(directory);
    this.directoryWindow = this.windows[directory >>> WINDOW_SHIFT];
    this.entries = at + DIRECTORY.entries;
    const depth = this.directoryWindow.i32[at + DIRECTORY.depth];
    this.shift = 31 - depth;
    if (depth > this.space.deepest) this.space.deepest = depth;
  }
}

/**
 * Finding in a thread that does not write: no locks, one writer beside it. Hot.
 *
 * Invariants
 *  1. Everything happens under an epoch guard: a segment, a directory, a record that was reachable
 *     when the guard began stays as it is.
 *  2. A record that was found is an answer whatever moves meanwhile: records do not change, and a slot
 *     names one key's at a time. So the first look is plain.
 *  3. That nothing was found is an answer only if both buckets' versions were even before and are the
 *     same after, and the directory still leads to the segment: entries move between buckets, into
 *     the one looked at already. That look loads every word with `Atomics`, in order also on weakly
 *     ordered processors.
 *
 * Why it ends: moves are rare and take less than a microsecond; a reader that meets them again and
 * again sleeps, and gives up with `DASH_STARVED` after some seconds.
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
  SLOTS_MASK,
  STASH_BUCKETS,
  TABLE,
} from '../format.js';
import { hash32, lastPrint } from '../hash.js';
import { READER_SPINS_MAX, READER_TRIES_MAX } from '../limits.js';
import { type RecordReader, WINDOW_SHIFT, type Windows } from '../log/record.js';
import { wordOf } from '../space/words.js';
import { ONES, SEGMENT_MASK, TOPS } from '../table/core.js';

const PAUSE_MS = 1;

export class ReaderProbe {
  readonly windows: Windows;
  readonly reader: RecordReader;
  readonly #header: Int32Array;
  readonly #headerAt: number;
  readonly #seed0: number;
  readonly #seed1: number;
  readonly #pause = new Int32Array(new SharedArrayBuffer(4));
  /** What `locate` found: the directory, its depth, the entry of a hash, its segment. */
  directory = 0;
  depth = 0;
  entry = 0;
  window: RegionWindow;
  segment = 0;
  #hash = 0;
  #print = 0;
  /** Looks that had to be repeated. */
  retries = 0;

  constructor(windows: Windows, reader: RecordReader, table: number) {
    this.windows = windows;
    this.reader = reader;
    this.window = windows[0];
    this.#header = windows[table >>> WINDOW_SHIFT].i32;
    this.#headerAt = wordOf(table);
    this.#seed0 = this.#header[this.#headerAt + TABLE.seed0];
    this.#seed1 = this.#header[this.#headerAt + TABLE.seed1];
  }

  /** The record of the key `bytes[from, to)`, or 0. Under a guard. */
  find(bytes: Uint8Array, from: number, to: number): number {
    const hash = hash32(this.#seed0, this.#seed1, bytes, from, to);
    this.#hash = hash;
    this.#print = lastPrint;
    for (let tries = 0; ; tries++) {
      if (!this.locate(hash)) return 0;
      const normal = NORMAL_BUCKETS[this.entry & CLASS_MASK];
      const home = ((hash & HOME_MASK) * normal) >>> HOME_BITS;
      const first = this.segment + home * BUCKET_WORDS;
      const second = home + 1 === normal ? this.segment : first + BUCKET_WORDS;
      if (tries === 0) {
        const found = this.#look(first, second, bytes, from, to);
        if (found !== 0) return found;
      }
      const { i32 } = this.window;
      const firstVersion = Atomics.load(i32, first + BUCKET.version);
      const secondVersion = Atomics.load(i32, second + BUCKET.version);
      if (((firstVersion | secondVersion) & 1) === 0) {
        const found = this.#lookInOrder(first, second, bytes, from, to);
        if (found !== 0) return found;
        if (
          Atomics.load(i32, first + BUCKET.version) === firstVersion &&
          Atomics.load(i32, second + BUCKET.version) === secondVersion &&
          this.isCurrent(hash)
        ) {
          return 0;
        }
      }
      this.again(tries);
    }
  }

  /** Finds the segment of a hash; `false` where the table was given up. */
  locate(hash: number): boolean {
    const header = this.#header;
    const directory = Atomics.load(header, this.#headerAt + TABLE.directory);
    if (directory === 0 || header[this.#headerAt + TABLE.seed0] !== this.#seed0) return false;
    this.directory = directory;
    const { i32 } = this.windows[directory >>> WINDOW_SHIFT];
    const at = wordOf(directory);
    this.depth = i32[at + DIRECTORY.depth];
    const index = (hash >>> 1) >>> (31 - this.depth);
    this.entry = Atomics.load(i32, at + DIRECTORY.entries + index);
    if (this.entry === 0) return false;
    this.window = this.windows[this.entry >>> WINDOW_SHIFT];
    this.segment = (this.entry & SEGMENT_MASK) << 1;
    return true;
  }

  /** Whether the hash still leads to the segment located last. */
  isCurrent(hash: number): boolean {
    const { directory, entry } = this;
    if (Atomics.load(this.#header, this.#headerAt + TABLE.directory) !== directory) return false;
    const { i32 } = this.windows[directory >>> WINDOW_SHIFT];
    const index = (hash >>> 1) >>> (31 - this.depth);
    return Atomics.load(i32, wordOf(directory) + DIRECTORY.entries + index) === entry;
  }

  /** Before a look is repeated: counts, rests, gives up. Throws `DASH_STARVED`. */
  again(tries: number): void {
    this.retries++;
    if (tries < READER_SPINS_MAX) return;
    Atomics.wait(this.#pause, 0, 0, PAUSE_MS);
    if (tries < READER_TRIES_MAX) return;
    throw new DashError(
      'DASH_STARVED',
      `expected a bucket to come to rest, got ${tries} looks at a moving one: the thread that writes has died or hangs`,
    );
  }

  #look(first: number, second: number, bytes: Uint8Array, from: number, to: number): number {
    const { i32 } = this.window;
    const found = this.#inBucket(i32, first, bytes, from, to);
    if (found !== 0) return found;
    const guest = this.#inBucket(i32, second, bytes, from, to);
    if (guest !== 0 || i32[first + BUCKET.stash] === 0) return guest;
    const classNumber = this.entry & CLASS_MASK;
    const stash = this.segment + NORMAL_BUCKETS[classNumber] * BUCKET_WORDS;
    for (let i = 0; i < STASH_BUCKETS[classNumber]; i++) {
      const stashed = this.#inBucket(i32, stash + i * BUCKET_WORDS, bytes, from, to);
      if (stashed !== 0) return stashed;
    }
    return 0;
  }

  #inBucket(i32: Int32Array, bucket: number, bytes: Uint8Array, from: number, to: number): number {
    const used = i32[bucket + BUCKET.bits] & SLOTS_MASK;
    const pattern = Math.imul(this.#print, ONES);
    for (let word = 0; word < 3; word++) {
      const difference = i32[bucket + BUCKET.prints + word] ^ pattern;
      let matches = (difference - ONES) & ~difference & TOPS;
      for (; matches !== 0; matches &= matches - 1) {
        const slot = word * 4 + ((31 - Math.clz32(matches & -matches)) >>> 3);
        const at = bucket + BUCKET.slots + slot * 2;
        if (((used >>> slot) & 1) === 0 || i32[at + 1] !== this.#hash) continue;
        const record = Atomics.load(i32, at);
        if (this.reader.hasKey(record, bytes, from, to)) return record;
      }
    }
    return 0;
  }

  /** The same with every load in program order, and the stash asked whatever the home bucket tells. */
  #lookInOrder(first: number, second: number, bytes: Uint8Array, from: number, to: number): number {
    const found = this.#inBucketInOrder(first, bytes, from, to);
    if (found !== 0) return found;
    const guest = this.#inBucketInOrder(second, bytes, from, to);
    if (guest !== 0 || Atomics.load(this.window.i32, first + BUCKET.stash) === 0) return guest;
    const classNumber = this.entry & CLASS_MASK;
    const stash = this.segment + NORMAL_BUCKETS[classNumber] * BUCKET_WORDS;
    for (let i = 0; i < STASH_BUCKETS[classNumber]; i++) {
      const stashed = this.#inBucketInOrder(stash + i * BUCKET_WORDS, bytes, from, to);
      if (stashed !== 0) return stashed;
    }
    return 0;
  }

  #inBucketInOrder(bucket: number, bytes: Uint8Array, from: number, to: number): number {
    const { i32 } = this.window;
    let used = Atomics.load(i32, bucket + BUCKET.bits) & SLOTS_MASK;
    const pattern = Math.imul(this.#print, ONES);
    for (let word = 0; word < 3; word++) {
      const difference = Atomics.load(i32, bucket + BUCKET.prints + word) ^ pattern;
      // What cannot be the print is left out; the rest is compared by hash.
      const matches = (difference - ONES) & ~difference & TOPS;
      for (let slot = 0; slot < 4; slot++) {
        if ((matches & (0x80 << (slot * 8))) === 0) used &= ~(1 << (word * 4 + slot));
      }
    }
    for (; used !== 0; used &= used - 1) {
      const at = bucket + BUCKET.slots + (31 - Math.clz32(used & -used)) * 2;
      if (Atomics.load(i32, at + 1) !== this.#hash) continue;
      const record = Atomics.load(i32, at);
      if (this.reader.hasKey(record, bytes, from, to)) return record;
    }
    return 0;
  }
}

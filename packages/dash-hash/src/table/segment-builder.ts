/**
 * Builds segments that nobody sees yet: slots are stored as they come, headers are drafted in private
 * memory and stored once, with one write-back at the end.
 *
 * Hot while a table grows: every entry is moved two or three times on the way through the classes.
 * Neither records nor keys are touched: the slot has the hash.
 *
 * Concurrency: one draft a thread; building is never interleaved.
 */
import {
  BUCKET,
  BUCKET_BYTES,
  BUCKET_SLOTS,
  BUCKET_WORDS,
  CLASS_BUCKETS,
  CLASS_LAST,
  CLASS_MASK,
  GUEST_SHIFT,
  HOME_BITS,
  HOME_MASK,
  NORMAL_BUCKETS,
  SEGMENT,
  SHAPE_CLASS_SHIFT,
  SLOTS_MASK,
  STASH,
  STASH_BUCKETS,
} from '../format.js';
import type { Space } from '../space/space.js';
import { offsetOf, windowAt, wordOf } from '../space/words.js';

/** Both halves of a segment. */
export const ANY_SIDE = -1;

const BUCKETS_MAX = CLASS_BUCKETS[CLASS_LAST];
const PRINT_WORDS = 3;

/** Headers of the segment being built. */
const bits = new Int32Array(BUCKETS_MAX);
const prints = new Int32Array(BUCKETS_MAX * PRINT_WORDS);
const told = new Int32Array(BUCKETS_MAX);
const toldPrints = new Int32Array(BUCKETS_MAX);
/** Slots filled in each bucket, from the first on. */
const filled = new Uint8Array(BUCKETS_MAX);

export function segmentBytes(classNumber: number): number {
  return CLASS_BUCKETS[classNumber] * BUCKET_BYTES;
}

/** Begins a segment: no slot of any bucket is filled. */
export function beginSegment(): void {
  bits.fill(0);
  prints.fill(0);
  told.fill(0);
  toldPrints.fill(0);
  filled.fill(0);
}

/**
 * Copies the slots of the segment `entry` whose hash has bit `side` at the place of `depth` (or
 * `ANY_SIDE`) to the block at `unit`. `false` where they do not fit; then begin again.
 */
export function copyEntries(
  space: Space,
  entry: number,
  unit: number,
  classNumber: number,
  depth: number,
  side: number,
): boolean {
  const { i32 } = windowAt(space.windows, entry);
  const from = wordOf(entry & ~CLASS_MASK);
  const end = from + CLASS_BUCKETS[entry & CLASS_MASK] * BUCKET_WORDS;
  const target = windowAt(space.windows, unit);
  const to = wordOf(unit);
  const normal = NORMAL_BUCKETS[classNumber];
  const shift = 32 - depth;
  for (let bucket = from; bucket < end; bucket += BUCKET_WORDS) {
    let used = i32[bucket + BUCKET.bits] & SLOTS_MASK;
    for (; used !== 0; used &= used - 1) {
      const slot = 31 - Math.clz32(used & -used);
      const word = bucket + BUCKET.slots + slot * 2;
      const hash = i32[word + 1];
      if (side !== ANY_SIDE && ((hash >>> shift) & 1) !== side) continue;
      const print = (i32[bucket + BUCKET.prints + (slot >>> 2)] >>> ((slot & 3) * 8)) & 0xff;
      const home = ((hash & HOME_MASK) * normal) >>> HOME_BITS;
      const next = home + 1 === normal ? 0 : home + 1;
      let number = home;
      let guest = 0;
      if (filled[next] < filled[home]) {
        number = next;
        guest = 1;
      }
      if (filled[number] === BUCKET_SLOTS) {
        number = draftStash(classNumber, home, print);
        guest = 0;
        if (number === -1) return false;
      }
      const free = filled[number]++;
      bits[number] |= (1 << free) | (guest << (free + GUEST_SHIFT));
      prints[number * PRINT_WORDS + (free >>> 2)] |= print << ((free & 3) * 8);
      const at = to + number * BUCKET_WORDS + BUCKET.slots + free * 2;
      target.store32(at, i32[word]);
      target.store32(at + 1, hash);
    }
  }
  return true;
}

/**
 * The same into a segment of the same class, each slot in its own place, which always fits: where
 * entries share so many bits that a split leaves all of them on one side.
 */
export function copyPlaces(
  space: Space,
  entry: number,
  unit: number,
  depth: number,
  side: number,
): void {
  const { i32 } = windowAt(space.windows, entry);
  const from = wordOf(entry & ~CLASS_MASK);
  const target = windowAt(space.windows, unit);
  const to = wordOf(unit);
  const normal = NORMAL_BUCKETS[entry & CLASS_MASK];
  for (let number = 0; number < CLASS_BUCKETS[entry & CLASS_MASK]; number++) {
    const bucket = from + number * BUCKET_WORDS;
    for (let word = 0; word < PRINT_WORDS; word++) {
      prints[number * PRINT_WORDS + word] = i32[bucket + BUCKET.prints + word];
    }
    const before = i32[bucket + BUCKET.bits];
    for (let used = before & SLOTS_MASK; used !== 0; used &= used - 1) {
      const slot = 31 - Math.clz32(used & -used);
      const word = BUCKET.slots + slot * 2;
      const hash = i32[bucket + word + 1];
      if (((hash >>> (32 - depth)) & 1) !== side) continue;
      target.store32(to + number * BUCKET_WORDS + word, i32[bucket + word]);
      target.store32(to + number * BUCKET_WORDS + word + 1, hash);
      bits[number] |= before & ((1 << slot) | (1 << (slot + GUEST_SHIFT)));
      if (number < normal) continue;
      const home = ((hash & HOME_MASK) * normal) >>> HOME_BITS;
      const print = (prints[number * PRINT_WORDS + (slot >>> 2)] >>> ((slot & 3) * 8)) & 0xff;
      draftTold(home, number - normal, print);
    }
  }
}

/** Stores the headers that were drafted; the segment is complete and durable then. */
export function finishSegment(
  space: Space,
  unit: number,
  classNumber: number,
  depth: number,
): void {
  const window = windowAt(space.windows, unit);
  const normal = NORMAL_BUCKETS[classNumber];
  for (let number = 0; number < CLASS_BUCKETS[classNumber]; number++) {
    const bucket = wordOf(unit) + number * BUCKET_WORDS;
    window.store32(bucket + BUCKET.version, 0);
    window.store32(bucket + BUCKET.generation, space.generation);
    window.store32(bucket + BUCKET.bits, bits[number]);
    for (let word = 0; word < PRINT_WORDS; word++) {
      window.store32(bucket + BUCKET.prints + word, prints[number * PRINT_WORDS + word]);
    }
    if (number === normal) {
      window.store32(bucket + SEGMENT.shape, depth | (classNumber << SHAPE_CLASS_SHIFT));
      window.store32(bucket + SEGMENT.recovered, space.crashes);
    } else {
      window.store32(bucket + BUCKET.stashPrints, toldPrints[number]);
      window.store32(bucket + BUCKET.stash, told[number]);
    }
  }
  if (space.flushes) space.region.persist(offsetOf(unit), segmentBytes(classNumber));
}

/** An empty segment in the block at `unit`, durable. */
export function emptySegment(space: Space, unit: number, classNumber: number, depth: number): void {
  beginSegment();
  finishSegment(space, unit, classNumber, depth);
}

/** A stash bucket with room, told to the home bucket; -1 where none has any. */
function draftStash(classNumber: number, home: number, print: number): number {
  const normal = NORMAL_BUCKETS[classNumber];
  for (let number = 0; number < STASH_BUCKETS[classNumber]; number++) {
    if (filled[normal + number] === BUCKET_SLOTS) continue;
    draftTold(home, number, print);
    return normal + number;
  }
  return -1;
}

function draftTold(home: number, number: number, print: number): void {
  const before = told[home];
  const used = before & STASH.usedMask;
  if (used === STASH.usedMask) {
    told[home] = before + (1 << STASH.uncountedShift);
    return;
  }
  const free = 31 - Math.clz32(~used & -~used);
  toldPrints[home] |= print << (free * 8);
  told[home] = before | (number << (STASH.bucketShift + free * 2)) | (1 << free);
}

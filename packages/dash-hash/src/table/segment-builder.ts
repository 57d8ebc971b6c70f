/**
 * Builds segments that nobody sees yet: plain stores, no commits, one write-back at the end.
 *
 * Hot while a table grows: every entry is moved about four times on the way through the classes, at
 * some ten nanoseconds, since neither records nor keys are touched: the slot has the hash.
 */
import type { RegionWindow } from '@nendb/pmem';
import {
  BUCKET,
  BUCKET_BYTES,
  BUCKET_WORDS,
  CLASS_BUCKETS,
  CLASS_MASK,
  GUEST_SHIFT,
  NORMAL_BUCKETS,
  SEGMENT,
  SHAPE_CLASS_SHIFT,
  SLOTS_MASK,
  STASH_BUCKETS,
} from '../format.js';
import type { Space } from '../space/space.js';
import { offsetOf, windowAt, wordOf } from '../space/words.js';
import { firstFree, freeSlots, homeOf, printOf, tellHome } from './slots.js';

/** Both halves of a segment. */
export const ANY_SIDE = -1;

export function segmentBytes(classNumber: number): number {
  return CLASS_BUCKETS[classNumber] * BUCKET_BYTES;
}

/** An empty segment in the block at `unit`; not durable yet. */
export function clearSegment(space: Space, unit: number, classNumber: number, depth: number): void {
  const window = windowAt(space.windows, unit);
  const word = wordOf(unit);
  window.zero(word << 2, (word << 2) + segmentBytes(classNumber));
  for (let number = 0; number < CLASS_BUCKETS[classNumber]; number++) {
    window.store32(word + number * BUCKET_WORDS + BUCKET.generation, space.generation);
  }
  const stash = word + NORMAL_BUCKETS[classNumber] * BUCKET_WORDS;
  window.store32(stash + SEGMENT.shape, depth | (classNumber << SHAPE_CLASS_SHIFT));
  window.store32(stash + SEGMENT.recovered, space.crashes);
}

/**
 * Copies the slots of the segment `entry` whose hash has bit `side` at the place of `depth` (or
 * `ANY_SIDE`) into the cleared segment at `unit`. `false` where they do not fit.
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
  const target = windowAt(space.windows, unit);
  const to = wordOf(unit);
  const buckets = CLASS_BUCKETS[entry & CLASS_MASK];
  const shift = 32 - depth;
  for (let number = 0; number < buckets; number++) {
    const bucket = from + number * BUCKET_WORDS;
    let used = i32[bucket + BUCKET.bits] & SLOTS_MASK;
    for (; used !== 0; used &= used - 1) {
      const slot = 31 - Math.clz32(used & -used);
      const word = bucket + BUCKET.slots + slot * 2;
      const hash = i32[word + 1];
      if (side !== ANY_SIDE && ((hash >>> shift) & 1) !== side) continue;
      const print = printOf(i32, bucket, slot);
      if (!place(target, to, classNumber, i32[word], hash, print)) return false;
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
    const copy = to + number * BUCKET_WORDS;
    const bits = i32[bucket + BUCKET.bits];
    let kept = 0;
    for (let word = 0; word < 3; word++) {
      target.store32(copy + BUCKET.prints + word, i32[bucket + BUCKET.prints + word]);
    }
    for (let used = bits & SLOTS_MASK; used !== 0; used &= used - 1) {
      const slot = 31 - Math.clz32(used & -used);
      const word = BUCKET.slots + slot * 2;
      const hash = i32[bucket + word + 1];
      if (((hash >>> (32 - depth)) & 1) !== side) continue;
      target.store32(copy + word, i32[bucket + word]);
      target.store32(copy + word + 1, hash);
      kept |= (1 << slot) | (1 << (slot + GUEST_SHIFT));
      if (number < normal) continue;
      const home = to + homeOf(hash, normal) * BUCKET_WORDS;
      tellHome(target, home, number - normal, printOf(i32, bucket, slot));
    }
    target.store32(copy + BUCKET.bits, bits & kept);
  }
}

export function persistSegment(space: Space, unit: number, classNumber: number): void {
  if (space.flushes) space.region.persist(offsetOf(unit), segmentBytes(classNumber));
}

function place(
  window: RegionWindow,
  segment: number,
  classNumber: number,
  record: number,
  hash: number,
  print: number,
): boolean {
  const { i32 } = window;
  const normal = NORMAL_BUCKETS[classNumber];
  const home = homeOf(hash, normal);
  const first = segment + home * BUCKET_WORDS;
  const second = home + 1 === normal ? segment : first + BUCKET_WORDS;
  const inFirst = freeSlots(i32[first + BUCKET.bits]);
  const inSecond = freeSlots(i32[second + BUCKET.bits]);
  if (inFirst + inSecond > 0) {
    const guest = inFirst < inSecond;
    store(window, guest ? second : first, record, hash, print, guest);
    return true;
  }
  for (let number = 0; number < STASH_BUCKETS[classNumber]; number++) {
    const bucket = segment + (normal + number) * BUCKET_WORDS;
    if (freeSlots(i32[bucket + BUCKET.bits]) === 0) continue;
    store(window, bucket, record, hash, print, false);
    tellHome(window, first, number, print);
    return true;
  }
  return false;
}

function store(
  window: RegionWindow,
  bucket: number,
  record: number,
  hash: number,
  print: number,
  guest: boolean,
): void {
  const { i32 } = window;
  const bits = i32[bucket + BUCKET.bits];
  const slot = firstFree(bits);
  window.store32(bucket + BUCKET.slots + slot * 2, record);
  window.store32(bucket + BUCKET.slots + slot * 2 + 1, hash);
  const prints = bucket + BUCKET.prints + (slot >>> 2);
  const shift = (slot & 3) * 8;
  window.store32(prints, (i32[prints] & ~(0xff << shift)) | (print << shift));
  window.store32(
    bucket + BUCKET.bits,
    bits | (1 << slot) | (guest ? 1 << (slot + GUEST_SHIFT) : 0),
  );
}

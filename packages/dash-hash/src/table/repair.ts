/**
 * Repair after a crash, segment by segment, at the first touch: a table opens at once, whatever its
 * size.
 *
 *     space.crashes grows at an open after a crash
 *     segment.recovered != space.crashes   ─▶  repair, count, store
 *     table.recovered   != space.crashes   ─▶  segments must be looked at (`core.lazy`)
 *
 * What a crash can leave in a segment: odd versions; an entry in two neighbouring buckets (a move was
 * cut off); stash words of home buckets that were never flushed. Changes that cross segments are the
 * intent's (`space/intent.ts`).
 *
 * Invariants
 *  1. A segment is repaired once per crash, and its entries are counted then: the table's counts are
 *     those of its repaired segments, exact when all are.
 *  2. Repair is idempotent, and may be cut off by another crash.
 */
import {
  BUCKET,
  BUCKET_WORDS,
  CLASS_BUCKETS,
  CLASS_MASK,
  NORMAL_BUCKETS,
  SEGMENT,
  SHAPE_DEPTH_MASK,
  SLOTS_MASK,
  TABLE,
} from '../format.js';
import type { TableCore } from './core.js';
import { guestBit, homeOf, printOf, slotBit, tellHome } from './slots.js';

/** Begins to count a table anew, at its first use after a crash. */
export function beginRepair(core: TableCore): void {
  const { crashes } = core.space;
  if (core.headerWord(TABLE.counting) === crashes) return;
  core.setHeaderWord(TABLE.count, 0);
  core.setHeaderWord(TABLE.liveUnits, 0);
  core.setHeaderWord(TABLE.counting, crashes);
}

/** Repairs the segment that `core` has located, unless it was already. */
export function repairSegment(core: TableCore): void {
  const { window, segment, space } = core;
  const meta = firstStash(core);
  if (window.u32[meta + SEGMENT.recovered] === space.crashes) return;
  const classNumber = core.entry & CLASS_MASK;
  const normal = NORMAL_BUCKETS[classNumber];
  const { i32 } = window;
  for (let number = 0; number < CLASS_BUCKETS[classNumber]; number++) {
    const bucket = segment + number * BUCKET_WORDS;
    const version = i32[bucket + BUCKET.version];
    if ((version & 1) !== 0) window.commit32(bucket + BUCKET.version, version + 1);
    if (number >= normal) continue;
    window.store32(bucket + BUCKET.stashPrints, 0);
    window.store32(bucket + BUCKET.stash, 0);
    if (normal > 1) removeTwins(core, bucket, segment + ((number + 1) % normal) * BUCKET_WORDS);
  }
  tellStash(core, normal, CLASS_BUCKETS[classNumber]);
  countEntries(core, CLASS_BUCKETS[classNumber]);
  window.store32(meta + SEGMENT.recovered, space.crashes);
}

/**
 * Repairs up to `segmentsMax` segments from `index` of the directory on; the next index, or -1 when
 * the table is done.
 */
export function repairFrom(core: TableCore, from: number, segmentsMax: number): number {
  if (!core.lazy) return -1;
  const entries = 2 ** core.depth;
  let index = from;
  for (let done = 0; index < entries; done++) {
    if (done === segmentsMax) return index;
    core.locateEntry(index);
    index = segmentEnd(core, index);
  }
  const { space } = core;
  core.setHeaderWord(TABLE.recovered, space.crashes);
  if (space.flushes) space.region.persist(core.unit * 8, 64);
  core.lazy = false;
  return -1;
}

/** The first directory entry behind those of the segment that `core` has located. */
export function segmentEnd(core: TableCore, index: number): number {
  const span = 2 ** (core.depth - segmentDepth(core));
  return (Math.floor(index / span) + 1) * span;
}

export function segmentDepth(core: TableCore): number {
  return core.window.i32[firstStash(core) + SEGMENT.shape] & SHAPE_DEPTH_MASK;
}

/** Word of the bucket whose header describes the segment. */
export function firstStash(core: TableCore): number {
  return core.segment + NORMAL_BUCKETS[core.entry & CLASS_MASK] * BUCKET_WORDS;
}

/** Removes from `next` what is in `bucket` as well. */
function removeTwins(core: TableCore, bucket: number, next: number): void {
  const { window } = core;
  const { i32 } = window;
  const used = i32[bucket + BUCKET.bits] & SLOTS_MASK;
  for (let slot = 0; used >>> slot !== 0; slot++) {
    if (((used >>> slot) & 1) === 0) continue;
    const record = i32[bucket + BUCKET.slots + slot * 2];
    const bits = i32[next + BUCKET.bits];
    for (let other = 0; (bits & SLOTS_MASK) >>> other !== 0; other++) {
      if (((bits >>> other) & 1) === 0 || i32[next + BUCKET.slots + other * 2] !== record) continue;
      window.commit32(next + BUCKET.bits, bits & ~(slotBit(other) | guestBit(other)));
      if (core.space.flushes) {
        core.space.region.persist(core.offsetOfWord(next + BUCKET.bits), 4);
      }
      break;
    }
  }
}

function tellStash(core: TableCore, normal: number, buckets: number): void {
  const { i32 } = core.window;
  for (let number = normal; number < buckets; number++) {
    const bucket = core.segment + number * BUCKET_WORDS;
    const used = i32[bucket + BUCKET.bits] & SLOTS_MASK;
    for (let slot = 0; used >>> slot !== 0; slot++) {
      if (((used >>> slot) & 1) === 0) continue;
      const home = homeOf(i32[bucket + BUCKET.slots + slot * 2 + 1], normal);
      const print = printOf(i32, bucket, slot);
      tellHome(core.window, core.segment + home * BUCKET_WORDS, number - normal, print);
    }
  }
}

function countEntries(core: TableCore, buckets: number): void {
  const { i32 } = core.window;
  let count = 0;
  let units = 0;
  for (let number = 0; number < buckets; number++) {
    const bucket = core.segment + number * BUCKET_WORDS;
    let used = i32[bucket + BUCKET.bits] & SLOTS_MASK;
    for (; used !== 0; used &= used - 1) {
      const slot = 31 - Math.clz32(used & -used);
      units += core.space.log.wholeUnits(i32[bucket + BUCKET.slots + slot * 2]);
      count++;
    }
  }
  core.setHeaderWord(TABLE.count, core.headerWord(TABLE.count) + count);
  core.setHeaderWord(TABLE.liveUnits, core.headerWord(TABLE.liveUnits) + units);
}

/**
 * Scanning in the order of hashes: what a cursor means survives everything that moves entries.
 *
 *     cursor   0 ............ c ............. 2^32        a place in the space of hashes
 *     visited [all entries with hash < c]                 however they are stored by then
 *
 * A call visits the entries of a stretch of hashes that should hold about `count`, then names its end.
 * Splits, growth, displacement and the stash do not change hashes: an entry that is there from the
 * first call to the last is visited, and once, unless it is removed and set again.
 *
 * Cost: a look at each slot of the segments touched; about 2 us a call for small counts.
 */
import { BUCKET, BUCKET_WORDS, CLASS_BUCKETS, CLASS_MASK, SLOTS_MASK } from '../format.js';
import type { TableCore } from './core.js';
import { segmentDepth } from './repair.js';
import { freeSlots } from './slots.js';

/** Where a cursor ends, and what it counts. */
export const HASHES = 2 ** 32;

/** Receives the address of a record, and the hash of its key from 0 to 2^32 - 1. */
export type RecordVisitor = (record: number, hash: number) => void;

/** Visits about `count` entries from `cursor` on; the next cursor, 0 at the end. */
export function scanTable(
  core: TableCore,
  cursor: number,
  count: number,
  visit: RecordVisitor,
): number {
  let at = cursor;
  for (let visited = 0; visited < count && at < HASHES; ) {
    const scale = HASHES / 2 ** core.depth;
    core.locateEntry(Math.floor(at / scale));
    const span = HASHES / 2 ** segmentDepth(core);
    const begin = Math.floor(at / span) * span;
    const entries = countSegment(core);
    const wanted = Math.ceil((span * (count - visited)) / Math.max(1, entries));
    const end = Math.min(begin + span, at + Math.max(1, wanted));
    visited += visitBetween(core, at, end, visit);
    at = end;
  }
  return at >= HASHES ? 0 : at;
}

/** Entries of the located segment. */
export function countSegment(core: TableCore): number {
  const { i32 } = core.window;
  const buckets = CLASS_BUCKETS[core.entry & CLASS_MASK];
  let free = 0;
  for (let number = 0; number < buckets; number++) {
    free += freeSlots(i32[core.segment + number * BUCKET_WORDS + BUCKET.bits]);
  }
  return buckets * 12 - free;
}

/** Visits the entries of the located segment with hashes in `[from, to)`. */
function visitBetween(core: TableCore, from: number, to: number, visit: RecordVisitor): number {
  const { window, segment } = core;
  const { i32, u32 } = window;
  const buckets = CLASS_BUCKETS[core.entry & CLASS_MASK];
  let visited = 0;
  for (let number = 0; number < buckets; number++) {
    const bucket = segment + number * BUCKET_WORDS;
    let used = i32[bucket + BUCKET.bits] & SLOTS_MASK;
    for (; used !== 0; used &= used - 1) {
      const word = bucket + BUCKET.slots + (31 - Math.clz32(used & -used)) * 2;
      const hash = u32[word + 1];
      if (hash < from || hash >= to) continue;
      visit(u32[word], hash);
      visited++;
    }
  }
  return visited;
}

/** Visits the entries of one hash. */
export function scanHash(core: TableCore, hash: number, visit: RecordVisitor): void {
  core.locate(hash | 0);
  visitBetween(core, hash, hash + 1, visit);
}

/** The record that `random`, from 0 to below 1, falls on; 0 where there is none. */
export function sampleTable(core: TableCore, random: number): number {
  const entries = 2 ** core.depth;
  const begin = Math.floor(random * entries);
  // Random enough within the segment: the part of the number that did not choose it.
  const part = random * entries - begin;
  for (let tried = 0; tried < entries; tried++) {
    core.locateEntry((begin + tried) % entries);
    const found = pick(core, part);
    if (found !== 0) return found;
  }
  return 0;
}

/** The used slot of the located segment that `part`, from 0 to below 1, falls on. */
function pick(core: TableCore, part: number): number {
  const { i32 } = core.window;
  let left = Math.floor(part * countSegment(core));
  for (let bucket = core.segment; ; bucket += BUCKET_WORDS) {
    if (bucket === core.segment + CLASS_BUCKETS[core.entry & CLASS_MASK] * BUCKET_WORDS) return 0;
    let used = i32[bucket + BUCKET.bits] & SLOTS_MASK;
    for (; used !== 0; used &= used - 1) {
      if (left-- > 0) continue;
      return i32[bucket + BUCKET.slots + (31 - Math.clz32(used & -used)) * 2];
    }
  }
}

/**
 * Changing slots: where a new entry goes, and the stores that put it there. Hot.
 *
 *     room      the emptier of home and next ─▶ displace one ─▶ stash ─▶ none: the segment must grow
 *
 * Invariants
 *  1. What a bucket's `bits` word makes visible is durable before it: the record, the slot's words,
 *     its print.
 *  2. An entry that moves is in both places before it is in one; both buckets' versions are odd
 *     meanwhile, and higher by two afterwards.
 *  3. A bucket that an image has not passed is handed to it before it changes.
 *  4. Where no other thread reads and nothing survives the process, order does not matter: plain stores
 *     do, which need not wait for the record to reach memory (measured: a tenth of a `put`).
 *  5. What a home bucket tells of the stash is not flushed: repair after a crash rebuilds it.
 */
import type { RegionWindow } from '@nendb/pmem';
import {
  BUCKET,
  BUCKET_SLOTS,
  BUCKET_WORDS,
  CLASS_MASK,
  GUEST_SHIFT,
  HOME_BITS,
  HOME_MASK,
  NORMAL_BUCKETS,
  SLOTS_MASK,
  STASH,
  STASH_BUCKETS,
} from '../format.js';
import type { TableCore } from './core.js';

/** Free slots by the low twelve bits of `bits`. */
const FREE_SLOTS = Uint8Array.from({ length: SLOTS_MASK + 1 }, (_, bits) => {
  let free = 0;
  for (let slot = 0; slot < BUCKET_SLOTS; slot++) free += ((bits >>> slot) & 1) ^ 1;
  return free;
});

/** Slots of a bucket in its first cache line. */
const FIRST_LINE_SLOTS = 4;

export function freeSlots(bits: number): number {
  return FREE_SLOTS[bits & SLOTS_MASK];
}

/** The lowest free slot; there is one. */
export function firstFree(bits: number): number {
  const free = ~bits & SLOTS_MASK;
  return 31 - Math.clz32(free & -free);
}

/** Home bucket of a hash in a segment of so many normal buckets. */
export function homeOf(hash: number, normal: number): number {
  return ((hash & HOME_MASK) * normal) >>> HOME_BITS;
}

/**
 * Finds a free slot for the key searched last, displacing an entry if that makes one: sets `bucket`
 * and `slot`. `false` where the segment must grow.
 */
export function makeRoom(core: TableCore): boolean {
  const { i32 } = core.window;
  const { segment } = core;
  const normal = NORMAL_BUCKETS[core.entry & CLASS_MASK];
  const home = homeOf(core.hash, normal);
  const first = segment + home * BUCKET_WORDS;
  const second = home + 1 === normal ? segment : first + BUCKET_WORDS;
  const firstFreeCount = freeSlots(i32[first + BUCKET.bits]);
  const secondFreeCount = freeSlots(i32[second + BUCKET.bits]);
  if (firstFreeCount + secondFreeCount > 0) {
    core.bucket = firstFreeCount >= secondFreeCount ? first : second;
    core.slot = firstFree(i32[core.bucket + BUCKET.bits]);
    return true;
  }
  return displace(core, first, second, home, normal) || findStash(core, normal);
}

/** Puts `record`, of the key searched last, into the slot that `makeRoom` found. */
export function fillSlot(core: TableCore, record: number): void {
  const { window, segment, bucket, hash } = core;
  if (core.space.imaging !== undefined) core.space.imaging.pass(core, bucket);
  const normal = NORMAL_BUCKETS[core.entry & CLASS_MASK];
  const home = segment + homeOf(hash, normal) * BUCKET_WORDS;
  const stashed = bucket >= segment + normal * BUCKET_WORDS;
  const guest = !stashed && bucket !== home;
  storeSlot(core, bucket, core.slot, record, hash, core.print, guest);
  if (stashed) tellHome(window, home, (bucket - segment) / BUCKET_WORDS - normal, core.print);
}

/** Points the slot found last at another record of the same key. */
export function replaceSlot(core: TableCore, record: number): void {
  const { space, window, bucket } = core;
  if (space.imaging !== undefined) space.imaging.pass(core, bucket);
  const word = bucket + BUCKET.slots + core.slot * 2;
  if (space.watched) window.commit32(word, record);
  else window.store32(word, record);
  if (space.flushes) space.region.persist(core.offsetOfWord(word), 4);
}

/** Empties the slot found last. */
export function clearSlot(core: TableCore): void {
  const { space, window, segment, bucket, slot } = core;
  const { i32 } = window;
  if (space.imaging !== undefined) space.imaging.pass(core, bucket);
  const bits = i32[bucket + BUCKET.bits];
  const hash = i32[bucket + BUCKET.slots + slot * 2 + 1];
  window.commit32(bucket + BUCKET.bits, bits & ~(slotBit(slot) | guestBit(slot)));
  if (space.flushes) space.region.persist(core.offsetOfWord(bucket + BUCKET.bits), 4);
  const normal = NORMAL_BUCKETS[core.entry & CLASS_MASK];
  const number = (bucket - segment) / BUCKET_WORDS;
  if (number < normal) return;
  const home = segment + homeOf(hash, normal) * BUCKET_WORDS;
  forgetStashed(core, home, number - normal, printOf(i32, bucket, slot));
}

/** The print of a slot. */
export function printOf(i32: Int32Array, bucket: number, slot: number): number {
  return (i32[bucket + BUCKET.prints + (slot >>> 2)] >>> ((slot & 3) * 8)) & 0xff;
}

export function slotBit(slot: number): number {
  return 1 << slot;
}

export function guestBit(slot: number): number {
  return 1 << (slot + GUEST_SHIFT);
}

/** Says in a home bucket that an entry of it is in stash bucket `number`. */
export function tellHome(window: RegionWindow, home: number, number: number, print: number): void {
  const told = window.i32[home + BUCKET.stash];
  const used = told & STASH.usedMask;
  if (used === STASH.usedMask) {
    window.commit32(home + BUCKET.stash, told + (1 << STASH.uncountedShift));
    return;
  }
  const free = 31 - Math.clz32(~used & -~used);
  const prints = window.i32[home + BUCKET.stashPrints] & ~(0xff << (free * 8));
  window.store32(home + BUCKET.stashPrints, prints | (print << (free * 8)));
  const shift = STASH.bucketShift + free * 2;
  window.commit32(home + BUCKET.stash, (told & ~(3 << shift)) | (number << shift) | (1 << free));
}

function forgetStashed(core: TableCore, home: number, number: number, print: number): void {
  const { window } = core;
  const told = window.i32[home + BUCKET.stash];
  const prints = window.i32[home + BUCKET.stashPrints];
  for (let i = 0; i < STASH.prints; i++) {
    if (((told >>> i) & 1) === 0 || ((prints >>> (i * 8)) & 0xff) !== print) continue;
    if (((told >>> (STASH.bucketShift + i * 2)) & 3) !== number) continue;
    window.commit32(home + BUCKET.stash, told & ~(1 << i));
    return;
  }
  window.commit32(home + BUCKET.stash, told - (1 << STASH.uncountedShift));
}

function storeSlot(
  core: TableCore,
  bucket: number,
  slot: number,
  record: number,
  hash: number,
  print: number,
  guest: boolean,
): void {
  const { space, window } = core;
  const { i32 } = window;
  const word = bucket + BUCKET.slots + slot * 2;
  window.store32(word, record);
  window.store32(word + 1, hash);
  if (space.flushes && slot >= FIRST_LINE_SLOTS) {
    space.region.persist(core.offsetOfWord(word), 8);
  }
  const printWord = bucket + BUCKET.prints + (slot >>> 2);
  const shift = (slot & 3) * 8;
  window.store32(printWord, (i32[printWord] & ~(0xff << shift)) | (print << shift));
  let bits = i32[bucket + BUCKET.bits] | slotBit(slot);
  if (guest) bits |= guestBit(slot);
  if (space.watched) window.commit32(bucket + BUCKET.bits, bits);
  else window.store32(bucket + BUCKET.bits, bits);
  if (space.flushes) space.region.persist(core.offsetOfWord(bucket), 64);
}

/** Moves an entry out of one of two full buckets, to where it may be as well. */
function displace(
  core: TableCore,
  first: number,
  second: number,
  home: number,
  normal: number,
): boolean {
  const { segment } = core;
  const { i32 } = core.window;
  const third = segment + ((home + 2) % normal) * BUCKET_WORDS;
  if (third !== first && freeSlots(i32[third + BUCKET.bits]) > 0) {
    const own =
      i32[second + BUCKET.bits] & SLOTS_MASK & ~(i32[second + BUCKET.bits] >>> GUEST_SHIFT);
    if (own !== 0) return move(core, second, third, own, true);
  }
  const before = segment + ((home + normal - 1) % normal) * BUCKET_WORDS;
  if (before !== second && freeSlots(i32[before + BUCKET.bits]) > 0) {
    const guests = (i32[first + BUCKET.bits] >>> GUEST_SHIFT) & SLOTS_MASK;
    if (guests !== 0) return move(core, first, before, guests, false);
  }
  return false;
}

/** Moves one of the entries `movable` of `from` to `to`; its slot is the room. */
function move(core: TableCore, from: number, to: number, movable: number, guest: boolean): true {
  const { space, window } = core;
  const { i32 } = window;
  if (space.imaging !== undefined) {
    space.imaging.pass(core, from);
    space.imaging.pass(core, to);
  }
  const slot = 31 - Math.clz32(movable & -movable);
  const word = from + BUCKET.slots + slot * 2;
  window.commit32(from + BUCKET.version, i32[from + BUCKET.version] + 1);
  window.commit32(to + BUCKET.version, i32[to + BUCKET.version] + 1);
  const free = firstFree(i32[to + BUCKET.bits]);
  storeSlot(core, to, free, i32[word], i32[word + 1], printOf(i32, from, slot), guest);
  const bits = i32[from + BUCKET.bits] & ~(slotBit(slot) | guestBit(slot));
  window.commit32(from + BUCKET.bits, bits);
  if (space.flushes) space.region.persist(core.offsetOfWord(from + BUCKET.bits), 4);
  window.commit32(to + BUCKET.version, i32[to + BUCKET.version] + 1);
  window.commit32(from + BUCKET.version, i32[from + BUCKET.version] + 1);
  core.bucket = from;
  core.slot = slot;
  return true;
}

function findStash(core: TableCore, normal: number): boolean {
  const { i32 } = core.window;
  const count = STASH_BUCKETS[core.entry & CLASS_MASK];
  for (let number = 0; number < count; number++) {
    const bucket = core.segment + (normal + number) * BUCKET_WORDS;
    const bits = i32[bucket + BUCKET.bits];
    if (freeSlots(bits) === 0) continue;
    core.bucket = bucket;
    core.slot = firstFree(bits);
    return true;
  }
  return false;
}

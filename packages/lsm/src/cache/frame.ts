/**
 * A block of entries in memory, decoded once: what a point read searches and a cursor walks.
 *
 *     bytes   | payload as stored, plain | pad | slots, 16 bytes each, and one more | keys, whole, one behind the other |
 *     slot    0 key bytes 0-3 behind the common prefix | 4 key bytes 4-7 | 8 key from | 12 entry from
 *
 * Hot. A binary search compares pairs of 32-bit words that lie side by side; bytes are looked at only
 * where pairs are equal. Values stay where they are in the payload; flags, sequence and lengths are read
 * when an entry is shown.
 *
 * Invariants
 *  1. `common` bytes begin every key of the block; the pair holds the eight behind them, big-endian,
 *     zero where a key ends.
 *  2. Key i ends where key i + 1 begins; the slot behind the last names the end of the keys.
 *  3. While `pins` is above zero nobody reuses the frame. A frame that nobody pins may be reused at
 *     the next read of any block.
 */
import type { Entry, EntryKind } from '../entry.js';
import { commonPrefix, compareBytes, word } from '../order.js';
import {
  ENTRIES_TRAILER_BYTES,
  ENTRY_EXPIRES,
  ENTRY_KIND_MASK,
  RESTART_BYTES,
} from '../table/format.js';
import type { BlockSlots } from './block-slots.js';

const SLOT_WORDS = 4;
const SLOT_KEY = 2;
const SLOT_ENTRY = 3;

export class Frame {
  readonly bytes: Uint8Array;
  readonly #words: Uint32Array;
  /** Entries in it. */
  count = 0;
  pins = 0;
  /** Index of the first slot's first word. */
  #slots = 0;
  #common = 0;
  /** Where the cache keeps it; see `BlockCache`. */
  slots: BlockSlots | undefined;
  ordinal = 0;
  uses = 0;
  inMain = false;
  before: Frame | undefined;
  behind: Frame | undefined;

  /** `capacity` is a multiple of 4, in bytes; `counted`: on the account of a cache. */
  constructor(
    capacity: number,
    readonly counted: boolean,
  ) {
    this.bytes = new Uint8Array(capacity);
    this.#words = new Uint32Array(this.bytes.buffer);
  }

  get capacity(): number {
    return this.bytes.length;
  }

  /** What a frame must hold for this payload, in bytes; 0 where the payload is none. */
  static bytesFor(payload: Uint8Array): number {
    const length = payload.length;
    if (length < ENTRIES_TRAILER_BYTES) return 0;
    const at = length - ENTRIES_TRAILER_BYTES;
    const count = u32(payload, at);
    const keyBytes = u32(payload, at + 4);
    const restarts = u32(payload, at + 8);
    // An entry takes four bytes at least, and its key takes them of the payload or of one before.
    if (count === 0 || count * 4 > at || restarts * RESTART_BYTES > at) return 0;
    return ((length + 3) & ~3) + (count + 1) * SLOT_WORDS * 4 + ((keyBytes + 3) & ~3);
  }

  /**
   * Takes a payload in; `bytesFor` has said that it fits. Returns a problem in words, or `undefined`.
   * A checked block has none: this is against writers that are wrong, not against disks.
   */
  fill(payload: Uint8Array): string | undefined {
    const { bytes } = this;
    const words = this.#words;
    const length = payload.length;
    bytes.set(payload, 0);
    const trailer = length - ENTRIES_TRAILER_BYTES;
    const count = u32(bytes, trailer);
    const keysEnd = u32(bytes, trailer + 4);
    const end = trailer - u32(bytes, trailer + 8) * RESTART_BYTES;
    const slots = (length + 3) >>> 2;
    const keys = (slots + (count + 1) * SLOT_WORDS) << 2;
    this.count = 0;
    this.#slots = slots;
    let at = 0;
    let keyAt = keys;
    let keyBefore = keys;
    let lengthBefore = 0;
    for (let i = 0, slot = slots; i < count; i++, slot += SLOT_WORDS) {
      // Most lengths are below 128 and take one byte.
      let shared = bytes[at++];
      if (shared >= 0x80) {
        shared = readVarint(bytes, at - 1);
        at = readEnd;
      }
      let rest = bytes[at++];
      if (rest >= 0x80) {
        rest = readVarint(bytes, at - 1);
        at = readEnd;
      }
      if (shared > lengthBefore || keyAt + shared + rest > keys + keysEnd || at + rest > end) {
        return `entry ${i} of ${count} reaches out of its block`;
      }
      const keyFrom = keyAt;
      for (let j = 0; j < shared; j++) bytes[keyAt++] = bytes[keyBefore + j];
      for (let j = 0; j < rest; j++) bytes[keyAt++] = bytes[at++];
      words[slot + SLOT_KEY] = keyFrom;
      words[slot + SLOT_ENTRY] = at;
      const flags = bytes[at++];
      while (bytes[at++] >= 0x80);
      let valueBytes = bytes[at++];
      if (valueBytes >= 0x80) {
        valueBytes = readVarint(bytes, at - 1);
        at = readEnd;
      }
      if ((flags & ENTRY_EXPIRES) !== 0) while (bytes[at++] >= 0x80);
      at += valueBytes;
      if (at > end) return `the value of entry ${i} of ${count} reaches out of its block`;
      keyBefore = keyFrom;
      lengthBefore = shared + rest;
    }
    if (at !== end || keyAt !== keys + keysEnd) return 'the entries do not fill the block';
    words[slots + count * SLOT_WORDS + SLOT_KEY] = keyAt;
    this.count = count;
    this.#pair(keys, keyBefore, lengthBefore);
    return undefined;
  }

  keyFrom(i: number): number {
    return this.#words[this.#slots + i * SLOT_WORDS + SLOT_KEY];
  }

  keyTo(i: number): number {
    return this.#words[this.#slots + (i + 1) * SLOT_WORDS + SLOT_KEY];
  }

  /** The first entry at or behind (key, sequence); `count` where there is none. */
  search(key: Uint8Array, from: number, to: number, sequence: number): number {
    const words = this.#words;
    const slots = this.#slots;
    const count = this.count;
    const common = this.#common;
    const first = words[slots + SLOT_KEY];
    const shared = Math.min(to - from, common);
    for (let i = 0; i < shared; i++) {
      const difference = key[from + i] - this.bytes[first + i];
      if (difference !== 0) return difference < 0 ? 0 : count;
    }
    if (shared < common) return 0;
    const high = word(key, from + common, to);
    const low = word(key, from + common + 4, to);
    let below = 0;
    let above = count;
    while (below < above) {
      const middle = (below + above) >>> 1;
      const slot = slots + middle * SLOT_WORDS;
      const slotHigh = words[slot];
      if (slotHigh < high) below = middle + 1;
      else if (slotHigh > high) above = middle;
      else {
        const slotLow = words[slot + 1];
        if (slotLow < low) below = middle + 1;
        else if (slotLow > low) above = middle;
        else if (this.#isBefore(middle, key, from, to, sequence)) below = middle + 1;
        else above = middle;
      }
    }
    return below;
  }

  /** Whether entry i has this key. */
  hasKey(i: number, key: Uint8Array, from: number, to: number): boolean {
    const at = this.keyFrom(i);
    if (this.keyTo(i) - at !== to - from) return false;
    const { bytes } = this;
    for (let j = to - from - 1; j >= 0; j--) if (bytes[at + j] !== key[from + j]) return false;
    return true;
  }

  sequence(i: number): number {
    return readVarint(this.bytes, this.#words[this.#slots + i * SLOT_WORDS + SLOT_ENTRY] + 1);
  }

  /** Fills `into` with entry i, borrowed. */
  show(i: number, into: Entry): void {
    const { bytes } = this;
    const words = this.#words;
    const slot = this.#slots + i * SLOT_WORDS;
    let at = words[slot + SLOT_ENTRY];
    const keyFrom = words[slot + SLOT_KEY];
    const keyTo = words[slot + SLOT_WORDS + SLOT_KEY];
    const flags = bytes[at++];
    into.kind = (flags & ENTRY_KIND_MASK) as EntryKind;
    into.keyBytes = bytes;
    into.keyFrom = keyFrom;
    into.keyTo = keyTo;
    into.sequence = readVarint(bytes, at);
    const valueBytes = readVarint(bytes, readEnd);
    if ((flags & ENTRY_EXPIRES) === 0) into.expireAtMs = 0;
    else into.expireAtMs = readVarint(bytes, readEnd);
    into.valueBytes = bytes;
    into.valueFrom = readEnd;
    into.valueTo = readEnd + valueBytes;
  }

  /** Sets `common` and the pairs: what the first and the last key share, all share. */
  #pair(keys: number, lastKey: number, lastLength: number): void {
    const { bytes, count } = this;
    const words = this.#words;
    const slots = this.#slots;
    const common = commonPrefix(bytes, keys, this.keyTo(0), bytes, lastKey, lastKey + lastLength);
    this.#common = common;
    for (let i = 0, slot = slots; i < count; i++, slot += SLOT_WORDS) {
      const from = words[slot + SLOT_KEY] + common;
      const to = words[slot + SLOT_WORDS + SLOT_KEY];
      words[slot] = word(bytes, from, to);
      words[slot + 1] = word(bytes, from + 4, to);
    }
  }

  /** Whether entry i, whose pair is that of the key looked for, is before (key, sequence). */
  #isBefore(i: number, key: Uint8Array, from: number, to: number, sequence: number): boolean {
    const { bytes } = this;
    const slot = this.#slots + i * SLOT_WORDS;
    const words = this.#words;
    const keyFrom = words[slot + SLOT_KEY];
    const keyTo = words[slot + SLOT_WORDS + SLOT_KEY];
    const same = this.#common + 8;
    let order = keyTo - keyFrom - (to - from);
    if (keyTo - keyFrom > same && to - from > same) {
      order = compareBytes(bytes, keyFrom + same, keyTo, key, from + same, to);
    }
    if (order !== 0) return order < 0;
    return readVarint(bytes, words[slot + SLOT_ENTRY] + 1) > sequence;
  }
}

/** Where the varint that was read last ended: a second result without an object. */
let readEnd = 0;

function readVarint(bytes: Uint8Array, from: number): number {
  let at = from;
  let byte = bytes[at++];
  let value = byte & 0x7f;
  if (byte >= 0x80) {
    byte = bytes[at++];
    value |= (byte & 0x7f) << 7;
    if (byte >= 0x80) {
      byte = bytes[at++];
      value |= (byte & 0x7f) << 14;
      if (byte >= 0x80) {
        byte = bytes[at++];
        value |= (byte & 0x7f) << 21;
        for (let scale = 0x10000000; byte >= 0x80; scale *= 0x80) {
          byte = bytes[at++];
          value += (byte & 0x7f) * scale;
        }
      }
    }
  }
  readEnd = at;
  return value;
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

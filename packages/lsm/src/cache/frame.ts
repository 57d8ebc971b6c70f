/**
 * A block of entries in memory: first as it is stored, then, at its second use, decoded once: what a point
 * read searches and a cursor walks.
 *
 *     bytes   | payload as stored, plain | pad | common prefix, padded | high words | low words | places | keys |
 *     place   0 key from u32 | 4 entry from u32          one for each entry, and one more
 *
 * Hot. What a search costs is cache misses, so what it looks at lies together: the common prefix, then a
 * column with four bytes of each key, behind which a second four bytes decide where the first are equal.
 * Bytes of keys are looked at only where all eight are. Values stay where they are in the payload; flags,
 * sequence and lengths are read when an entry is shown.
 *
 * Invariants
 *  1. `common` bytes begin every key of the block; the words hold the eight behind them, big-endian, zero
 *     where a key ends.
 *  2. Key i ends where key i + 1 begins; the place behind the last names the end of the keys.
 *  3. While `pins` is above zero nobody reuses the frame. A frame that nobody pins may be reused at
 *     the next read of any block.
 */
import type { Entry, EntryKind } from '../entry.js';
import { KEY_BYTES_MAX } from '../limits.js';
import { commonPrefix, compareBytes, word } from '../order.js';
import {
  ENTRIES_TRAILER_BYTES,
  ENTRY_EXPIRES,
  ENTRY_KIND_MASK,
  RESTART_BYTES,
} from '../table/format.js';
import type { BlockSlots } from './block-slots.js';
import { findStored, readEnd, readVarint, type StoredSearch, u32 } from './stored-search.js';

/** High word, low word, key from, entry from. */
const WORDS_AN_ENTRY = 4;
/** A common prefix longer than this is compared no further: pairs decide less, keys more. */
const COMMON_BYTES_MAX = 255;

export class Frame {
  readonly bytes: Uint8Array;
  readonly #words: Uint32Array;
  /** Entries in it, once it is decoded. */
  count = 0;
  isDecoded = false;
  /** Where its block was read, in bytes from the start of the file. */
  offset = 0;
  pins = 0;
  /** Of the payload, in bytes. */
  #length = 0;
  #common = 0;
  /** Where the common prefix is, in bytes; where the columns are, in words. */
  #prefix = 0;
  #high = 0;
  #places = 0;
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
    // An entry takes four bytes at least: nothing is allocated for what cannot be there.
    if (count === 0 || count * 4 > at || restarts * RESTART_BYTES > at) return 0;
    if (keyBytes > count * KEY_BYTES_MAX) return 0;
    const columns = (count * WORDS_AN_ENTRY + 2) * 4;
    return ((length + 3) & ~3) + roomForPrefix(payload) + columns + ((keyBytes + 3) & ~3);
  }

  /** Takes a payload in, as it is stored; `bytesFor` has said that it fits. `offset`: where it was read. */
  hold(payload: Uint8Array, offset: number): void {
    this.bytes.set(payload, 0);
    this.offset = offset;
    this.count = 0;
    this.isDecoded = false;
    this.#length = payload.length;
  }

  /**
   * Lays out what a search looks at. Returns a problem in words, or `undefined`. A checked block has none:
   * this is against writers that are wrong, not against disks.
   */
  decode(): string | undefined {
    const { bytes } = this;
    const words = this.#words;
    const length = this.#length;
    const trailer = length - ENTRIES_TRAILER_BYTES;
    const count = u32(bytes, trailer);
    const keysEnd = u32(bytes, trailer + 4);
    const end = trailer - u32(bytes, trailer + 8) * RESTART_BYTES;
    // How long the common prefix is turns out last; it is not longer than the first key.
    const high = (((length + 3) & ~3) + roomForPrefix(bytes)) >>> 2;
    const places = high + 2 * count;
    const keys = (places + 2 * count + 2) << 2;
    this.count = 0;
    this.#high = high;
    this.#places = places;
    let at = 0;
    let keyAt = keys;
    let keyBefore = keys;
    let lengthBefore = 0;
    for (let i = 0, place = places; i < count; i++, place += 2) {
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
      words[place] = keyFrom;
      words[place + 1] = at;
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
    words[places + 2 * count] = keyAt;
    this.count = count;
    this.isDecoded = true;
    this.#fillColumns(keys, keyBefore, lengthBefore);
    return undefined;
  }

  keyTo(i: number): number {
    return this.#words[this.#places + 2 * i + 2];
  }

  /** `findStored` of the payload that it holds, decoded or not. */
  findStored(
    key: Uint8Array,
    from: number,
    to: number,
    sequence: number,
    into: Entry,
  ): StoredSearch {
    return findStored(this.bytes, this.#length, key, from, to, sequence, into);
  }

  /** The first entry at or behind (key, sequence); `count` where there is none. */
  search(key: Uint8Array, from: number, to: number, sequence: number): number {
    const common = this.#common;
    const { bytes, count } = this;
    const prefix = this.#prefix;
    const shared = Math.min(to - from, common);
    for (let i = 0; i < shared; i++) {
      const difference = key[from + i] - bytes[prefix + i];
      if (difference !== 0) return difference < 0 ? 0 : count;
    }
    if (shared < common) return 0;
    const words = this.#words;
    const column = this.#high;
    const high = word(key, from + common, to);
    let below = 0;
    let above = count;
    while (below < above) {
      const middle = (below + above) >>> 1;
      const found = words[column + middle];
      if (found < high) below = middle + 1;
      else if (found > high) above = middle;
      else return this.#searchAround(middle, below, above, key, from, to, sequence);
    }
    return below;
  }

  /** Whether entry i, which `search` of the key has returned, has that key. */
  hasKey(i: number, key: Uint8Array, from: number, to: number): boolean {
    const words = this.#words;
    const place = this.#places + 2 * i;
    const keyFrom = words[place];
    const length = words[place + 2] - keyFrom;
    const common = this.#common;
    if (
      length !== to - from ||
      words[this.#high + i] !== word(key, from + common, to) ||
      words[this.#high + this.count + i] !== word(key, from + common + 4, to)
    ) {
      return false;
    }
    const { bytes } = this;
    // A key before the common prefix is led to entry 0 as well; to the others, none without the prefix.
    for (let j = i === 0 ? 0 : common + 8; j < length; j++) {
      if (bytes[keyFrom + j] !== key[from + j]) return false;
    }
    return true;
  }

  /** Fills `into` with entry i, borrowed. */
  show(i: number, into: Entry): void {
    const { bytes } = this;
    const words = this.#words;
    const place = this.#places + 2 * i;
    into.keyBytes = bytes;
    into.keyFrom = words[place];
    into.keyTo = words[place + 2];
    const at = words[place + 1];
    const flags = bytes[at];
    into.kind = (flags & ENTRY_KIND_MASK) as EntryKind;
    into.sequence = readVarint(bytes, at + 1);
    const valueBytes = readVarint(bytes, readEnd);
    if ((flags & ENTRY_EXPIRES) === 0) into.expireAtMs = 0;
    else into.expireAtMs = readVarint(bytes, readEnd);
    into.valueBytes = bytes;
    into.valueFrom = readEnd;
    into.valueTo = readEnd + valueBytes;
  }

  /** Goes on with a search that has met its high word. */
  #searchAround(
    met: number,
    from: number,
    to: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    sequence: number,
  ): number {
    const words = this.#words;
    const high = words[this.#high + met];
    const lows = this.#high + this.count;
    const low = word(key, keyFrom + this.#common + 4, keyTo);
    let below = from;
    let above = to;
    let middle = met;
    for (;;) {
      const found = words[this.#high + middle];
      if (found < high) below = middle + 1;
      else if (found > high) above = middle;
      else {
        const foundLow = words[lows + middle];
        if (foundLow < low) below = middle + 1;
        else if (foundLow > low) above = middle;
        else if (this.#isBefore(middle, key, keyFrom, keyTo, sequence)) below = middle + 1;
        else above = middle;
      }
      if (below >= above) return below;
      middle = (below + above) >>> 1;
    }
  }

  /** Sets prefix and words: what the first and the last key share, all share. */
  #fillColumns(keys: number, lastKey: number, lastLength: number): void {
    const { bytes, count } = this;
    const words = this.#words;
    const shared = commonPrefix(bytes, keys, this.keyTo(0), bytes, lastKey, lastKey + lastLength);
    const common = Math.min(shared, COMMON_BYTES_MAX);
    this.#common = common;
    // Right before the high words: one cache line holds the prefix and the first of them.
    this.#prefix = (this.#high << 2) - common;
    bytes.copyWithin(this.#prefix, keys, keys + common);
    for (let i = 0, place = this.#places; i < count; i++, place += 2) {
      const from = words[place] + common;
      const to = words[place + 2];
      words[this.#high + i] = word(bytes, from, to);
      words[this.#high + count + i] = word(bytes, from + 4, to);
    }
  }

  /** Whether entry i, whose words are those of the key looked for, is before (key, sequence). */
  #isBefore(i: number, key: Uint8Array, from: number, to: number, sequence: number): boolean {
    const { bytes } = this;
    const words = this.#words;
    const place = this.#places + 2 * i;
    const keyFrom = words[place];
    const keyTo = words[place + 2];
    const same = this.#common + 8;
    let order = keyTo - keyFrom - (to - from);
    if (keyTo - keyFrom > same && to - from > same) {
      order = compareBytes(bytes, keyFrom + same, keyTo, key, from + same, to);
    }
    if (order !== 0) return order < 0;
    return readVarint(bytes, words[place + 1] + 1) > sequence;
  }
}

/** Room for the longest prefix that the keys of a payload may share: the first key, stored whole. */
function roomForPrefix(payload: Uint8Array): number {
  return (Math.min(readVarint(payload, 1), COMMON_BYTES_MAX) + 3) & ~3;
}

/**
 * A point read in a block of entries as it is stored: by restart points, then entry by entry.
 *
 * Hot. A block that is read for one key and dropped before the next costs less so than decoded: laying out
 * all of its entries takes five times as long as finding one. No key is put together. Keys ascend, so it is
 * enough to know how many bytes the last entry shared with the key looked for: who shares more with that
 * entry is before the key as well, who shares less is behind it.
 */
import type { Entry, EntryKind } from '../entry.js';
import { compareBytes } from '../order.js';
import {
  ENTRIES_TRAILER_BYTES,
  ENTRY_EXPIRES,
  ENTRY_KIND_MASK,
  RESTART_BYTES,
} from '../table/format.js';

/** What a search has come to. */
export const StoredSearch = {
  /** The key, or the version, is not there, and not in a later block. */
  absent: 0,
  found: 1,
  /** Every entry is before it: it may be in the next block. */
  behind: 2,
  /** The payload is none that a writer writes. */
  malformed: 3,
} as const;
export type StoredSearch = (typeof StoredSearch)[keyof typeof StoredSearch];

/**
 * Fills `into` with the newest version of `key[from, to)` whose sequence is at most `sequence`. The payload is
 * `bytes[0, length)`. What `into` shows of the key is the caller's own array.
 */
export function findStored(
  bytes: Uint8Array,
  length: number,
  key: Uint8Array,
  from: number,
  to: number,
  sequence: number,
  into: Entry,
): StoredSearch {
  const end = length - ENTRIES_TRAILER_BYTES - u32(bytes, length - 4) * RESTART_BYTES;
  let at = restartBefore(bytes, length, end, key, from, to);
  const keyLength = to - from;
  // How many bytes the entry before this one has in common with the key; that entry is before it.
  let matched = 0;
  while (at < end) {
    const shared = readVarint(bytes, at);
    const rest = readVarint(bytes, readEnd);
    const restAt = readEnd;
    const flagsAt = restAt + rest;
    if (flagsAt >= end) return StoredSearch.malformed;
    const found = readVarint(bytes, flagsAt + 1);
    const valueBytes = readVarint(bytes, readEnd);
    const expires = (bytes[flagsAt] & ENTRY_EXPIRES) !== 0;
    const expireAtMs = expires ? readVarint(bytes, readEnd) : 0;
    const valueFrom = readEnd;
    at = valueFrom + valueBytes;
    if (at > end) return StoredSearch.malformed;
    // A key that is stored whole may share more than it says.
    if (shared === 0) matched = 0;
    if (shared > matched) continue;
    if (shared < matched) return StoredSearch.absent;
    let i = matched;
    let j = restAt;
    while (i < keyLength && j < flagsAt && key[from + i] === bytes[j]) {
      i++;
      j++;
    }
    matched = i;
    if (j < flagsAt) {
      if (i === keyLength || bytes[j] > key[from + i]) return StoredSearch.absent;
    } else if (i === keyLength && found <= sequence) {
      into.keyBytes = key;
      into.keyFrom = from;
      into.keyTo = to;
      into.sequence = found;
      into.kind = (bytes[flagsAt] & ENTRY_KIND_MASK) as EntryKind;
      into.expireAtMs = expireAtMs;
      into.valueBytes = bytes;
      into.valueFrom = valueFrom;
      into.valueTo = at;
      return StoredSearch.found;
    }
  }
  return StoredSearch.behind;
}

/** Where the last entry is that is stored whole and before the key; the first such entry where none is. */
function restartBefore(
  bytes: Uint8Array,
  length: number,
  restartsAt: number,
  key: Uint8Array,
  from: number,
  to: number,
): number {
  let below = 0;
  let above = u32(bytes, length - 4);
  while (below < above) {
    const middle = (below + above) >>> 1;
    const restart = u32(bytes, restartsAt + middle * RESTART_BYTES);
    const keyBytes = readVarint(bytes, restart + 1);
    const keyFrom = readEnd;
    if (compareBytes(bytes, keyFrom, keyFrom + keyBytes, key, from, to) < 0) below = middle + 1;
    else above = middle;
  }
  return below === 0 ? 0 : u32(bytes, restartsAt + (below - 1) * RESTART_BYTES);
}

/** Where the varint that was read last ended: a second result without an object. */
export let readEnd = 0;

export function readVarint(bytes: Uint8Array, from: number): number {
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

export function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

/**
 * Builds the payload of a block of entries: keys share what they have in common with the key before,
 * but for those at restart points, which are stored whole.
 *
 * Hot: one call an entry; nothing is allocated once the buffer has grown.
 */
import type { EntryKind } from '../entry.js';
import { RESTART_INTERVAL } from '../limits.js';
import { commonPrefix } from '../order.js';
import { ENTRIES_TRAILER_BYTES, ENTRY_EXPIRES, RESTART_BYTES } from './format.js';

/** Five varints of at most 8 bytes and the flags. */
const ENTRY_HEADER_BYTES_MAX = 41;

export class EntryBlockBuilder {
  #bytes: Uint8Array;
  #at = 0;
  #count = 0;
  #keyBytes = 0;
  #sinceRestart = 0;
  readonly #restarts: number[] = [];
  #lastKey = new Uint8Array(256);
  #lastKeyLength = 0;

  constructor(bytes: number) {
    this.#bytes = new Uint8Array(bytes * 2);
  }

  get count(): number {
    return this.#count;
  }

  /** What `finish` would return, in bytes. */
  get bytes(): number {
    return this.#at + this.#restarts.length * RESTART_BYTES + ENTRIES_TRAILER_BYTES;
  }

  /** The key that was added last: borrowed, the first `lastKeyLength` bytes of it. */
  get lastKey(): Uint8Array {
    return this.#lastKey;
  }
  get lastKeyLength(): number {
    return this.#lastKeyLength;
  }

  add(
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    sequence: number,
    kind: EntryKind,
    expireAtMs: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
  ): void {
    const keyLength = keyTo - keyFrom;
    const valueLength = valueTo - valueFrom;
    this.#makeRoom(ENTRY_HEADER_BYTES_MAX + keyLength + valueLength);
    let shared = 0;
    if (this.#count === 0 || this.#sinceRestart === RESTART_INTERVAL) {
      this.#restarts.push(this.#at);
      this.#sinceRestart = 0;
    } else {
      shared = commonPrefix(this.#lastKey, 0, this.#lastKeyLength, key, keyFrom, keyTo);
    }
    const bytes = this.#bytes;
    let at = this.#putVarint(this.#at, shared);
    at = this.#putVarint(at, keyLength - shared);
    for (let i = keyFrom + shared; i < keyTo; i++) bytes[at++] = key[i];
    bytes[at++] = kind | (expireAtMs === 0 ? 0 : ENTRY_EXPIRES);
    at = this.#putVarint(at, sequence);
    at = this.#putVarint(at, valueLength);
    if (expireAtMs !== 0) at = this.#putVarint(at, expireAtMs);
    if (valueLength > 0) {
      bytes.set(
        valueFrom === 0 && valueTo === value.length ? value : value.subarray(valueFrom, valueTo),
        at,
      );
    }
    this.#at = at + valueLength;
    if (this.#lastKey.length < keyLength) this.#lastKey = new Uint8Array(keyLength * 2);
    for (let i = keyFrom, j = 0; i < keyTo; i++, j++) this.#lastKey[j] = key[i];
    this.#lastKeyLength = keyLength;
    this.#keyBytes += keyLength;
    this.#count++;
    this.#sinceRestart++;
  }

  /** The payload: borrowed until the next `add`. The builder is empty again. */
  finish(): Uint8Array {
    const length = this.bytes;
    this.#makeRoom(length - this.#at);
    const view = new DataView(this.#bytes.buffer);
    let at = this.#at;
    for (const restart of this.#restarts) {
      view.setUint32(at, restart, true);
      at += RESTART_BYTES;
    }
    view.setUint32(at, this.#count, true);
    view.setUint32(at + 4, this.#keyBytes, true);
    view.setUint32(at + 8, this.#restarts.length, true);
    this.#at = 0;
    this.#count = 0;
    this.#keyBytes = 0;
    this.#sinceRestart = 0;
    this.#restarts.length = 0;
    return this.#bytes.subarray(0, length);
  }

  #putVarint(from: number, value: number): number {
    const bytes = this.#bytes;
    let at = from;
    let rest = value;
    while (rest >= 0x80000000) {
      bytes[at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest >= 0x80) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    return at;
  }

  #makeRoom(more: number): void {
    const wanted = this.#at + more;
    if (wanted <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(wanted, this.#bytes.length * 2));
    bytes.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = bytes;
  }
}

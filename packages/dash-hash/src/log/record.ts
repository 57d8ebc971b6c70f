/**
 * Reading records. Hot: no checks, no allocation; addresses come from slots.
 *
 *     head | valueBytes | table | [expireLow | expireHigh] | key ... value ...     plain
 *     head | valueBytes | table | [expireLow | expireHigh] | keyBytes | pieces ... chained
 *     head | bytes      | table | hash | number | bytes ...                        piece
 *
 * The pieces of a chained record hold its key and value, one behind the other, `pieceBytes` in each
 * but the last.
 *
 * Addresses are units, as signed or unsigned 32-bit numbers alike.
 */
import type { RegionWindow } from '@nendb/pmem';
import {
  HEAD,
  PIECE_HEADER_BYTES,
  RECORD,
  RECORD_EXPIRING_BYTES,
  RECORD_HEADER_BYTES,
} from '../format.js';

export type Windows = readonly RegionWindow[];

export const WINDOW_SHIFT = 27;
export const POSITION_MASK = 0x7ffffff;

/** Bytes of a piece's content. */
export const PIECE_OVERHEAD_BYTES = RECORD_HEADER_BYTES + PIECE_HEADER_BYTES;

/** Units of an expiring record beside its key and value, rounding included. */
export const RECORD_OVERHEAD_UNITS_MAX = (RECORD_EXPIRING_BYTES + 4 + 7) >>> 3;

/** Bytes before the body of a record. */
export function headerBytes(head: number): number {
  return (head & HEAD.expires) === 0 ? RECORD_HEADER_BYTES : RECORD_EXPIRING_BYTES;
}

/** Reads the records of a region. `pieceBytes` is the space's. */
export class RecordReader {
  constructor(
    readonly windows: Windows,
    readonly pieceBytes: number,
  ) {}

  head(at: number): number {
    return this.windows[at >>> WINDOW_SHIFT].i32[(at & POSITION_MASK) << 1];
  }

  keyBytes(at: number): number {
    const head = this.head(at);
    return (head & HEAD.chained) === 0 ? head & HEAD.keyMask : this.#chain(at, head);
  }

  valueBytes(at: number): number {
    const { i32 } = this.windows[at >>> WINDOW_SHIFT];
    return i32[((at & POSITION_MASK) << 1) + RECORD.valueBytes];
  }

  flags(at: number): number {
    return (this.head(at) >>> HEAD.flagsShift) & HEAD.flagsMask;
  }

  /** Milliseconds since 1970; 0 for never. */
  expireAtMs(at: number): number {
    const { u32 } = this.windows[at >>> WINDOW_SHIFT];
    const word = (at & POSITION_MASK) << 1;
    if ((u32[word] & HEAD.expires) === 0) return 0;
    return u32[word + RECORD.expireHigh] * 2 ** 32 + u32[word + RECORD.expireLow];
  }

  /** Whether the record's key is `bytes[from, to)`. */
  hasKey(at: number, bytes: Uint8Array, from: number, to: number): boolean {
    const window = this.windows[at >>> WINDOW_SHIFT];
    const word = (at & POSITION_MASK) << 1;
    const head = window.i32[word];
    if ((head & HEAD.chained) !== 0) return this.#hasChainedKey(at, head, bytes, from, to);
    if ((head & HEAD.keyMask) !== to - from) return false;
    const { i32, u8 } = window;
    let at8 =
      (word << 2) + ((head & HEAD.expires) === 0 ? RECORD_HEADER_BYTES : RECORD_EXPIRING_BYTES);
    let i = from;
    // Keys begin at a word.
    for (const whole = to - 3; i < whole; i += 4, at8 += 4) {
      const four = bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
      if (i32[at8 >>> 2] !== four) return false;
    }
    for (; i < to; i++, at8++) if (u8[at8] !== bytes[i]) return false;
    return true;
  }

  /** Copies the value to `target` at `targetAt`; returns its length. */
  copyValue(at: number, target: Uint8Array, targetAt: number): number {
    const window = this.windows[at >>> WINDOW_SHIFT];
    const word = (at & POSITION_MASK) << 1;
    const head = window.i32[word];
    const bytes = window.i32[word + RECORD.valueBytes];
    if ((head & HEAD.chained) !== 0) {
      const keyBytes = this.#chain(at, head);
      this.copyPayload(at, keyBytes, keyBytes + bytes, target, targetAt);
      return bytes;
    }
    const from = (word << 2) + headerBytes(head) + (head & HEAD.keyMask);
    copyOut(window, from, from + bytes, target, targetAt);
    return bytes;
  }

  /** Copies bytes `[from, to)` of the value to `target` at `targetAt`. */
  copyValueRange(at: number, from: number, to: number, target: Uint8Array, targetAt: number): void {
    const head = this.head(at);
    const keyBytes = (head & HEAD.chained) === 0 ? head & HEAD.keyMask : this.#chain(at, head);
    this.copyPayload(at, keyBytes + from, keyBytes + to, target, targetAt);
  }

  /** Copies the key to `target` at `targetAt`; returns its length. */
  copyKey(at: number, target: Uint8Array, targetAt: number): number {
    const bytes = this.keyBytes(at);
    this.copyPayload(at, 0, bytes, target, targetAt);
    return bytes;
  }

  /** Copies bytes `[from, to)` of key and value together. */
  copyPayload(at: number, from: number, to: number, target: Uint8Array, targetAt: number): void {
    const window = this.windows[at >>> WINDOW_SHIFT];
    const word = (at & POSITION_MASK) << 1;
    const head = window.i32[word];
    if ((head & HEAD.chained) === 0) {
      const body = (word << 2) + headerBytes(head);
      copyOut(window, body + from, body + to, target, targetAt);
      return;
    }
    for (let done = from; done < to; ) {
      const number = Math.floor(done / this.pieceBytes);
      const skip = done - number * this.pieceBytes;
      const take = Math.min(this.pieceBytes - skip, to - done);
      const piece = window.i32[this.pieceWord(at, number)];
      const source = this.windows[piece >>> WINDOW_SHIFT];
      const body = ((piece & POSITION_MASK) << 3) + PIECE_OVERHEAD_BYTES + skip;
      copyOut(source, body, body + take, target, targetAt + done - from);
      done += take;
    }
  }

  /** The word, in its window, that names piece `number` of the chained record. */
  pieceWord(at: number, number: number): number {
    const word = (at & POSITION_MASK) << 1;
    const head = this.windows[at >>> WINDOW_SHIFT].i32[word];
    return word + (headerBytes(head) >>> 2) + 1 + number;
  }

  /** Pieces of a record: 0 for plain ones. */
  pieces(at: number): number {
    const head = this.head(at);
    if ((head & HEAD.chained) === 0) return 0;
    return Math.ceil((this.#chain(at, head) + this.valueBytes(at)) / this.pieceBytes);
  }

  /** Where the body of a record begins in its window, in bytes. */
  bodyAt(at: number): number {
    return ((at & POSITION_MASK) << 3) + headerBytes(this.head(at));
  }

  /** Units that the record takes in its chunk, without its pieces. */
  units(at: number): number {
    const head = this.head(at);
    const bytes =
      (head & HEAD.chained) === 0
        ? (head & HEAD.keyMask) + this.valueBytes(at)
        : 4 + this.pieces(at) * 4;
    return (headerBytes(head) + bytes + 7) >>> 3;
  }

  #chain(at: number, head: number): number {
    const word = ((at & POSITION_MASK) << 1) + (headerBytes(head) >>> 2);
    return this.windows[at >>> WINDOW_SHIFT].i32[word];
  }

  #hasChainedKey(at: number, head: number, bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#chain(at, head) !== to - from) return false;
    const window = this.windows[at >>> WINDOW_SHIFT];
    for (let done = 0, number = 0; done < to - from; number++) {
      const piece = window.i32[this.pieceWord(at, number)];
      const { u8 } = this.windows[piece >>> WINDOW_SHIFT];
      const body = ((piece & POSITION_MASK) << 3) + PIECE_OVERHEAD_BYTES;
      const take = Math.min(this.pieceBytes, to - from - done);
      for (let i = 0; i < take; i++) if (u8[body + i] !== bytes[from + done + i]) return false;
      done += take;
    }
    return true;
  }
}

/** Below, a loop is faster than a view and a call: measured, 40 ns to 90 ns for 100 bytes. */
const LOOP_BYTES_MAX = 256;

/** Copies bytes `[from, to)` of a window out, four to a load. */
function copyOut(
  source: RegionWindow,
  from: number,
  to: number,
  target: Uint8Array,
  at: number,
): void {
  const { i32, u8 } = source;
  if (to - from > LOOP_BYTES_MAX) {
    target.set(u8.subarray(from, to), at);
    return;
  }
  let i = from;
  let j = at;
  for (; (i & 3) !== 0 && i < to; i++, j++) target[j] = u8[i];
  for (const whole = to - 3; i < whole; i += 4, j += 4) {
    const four = i32[i >>> 2];
    target[j] = four;
    target[j + 1] = four >>> 8;
    target[j + 2] = four >>> 16;
    target[j + 3] = four >>> 24;
  }
  for (; i < to; i++, j++) target[j] = u8[i];
}

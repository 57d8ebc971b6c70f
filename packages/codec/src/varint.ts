/**
 * Unsigned varints (LEB128): seven bits a byte, least significant first, the high bit set on all
 * but the last. Values are integers from 0 to 2^53 - 1, so at most eight bytes.
 *
 * Hot: no BigInt, no allocation. Above 2^31 the arithmetic is on doubles, which are exact there.
 */
import { FormatError } from './errors.js';

/** The longest encoding, in bytes. */
export const UVARINT_BYTES_MAX = 8;

/** How many bytes `value` takes. Throws `RangeError` outside 0..2^53-1. */
export function uvarintBytes(value: number): number {
  checkValue(value);
  let bytes = 1;
  let rest = value;
  while (rest >= 0x80) {
    rest = Math.floor(rest / 0x80);
    bytes++;
  }
  return bytes;
}

/**
 * Writes `value` at `at`; returns the offset behind it. Throws `RangeError` outside 0..2^53-1, and
 * where `target` is too short: its bytes are then undefined, none behind its end are touched.
 */
export function putUvarint(target: Uint8Array, at: number, value: number): number {
  checkValue(value);
  let rest = value;
  let next = at;
  while (rest >= 0x80000000) {
    target[next++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest >= 0x80) {
    target[next++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[next++] = rest;
  if (next > target.length) {
    throw new RangeError(
      `expected room for a varint of ${next - at} bytes at ${at}, the target has ${target.length}`,
    );
  }
  return next;
}

function checkValue(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`expected an integer from 0 to 2^53 - 1, got ${value}`);
  }
}

/**
 * Reads varints one after the other. A reader is reused: `reset`, then `next` per value.
 *
 * Throws `FormatError` `FORMAT_TRUNCATED` where the bytes end inside a varint and
 * `FORMAT_BAD_VALUE` where it is longer than eight bytes, above 2^53 - 1, or not in its shortest
 * form.
 */
export class UvarintReader {
  offset = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #end = 0;

  /** Reads on from `from`, never behind `to`. */
  reset(bytes: Uint8Array, from = 0, to: number = bytes.length): void {
    if (!(from >= 0 && from <= to && to <= bytes.length)) {
      throw new RangeError(`expected a range within ${bytes.length} bytes, got ${from} to ${to}`);
    }
    this.#bytes = bytes;
    this.offset = from;
    this.#end = to;
  }

  /** The value at `offset`, which moves behind it; after a throw `offset` is where it was. */
  next(): number {
    const start = this.offset;
    let value = 0;
    let scale = 1;
    for (let at = start; ; at++) {
      if (at >= this.#end) {
        throw new FormatError(
          'FORMAT_TRUNCATED',
          `expected a varint at offset ${start}, the bytes end at ${this.#end}`,
        );
      }
      const byte = this.#bytes[at];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER || (byte === 0 && at > start)) break;
        this.offset = at + 1;
        return value;
      }
      scale *= 0x80;
      if (at - start + 1 === UVARINT_BYTES_MAX) break;
    }
    throw new FormatError(
      'FORMAT_BAD_VALUE',
      `expected a varint of at most ${UVARINT_BYTES_MAX} bytes in its shortest form at offset ${start}`,
    );
  }
}

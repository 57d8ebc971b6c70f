/** The range that BITCOUNT and BITPOS look at. Source: Redis 7.0, `bitops.c`. */
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { readInteger } from '../dispatch/numbers.js';
import { SYNTAX } from '../errors.js';

const BIT = word('bit');
const BYTE = word('byte');

/** In bits: `from` belongs to it, `to` does not. Empty where they are not in that order. */
export interface BitRange {
  from: number;
  to: number;
}

/**
 * Reads `start [end [BYTE | BIT]]` from argument `index` on, for a string of `length` bytes; without an
 * end it reaches to the string's. `undefined` with the error replied.
 *
 * What is before the string's beginning is its beginning: -9 to -8 of three bytes is the first one.
 */
export function readBitRange(call: Call, index: number, length: number): BitRange | undefined {
  const start = readInteger(call, index);
  if (Number.isNaN(start)) return undefined;
  let inBits = false;
  if (call.argc > index + 2) {
    inBits = call.is(index + 2, BIT);
    if (!inBits && !call.is(index + 2, BYTE)) {
      call.fail(SYNTAX);
      return undefined;
    }
  }
  const total = inBits ? length * 8 : length;
  const end = call.argc > index + 1 ? readInteger(call, index + 1) : total - 1;
  if (Number.isNaN(end)) return undefined;
  const first = Math.max(0, start < 0 ? total + start : start);
  const last = Math.min(total - 1, Math.max(0, end < 0 ? total + end : end));
  return inBits ? { from: first, to: last + 1 } : { from: first * 8, to: (last + 1) * 8 };
}

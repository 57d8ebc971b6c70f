/**
 * Integers of 1 to 64 bits, as BITFIELD keeps them: signed in two's complement, unsigned up to 63
 * bits. Source: Redis 7.0, `checkSignedBitfieldOverflow` and its unsigned twin.
 */
import { parseSafeInteger } from '../bytes/integers.js';
import type { Call } from '../dispatch/call.js';

export interface BitIntegerType {
  signed: boolean;
  bits: number;
}

/** What becomes of a result that does not fit. */
export type Overflow = 'wrap' | 'sat' | 'fail';

const SIGNED = 0x69;
const UNSIGNED = 0x75;

/** `i1` to `i64` or `u1` to `u63` in argument `index`; `undefined` with the error replied. */
export function readBitIntegerType(call: Call, index: number): BitIntegerType | undefined {
  const from = call.starts[index];
  const letter = from < call.ends[index] ? call.bytes[from] : 0;
  const signed = letter === SIGNED;
  const bits = parseSafeInteger(call.bytes, from + 1, call.ends[index]);
  if ((signed || letter === UNSIGNED) && bits >= 1 && bits <= (signed ? 64 : 63)) {
    return { signed, bits };
  }
  call.fail(
    'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.',
  );
  return undefined;
}

/** `value` as that type holds it; `undefined` where it does not fit and `overflow` says to fail. */
export function fitted(
  value: bigint,
  { signed, bits }: BitIntegerType,
  overflow: Overflow,
): bigint | undefined {
  const wrapped = signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  if (wrapped === value || overflow === 'wrap') return wrapped;
  if (overflow === 'fail') return undefined;
  const width = BigInt(bits);
  const most = signed ? (1n << (width - 1n)) - 1n : (1n << width) - 1n;
  const least = signed ? -most - 1n : 0n;
  return value > most ? most : least;
}

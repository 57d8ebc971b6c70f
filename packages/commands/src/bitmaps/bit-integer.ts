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

/**
 * `value + more` as that type holds it; `undefined` where it does not fit and `overflow` says to fail.
 * `value` is a signed integer of 64 bits, an unsigned one where the type is; `more` is signed.
 *
 * Which side it leaves the type on is decided as in Redis, whose differences of 64-bit integers wrap: the
 * least of them is above every type narrower than itself.
 */
export function fitted(
  value: bigint,
  more: bigint,
  { signed, bits }: BitIntegerType,
  overflow: Overflow,
): bigint | undefined {
  const width = BigInt(bits);
  const most = signed ? (1n << (width - 1n)) - 1n : (1n << width) - 1n;
  const least = signed ? -most - 1n : 0n;
  const room = BigInt.asIntN(64, most - value);
  const above = value > most || (bits < 64 ? more > room : value >= 0n && more > room);
  const below = value < least || value + more < least;
  if (!above && !below) return value + more;
  if (overflow === 'fail') return undefined;
  if (overflow === 'sat') return above ? most : least;
  return signed ? BigInt.asIntN(bits, value + more) : BigInt.asUintN(bits, value + more);
}

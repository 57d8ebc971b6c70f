/** Offsets of bits, as arguments. Source: Redis 7.0, `getBitOffsetFromArgument`. */
import { parseSafeInteger } from '../bytes/integers.js';
import type { Call } from '../dispatch/call.js';
import { STRING_BYTES_MAX } from '../limits.js';

const HASH_SIGN = 0x23;
const BITS_MAX = STRING_BYTES_MAX * 8;

/**
 * The offset in argument `index`, below 2^32; NaN with the error replied. With `width`, `#n` stands for
 * `n * width`.
 */
export function readBitOffset(call: Call, index: number, width = 0): number {
  const from = call.starts[index];
  const scaled = width > 0 && from < call.ends[index] && call.bytes[from] === HASH_SIGN;
  const given = parseSafeInteger(call.bytes, scaled ? from + 1 : from, call.ends[index]);
  const offset = scaled ? given * width : given;
  if (offset >= 0 && offset < BITS_MAX) return offset;
  call.fail('ERR bit offset is not an integer or out of range');
  return Number.NaN;
}

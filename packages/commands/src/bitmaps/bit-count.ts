/** BITCOUNT. Source: Redis 7.0, `bitcountCommand`. */
import { ValueType } from '@nendb/engine';
import type { Call } from '../dispatch/call.js';
import { readInteger } from '../dispatch/numbers.js';
import { SYNTAX } from '../errors.js';
import { readBitRange } from './bit-range.js';

const KEY = 1;
const RANGE = 2;

/** BITCOUNT key [start end [BYTE | BIT]] */
export function bitCount(call: Call) {
  const view = call.lookUp(KEY);
  if (view === undefined) return call.reply.integer(0);
  if (call.refusesType(view, ValueType.string)) return;
  if (call.argc === RANGE) return call.reply.integer(ones(view.bytes(), 0, view.length * 8));
  if (call.argc !== RANGE + 2 && call.argc !== RANGE + 3) return call.fail(SYNTAX);
  const start = readInteger(call, RANGE);
  if (Number.isNaN(start)) return;
  const end = readInteger(call, RANGE + 1);
  if (Number.isNaN(end)) return;
  // Both count from the end, in the wrong order: nothing, whatever follows.
  if (start < 0 && end < 0 && start > end) return call.reply.integer(0);
  const range = readBitRange(call, RANGE, view.length);
  if (range !== undefined) call.reply.integer(ones(view.bytes(), range.from, range.to));
}

/** Bits that are set from bit `from` to before bit `to`. */
function ones(bytes: Uint8Array, from: number, to: number): number {
  if (from >= to) return 0;
  const first = Math.floor(from / 8);
  const last = Math.floor((to - 1) / 8);
  const firstMask = 0xff >> (from % 8);
  const lastMask = 0xff & (0xff << (7 - ((to - 1) % 8)));
  if (first === last) return ONES[bytes[first] & firstMask & lastMask];
  let count = ONES[bytes[first] & firstMask] + ONES[bytes[last] & lastMask];
  for (let at = first + 1; at < last; at++) count += ONES[bytes[at]];
  return count;
}

/** Bits that are set in each byte. */
const ONES = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1;
  return count;
});

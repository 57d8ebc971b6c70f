/** BITPOS. Source: Redis 7.0, `bitposCommand`. */
import { ValueType } from '@nendb/engine';
import type { Call } from '../dispatch/call.js';
import { readInteger } from '../dispatch/numbers.js';
import { SYNTAX } from '../errors.js';
import { readBitRange } from './bit-range.js';

const KEY = 1;
const BIT = 2;
const RANGE = 3;
const ARGUMENTS_MAX = 6;

/**
 * BITPOS key bit [start [end [BYTE | BIT]]]
 *
 * Without an end, zeros go on behind the string for ever; with one there may be none.
 */
export function bitPos(call: Call) {
  const bit = readInteger(call, BIT);
  if (Number.isNaN(bit)) return;
  if (bit !== 0 && bit !== 1) return call.fail('ERR The bit argument must be 1 or 0.');
  const view = call.lookUp(KEY);
  if (view === undefined) return call.reply.integer(bit === 1 ? -1 : 0);
  if (call.refusesType(view, ValueType.string)) return;
  if (call.argc > ARGUMENTS_MAX) return call.fail(SYNTAX);
  const { length } = view;
  const range =
    call.argc === RANGE ? { from: 0, to: length * 8 } : readBitRange(call, RANGE, length);
  if (range === undefined) return;
  if (range.from >= range.to) return call.reply.integer(-1);
  const found = firstBit(view.bytes(), bit, range.from, range.to);
  const endless = bit === 0 && call.argc <= RANGE + 1;
  call.reply.integer(found < 0 && endless ? range.to : found);
}

/** The first bit from `from` to before `to` that is `bit`; -1 where there is none. */
function firstBit(bytes: Uint8Array, bit: number, from: number, to: number): number {
  const without = bit === 1 ? 0 : 0xff;
  let at = from;
  while (at < to) {
    const byte = bytes[Math.floor(at / 8)];
    if (at % 8 === 0 && byte === without) {
      at += 8;
    } else {
      if (((byte >> (7 - (at % 8))) & 1) === bit) return at;
      at++;
    }
  }
  return -1;
}

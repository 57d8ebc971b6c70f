/** SETBIT and GETBIT. Source: Redis 7.0, `bitops.c`. */
import { ValueType } from '@nendb/engine';
import { parseSafeInteger } from '../bytes/integers.js';
import type { Call } from '../dispatch/call.js';
import { readBitOffset } from './bit-offset.js';

const KEY = 1;
const OFFSET = 2;
const BIT = 3;

const changed = new Uint8Array(1);

/** A patch of one byte, however long the string is (R1). */
export function setBit(call: Call) {
  const offset = readBitOffset(call, OFFSET);
  if (Number.isNaN(offset)) return;
  const bit = parseSafeInteger(call.bytes, call.starts[BIT], call.ends[BIT]);
  if (bit !== 0 && bit !== 1) return call.fail('ERR bit is not an integer or out of range');
  const view = call.find(KEY);
  if (call.refusesType(view, ValueType.string)) return;
  const length = view?.length ?? 0;
  const at = Math.floor(offset / 8);
  const byte = view !== undefined && at < length ? view.bytes()[at] : 0;
  const mask = 0x80 >> (offset % 8);
  changed[0] = bit === 1 ? byte | mask : byte & ~mask;
  if (changed[0] !== byte || at >= length) {
    call.transaction.patchString(
      call.session.database,
      call.bytes,
      call.starts[KEY],
      call.ends[KEY],
      at,
      changed,
      0,
      1,
      Math.max(length, at + 1),
    );
  }
  call.reply.integer((byte & mask) === 0 ? 0 : 1);
}

export function getBit(call: Call) {
  const offset = readBitOffset(call, OFFSET);
  if (Number.isNaN(offset)) return;
  const view = call.lookUp(KEY);
  if (call.refusesType(view, ValueType.string)) return;
  const at = Math.floor(offset / 8);
  if (view === undefined || at >= view.length) return call.reply.integer(0);
  call.reply.integer((view.bytes()[at] & (0x80 >> (offset % 8))) === 0 ? 0 : 1);
}

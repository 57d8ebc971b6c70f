/** INCRBYFLOAT; the log gets the result (R1). Source: Redis 7.0, `incrbyfloatCommand`. */
import { ValueType } from '@nendb/engine';
import {
  addLongDoubles,
  LONG_DOUBLE_ZERO,
  longDoubleText,
  parseLongDouble,
} from '../bytes/long-double.js';
import type { Call } from '../dispatch/call.js';
import { NOT_A_FLOAT, NOT_FINITE } from '../errors.js';

const KEY = 1;
const AMOUNT = 2;

export function incrByFloat(call: Call) {
  const view = call.find(KEY);
  if (call.refusesType(view, ValueType.string)) return;
  const before =
    view === undefined ? LONG_DOUBLE_ZERO : parseLongDouble(view.bytes(), 0, view.length);
  if (before === undefined) return call.fail(NOT_A_FLOAT);
  const amount = parseLongDouble(call.bytes, call.starts[AMOUNT], call.ends[AMOUNT]);
  if (amount === undefined) return call.fail(NOT_A_FLOAT);
  const after = addLongDoubles(before, amount);
  if (after === undefined || after.infinite) return call.fail(NOT_FINITE);
  const text = Buffer.from(longDoubleText(after), 'latin1');
  call.transaction.putString(
    call.session.database,
    call.bytes,
    call.starts[KEY],
    call.ends[KEY],
    text,
    0,
    text.length,
    view?.expireAtMs ?? 0,
  );
  call.reply.bulk(text);
}

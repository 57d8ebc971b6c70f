/** GETRANGE (once SUBSTR) and SETRANGE. Source: Redis 7.0, `t_string.c`. */
import { ValueType } from '@nendb/engine';
import type { Call } from '../dispatch/call.js';
import { readInteger } from '../dispatch/numbers.js';
import { STRING_TOO_LONG } from '../errors.js';
import { STRING_BYTES_MAX } from '../limits.js';

const KEY = 1;
const START = 2;
const END = 3;
const OFFSET = 2;
const VALUE = 3;

const OFFSET_OUT_OF_RANGE = 'ERR offset is out of range';

/** GETRANGE key start end: both ends belong to it; negative ones count from the string's end. */
export function getRange(call: Call) {
  const start = readInteger(call, START);
  if (Number.isNaN(start)) return;
  const end = readInteger(call, END);
  if (Number.isNaN(end)) return;
  const view = call.lookUp(KEY);
  if (call.refusesType(view, ValueType.string)) return;
  const length = view?.length ?? 0;
  const from = Math.max(0, start < 0 ? length + start : start);
  const to = Math.min(length - 1, Math.max(0, end < 0 ? length + end : end));
  if (view === undefined || from > to || (start < 0 && end < 0 && start > end)) {
    call.reply.reserveBulk(0);
    return;
  }
  call.reply.bulk(view.bytes(), from, to + 1);
}

/** A patch: the log gets what was written, not the whole value (R1). */
export function setRange(call: Call) {
  const offset = readInteger(call, OFFSET);
  if (Number.isNaN(offset)) return;
  if (offset < 0) return call.fail(OFFSET_OUT_OF_RANGE);
  const view = call.find(KEY);
  if (call.refusesType(view, ValueType.string)) return;
  const before = view?.length ?? 0;
  const from = call.starts[VALUE];
  const to = call.ends[VALUE];
  if (to === from) return call.reply.integer(before);
  if (offset + to - from > STRING_BYTES_MAX) return call.fail(STRING_TOO_LONG);
  const after = Math.max(before, offset + to - from);
  call.transaction.patchString(
    call.session.database,
    call.bytes,
    call.starts[KEY],
    call.ends[KEY],
    offset,
    call.bytes,
    from,
    to,
    after,
  );
  call.reply.integer(after);
}

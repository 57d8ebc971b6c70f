/** GET, SETNX, GETSET, GETDEL, STRLEN, APPEND, MGET, MSET, MSETNX. Source: Redis 7.0, `t_string.c`. */
import { ValueType } from '@nendb/engine';
import type { Call } from '../dispatch/call.js';
import { STRING_TOO_LONG, wrongArity } from '../errors.js';
import { STRING_BYTES_MAX } from '../limits.js';

const KEY = 1;
const VALUE = 2;

export function get(call: Call) {
  const view = call.lookUp(KEY);
  if (view === undefined) return call.reply.null();
  if (call.refusesType(view, ValueType.string)) return;
  call.value(view);
}

export function setNx(call: Call) {
  if (call.find(KEY) !== undefined) return call.reply.integer(0);
  call.putString(KEY, VALUE, 0);
  call.reply.integer(1);
}

export function getSet(call: Call) {
  const view = call.lookUp(KEY);
  if (call.refusesType(view, ValueType.string)) return;
  if (view === undefined) call.reply.null();
  else call.value(view);
  call.putString(KEY, VALUE, 0);
}

export function getDel(call: Call) {
  const view = call.lookUp(KEY);
  if (view === undefined) return call.reply.null();
  if (call.refusesType(view, ValueType.string)) return;
  call.value(view);
  call.remove(KEY);
}

export function strlen(call: Call) {
  const view = call.lookUp(KEY);
  if (call.refusesType(view, ValueType.string)) return;
  call.reply.integer(view === undefined ? 0 : view.length);
}

/** A patch of the value's end: the log gets what was appended, not the whole value (R1). */
export function append(call: Call) {
  const view = call.find(KEY);
  if (call.refusesType(view, ValueType.string)) return;
  const from = call.starts[VALUE];
  const to = call.ends[VALUE];
  if (view === undefined) {
    call.putString(KEY, VALUE, 0);
    return call.reply.integer(to - from);
  }
  const before = view.length;
  const after = before + (to - from);
  if (after > STRING_BYTES_MAX) return call.fail(STRING_TOO_LONG);
  // Of nothing too: those who watch the key are told, as in Redis.
  call.transaction.patchString(
    call.session.database,
    call.bytes,
    call.starts[KEY],
    call.ends[KEY],
    before,
    call.bytes,
    from,
    to,
    after,
  );
  call.reply.integer(after);
}

/** A key that holds something else counts as missing here. */
export function mget(call: Call) {
  call.reply.array(call.argc - 1);
  for (let i = KEY; i < call.argc; i++) {
    const view = call.lookUp(i);
    if (view === undefined || view.type !== ValueType.string) call.reply.null();
    else call.value(view);
  }
}

export function mset(call: Call) {
  if (call.argc % 2 === 0) return call.fail(wrongArity('mset'));
  for (let i = KEY; i < call.argc; i += 2) call.putString(i, i + 1, 0);
  call.ok();
}

/** All of them, or none where one of the keys is there. */
export function msetNx(call: Call) {
  if (call.argc % 2 === 0) return call.fail(wrongArity('msetnx'));
  for (let i = KEY; i < call.argc; i += 2) {
    if (call.find(i) !== undefined) return call.reply.integer(0);
  }
  for (let i = KEY; i < call.argc; i += 2) call.putString(i, i + 1, 0);
  call.reply.integer(1);
}

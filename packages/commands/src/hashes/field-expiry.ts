/**
 * HEXPIRE, HPEXPIRE, HEXPIREAT, HPEXPIREAT, HPERSIST. Source: Redis 7.4, `t_hash.c`.
 *
 * One answer a field: -2 where it is not there, 0 where the condition is not met, 2 where it was removed
 * since its time has passed, -1 where HPERSIST finds no time, else 1.
 */
import { ValueType } from '@nendb/engine';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import type { Deadline } from '../expiry/deadline.js';
import { findField, removeField, setFieldExpiry } from './field.js';
import { hasPassed, readFieldDeadline } from './field-deadline.js';
import { readFieldList } from './field-list.js';

const NX = word('nx');
const XX = word('xx');
const GT = word('gt');
const LT = word('lt');

const KEY = 1;
const TIME = 2;
const CONDITION = 3;

const NO_FIELD = -2;
const NO_EXPIRY = -1;
const NOT_MET = 0;
const DONE = 1;
const REMOVED = 2;

type Condition = (beforeMs: number, afterMs: number) => boolean;

const always: Condition = () => true;
const onlyWithout: Condition = (beforeMs) => beforeMs === 0;
const onlyWith: Condition = (beforeMs) => beforeMs !== 0;
const onlyLater: Condition = (beforeMs, afterMs) => beforeMs !== 0 && afterMs > beforeMs;
const onlyEarlier: Condition = (beforeMs, afterMs) => beforeMs === 0 || afterMs < beforeMs;

export function hExpire(call: Call) {
  expireFields(call, 's');
}

export function hPExpire(call: Call) {
  expireFields(call, 'ms');
}

export function hExpireAt(call: Call) {
  expireFields(call, 'atS');
}

export function hPExpireAt(call: Call) {
  expireFields(call, 'atMs');
}

/** HEXPIRE key time [NX | XX | GT | LT] FIELDS numfields field [field ...] */
function expireFields(call: Call, deadline: Deadline) {
  if (call.refusesType(call.find(KEY), ValueType.hash)) return;
  const atMs = readFieldDeadline(call, TIME, deadline);
  if (Number.isNaN(atMs)) return;
  const condition = conditionNamed(call);
  const listAt = condition === undefined ? CONDITION : CONDITION + 1;
  const first = readFieldList(call, listAt, 'ERR Parameter `numFields` should be greater than 0');
  if (first === 0) return;
  call.reply.array(call.argc - first);
  for (let i = first; i < call.argc; i++) {
    call.reply.integer(expireField(call, i, atMs, condition ?? always));
  }
}

function expireField(call: Call, field: number, atMs: number, condition: Condition): number {
  const view = findField(call, field);
  if (view === undefined) return NO_FIELD;
  if (!condition(view.expireAtMs, atMs)) return NOT_MET;
  if (hasPassed(call, atMs)) {
    removeField(call, field);
    return REMOVED;
  }
  setFieldExpiry(call, field, atMs);
  return DONE;
}

function conditionNamed(call: Call): Condition | undefined {
  if (call.is(CONDITION, NX)) return onlyWithout;
  if (call.is(CONDITION, XX)) return onlyWith;
  if (call.is(CONDITION, GT)) return onlyLater;
  return call.is(CONDITION, LT) ? onlyEarlier : undefined;
}

/** HPERSIST key FIELDS numfields field [field ...] */
export function hPersist(call: Call) {
  if (call.refusesType(call.find(KEY), ValueType.hash)) return;
  const first = readFieldList(call, 2);
  if (first === 0) return;
  call.reply.array(call.argc - first);
  for (let i = first; i < call.argc; i++) {
    const view = findField(call, i);
    if (view === undefined) {
      call.reply.integer(NO_FIELD);
    } else if (view.expireAtMs === 0) {
      call.reply.integer(NO_EXPIRY);
    } else {
      setFieldExpiry(call, i, 0);
      call.reply.integer(DONE);
    }
  }
}

/**
 * HTTL, HPTTL, HEXPIRETIME, HPEXPIRETIME. Source: Redis 7.4, `httlGenericCommand`.
 *
 * One answer a field: -2 where it is not there, -1 where it never ends. Seconds are rounded up, unlike
 * TTL's.
 */
import { ValueType } from '@nendb/engine';
import type { Call } from '../dispatch/call.js';
import { findField } from './field.js';
import { readFieldList } from './field-list.js';

const KEY = 1;
const LIST = 2;

const NO_FIELD = -2;
const NO_EXPIRY = -1;

export function hTtl(call: Call) {
  replyTimes(call, call.transaction.nowMs, 1000);
}

export function hPTtl(call: Call) {
  replyTimes(call, call.transaction.nowMs, 1);
}

export function hExpireTime(call: Call) {
  replyTimes(call, 0, 1000);
}

export function hPExpireTime(call: Call) {
  replyTimes(call, 0, 1);
}

function replyTimes(call: Call, sinceMs: number, unitMs: number) {
  if (call.refusesType(call.lookUp(KEY), ValueType.hash)) return;
  const first = readFieldList(call, LIST);
  if (first === 0) return;
  call.reply.array(call.argc - first);
  for (let i = first; i < call.argc; i++) {
    const view = findField(call, i);
    if (view === undefined) call.reply.integer(NO_FIELD);
    else if (view.expireAtMs === 0) call.reply.integer(NO_EXPIRY);
    else call.reply.integer(Math.ceil((view.expireAtMs - sinceMs) / unitMs));
  }
}

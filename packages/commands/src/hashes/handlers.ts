/** HSET, HGET, HDEL, HEXISTS, HLEN, HMGET, HMSET, HSETNX, HSTRLEN. Source: Redis 7.0, `t_hash.c`. */
import { ValueType } from '@nendb/engine';
import type { Call } from '../dispatch/call.js';
import { wrongArity } from '../errors.js';
import { findField, putField, removeField } from './field.js';

const KEY = 1;
const FIELD = 2;
const VALUE = 3;

export function hSet(call: Call) {
  if (call.argc % 2 !== 0) return call.fail(wrongArity('hset'));
  if (call.refusesType(call.find(KEY), ValueType.hash)) return;
  let added = 0;
  for (let i = FIELD; i < call.argc; i += 2) if (putField(call, i, i + 1)) added++;
  call.reply.integer(added);
}

export function hMSet(call: Call) {
  if (call.argc % 2 !== 0) return call.fail(wrongArity('hmset'));
  if (call.refusesType(call.find(KEY), ValueType.hash)) return;
  for (let i = FIELD; i < call.argc; i += 2) putField(call, i, i + 1);
  call.ok();
}

export function hSetNx(call: Call) {
  if (call.refusesType(call.find(KEY), ValueType.hash)) return;
  if (findField(call, FIELD) !== undefined) return call.reply.integer(0);
  putField(call, FIELD, VALUE);
  call.reply.integer(1);
}

export function hGet(call: Call) {
  if (call.refusesType(call.lookUp(KEY), ValueType.hash)) return;
  const value = findField(call, FIELD);
  if (value === undefined) call.reply.null();
  else call.value(value);
}

export function hMGet(call: Call) {
  if (call.refusesType(call.lookUp(KEY), ValueType.hash)) return;
  call.reply.array(call.argc - FIELD);
  for (let i = FIELD; i < call.argc; i++) {
    const value = findField(call, i);
    if (value === undefined) call.reply.null();
    else call.value(value);
  }
}

export function hExists(call: Call) {
  if (call.refusesType(call.lookUp(KEY), ValueType.hash)) return;
  call.reply.integer(findField(call, FIELD) === undefined ? 0 : 1);
}

export function hStrLen(call: Call) {
  if (call.refusesType(call.lookUp(KEY), ValueType.hash)) return;
  call.reply.integer(findField(call, FIELD)?.length ?? 0);
}

export function hLen(call: Call) {
  const view = call.lookUp(KEY);
  if (call.refusesType(view, ValueType.hash)) return;
  call.reply.integer(view === undefined ? 0 : view.length);
}

export function hDel(call: Call) {
  if (call.refusesType(call.find(KEY), ValueType.hash)) return;
  let removed = 0;
  for (let i = FIELD; i < call.argc; i++) {
    if (removeField(call, i)) removed++;
  }
  call.reply.integer(removed);
}

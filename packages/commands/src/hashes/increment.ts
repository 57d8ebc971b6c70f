/**
 * HINCRBY over 64-bit signed integers, HINCRBYFLOAT; the log gets the result (R1). The field keeps the
 * time at which it ends.
 */
import { ValueType } from '@nendb/engine';
import {
  INT64_MAX,
  INT64_MIN,
  INTEGER_BYTES_MAX,
  parseInt64,
  putInt64,
} from '../bytes/integers.js';
import {
  addLongDoubles,
  LONG_DOUBLE_ZERO,
  longDoubleText,
  parseLongDouble,
} from '../bytes/long-double.js';
import type { Call } from '../dispatch/call.js';
import {
  HASH_NOT_A_FLOAT,
  HASH_NOT_AN_INTEGER,
  NOT_A_FLOAT,
  NOT_AN_INTEGER,
  NOT_FINITE,
  WOULD_OVERFLOW,
} from '../errors.js';
import { findField, putFieldBytes, setFieldExpiry } from './field.js';

const KEY = 1;
const FIELD = 2;
const AMOUNT = 3;

const digits = new Uint8Array(INTEGER_BYTES_MAX);
const current = new Uint8Array(INTEGER_BYTES_MAX);

export function hIncrBy(call: Call) {
  const amount = parseInt64(call.bytes, call.starts[AMOUNT], call.ends[AMOUNT]);
  if (amount === undefined) return call.fail(NOT_AN_INTEGER);
  if (call.refusesType(call.find(KEY), ValueType.hash)) return;
  const value = findField(call, FIELD);
  let before: bigint | undefined = 0n;
  if (value !== undefined) {
    before =
      value.length > INTEGER_BYTES_MAX
        ? undefined
        : parseInt64(current, 0, value.copyTo(current, 0));
  }
  if (before === undefined) return call.fail(HASH_NOT_AN_INTEGER);
  const after = before + amount;
  if (after > INT64_MAX || after < INT64_MIN) return call.fail(WOULD_OVERFLOW);
  const expireAtMs = value?.expireAtMs ?? 0;
  putFieldBytes(call, FIELD, digits, putInt64(digits, after), digits.length);
  if (expireAtMs !== 0) setFieldExpiry(call, FIELD, expireAtMs);
  call.reply.integer(after);
}

export function hIncrByFloat(call: Call) {
  const amount = parseLongDouble(call.bytes, call.starts[AMOUNT], call.ends[AMOUNT]);
  if (amount === undefined) return call.fail(NOT_A_FLOAT);
  if (amount.infinite) return call.fail('ERR value is NaN or Infinity');
  if (call.refusesType(call.find(KEY), ValueType.hash)) return;
  const value = findField(call, FIELD);
  const before =
    value === undefined ? LONG_DOUBLE_ZERO : parseLongDouble(value.bytes(), 0, value.length);
  if (before === undefined) return call.fail(HASH_NOT_A_FLOAT);
  const after = addLongDoubles(before, amount);
  if (after === undefined || after.infinite) return call.fail(NOT_FINITE);
  const expireAtMs = value?.expireAtMs ?? 0;
  const text = Buffer.from(longDoubleText(after), 'latin1');
  putFieldBytes(call, FIELD, text, 0, text.length);
  if (expireAtMs !== 0) setFieldExpiry(call, FIELD, expireAtMs);
  call.reply.bulk(text);
}

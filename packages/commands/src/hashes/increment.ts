/** HINCRBY over 64-bit signed integers; the log gets the result (R1). */
import { ValueType } from '@nendb/engine';
import {
  INT64_MAX,
  INT64_MIN,
  INTEGER_BYTES_MAX,
  parseInt64,
  putInt64,
} from '../bytes/integers.js';
import type { Call } from '../dispatch/call.js';
import { HASH_NOT_AN_INTEGER, NOT_AN_INTEGER, WOULD_OVERFLOW } from '../errors.js';
import { findField } from './field.js';

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
  call.transaction.putField(
    call.session.database,
    call.bytes,
    call.starts[KEY],
    call.ends[KEY],
    call.bytes,
    call.starts[FIELD],
    call.ends[FIELD],
    digits,
    putInt64(digits, after),
    digits.length,
  );
  call.reply.integer(after);
}

/**
 * INCR, DECR, INCRBY, DECRBY over 64-bit signed integers. Source: Redis 7.0, `incrDecrCommand`.
 *
 * Hot. Doubles hold what is exact; the BigInt path is taken only beyond 2^53 - 1. The new value is
 * written as bytes into a scratch buffer; the log gets the result, not the increment (R1).
 */
import { type RecordView, ValueType } from '@nendb/engine';
import {
  INT64_MAX,
  INT64_MIN,
  INTEGER_BYTES_MAX,
  parseInt64,
  parseSafeInteger,
  putInt64,
  putInteger,
} from '../bytes/integers.js';
import type { Call } from '../dispatch/call.js';
import { DECREMENT_WOULD_OVERFLOW, NOT_AN_INTEGER, WOULD_OVERFLOW } from '../errors.js';

const KEY = 1;
const AMOUNT = 2;

const digits = new Uint8Array(INTEGER_BYTES_MAX);
const current = new Uint8Array(INTEGER_BYTES_MAX);

export function incr(call: Call) {
  add(call, 1);
}

export function decr(call: Call) {
  add(call, -1);
}

export function incrBy(call: Call) {
  const amount = parseSafeInteger(call.bytes, call.starts[AMOUNT], call.ends[AMOUNT]);
  if (!Number.isNaN(amount)) return add(call, amount);
  const wide = parseInt64(call.bytes, call.starts[AMOUNT], call.ends[AMOUNT]);
  if (wide === undefined) return call.fail(NOT_AN_INTEGER);
  addWide(call, wide);
}

export function decrBy(call: Call) {
  const amount = parseSafeInteger(call.bytes, call.starts[AMOUNT], call.ends[AMOUNT]);
  if (!Number.isNaN(amount)) return add(call, -amount);
  const wide = parseInt64(call.bytes, call.starts[AMOUNT], call.ends[AMOUNT]);
  if (wide === undefined) return call.fail(NOT_AN_INTEGER);
  if (wide === INT64_MIN) return call.fail(DECREMENT_WOULD_OVERFLOW);
  addWide(call, -wide);
}

function add(call: Call, amount: number) {
  const view = call.find(KEY);
  if (call.refusesType(view, ValueType.string)) return;
  const length = view === undefined ? 0 : readDigits(view);
  if (length < 0) return call.fail(NOT_AN_INTEGER);
  const before = view === undefined ? 0 : parseSafeInteger(current, 0, length);
  const after = before + amount;
  if (!Number.isSafeInteger(after)) return addWide(call, BigInt(amount));
  store(call, putInteger(digits, after), view?.expireAtMs ?? 0);
  call.reply.integer(after);
}

function addWide(call: Call, amount: bigint) {
  const view = call.find(KEY);
  if (call.refusesType(view, ValueType.string)) return;
  const length = view === undefined ? 0 : readDigits(view);
  const before = view === undefined ? 0n : length < 0 ? undefined : parseInt64(current, 0, length);
  if (before === undefined) return call.fail(NOT_AN_INTEGER);
  const after = before + amount;
  if (after > INT64_MAX || after < INT64_MIN) return call.fail(WOULD_OVERFLOW);
  store(call, putInt64(digits, after), view?.expireAtMs ?? 0);
  call.reply.integer(after);
}

/** Copies the value into `current`; returns its length, or -1 where it is too long for an integer. */
function readDigits(view: RecordView): number {
  return view.length > INTEGER_BYTES_MAX ? -1 : view.copyTo(current, 0);
}

/** The key keeps the time at which it ends. */
function store(call: Call, digitsFrom: number, expireAtMs: number) {
  call.transaction.putString(
    call.session.database,
    call.bytes,
    call.starts[KEY],
    call.ends[KEY],
    digits,
    digitsFrom,
    digits.length,
    expireAtMs,
  );
}

/**
 * EXPIRE and kin, TTL and kin, PERSIST. Source: Redis 7.0, `expire.c`.
 *
 * A time that has passed removes the key at once. Seconds are rounded to the nearest, as Redis does.
 */
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { type Deadline, readDeadline } from './deadline.js';

const NX = word('nx');
const XX = word('xx');
const GT = word('gt');
const LT = word('lt');

const KEY = 1;
const TIME = 2;
const OPTIONS = 3;

const ONLY_WITHOUT = 1;
const ONLY_WITH = 2;
const ONLY_LATER = 4;
const ONLY_EARLIER = 8;

/** What TTL answers where there is no key, and where the key has no end. */
const NO_KEY = -2;
const NO_EXPIRY = -1;

export function expire(call: Call) {
  setExpiry(call, 's');
}

export function pexpire(call: Call) {
  setExpiry(call, 'ms');
}

export function expireAt(call: Call) {
  setExpiry(call, 'atS');
}

export function pexpireAt(call: Call) {
  setExpiry(call, 'atMs');
}

function setExpiry(call: Call, deadline: Deadline) {
  const condition = call.argc === OPTIONS ? 0 : readCondition(call);
  if (condition < 0) return;
  const atMs = readDeadline(call, TIME, deadline, 'any');
  if (Number.isNaN(atMs)) return;
  const view = call.find(KEY);
  if (view === undefined || !allows(condition, view.expireAtMs, atMs)) {
    return call.reply.integer(0);
  }
  if (atMs <= call.transaction.nowMs) {
    call.remove(KEY);
  } else {
    call.setExpiry(KEY, atMs);
  }
  call.reply.integer(1);
}

/** The options as bits; -1 with the error replied. */
function readCondition(call: Call): number {
  let condition = 0;
  for (let i = OPTIONS; i < call.argc; i++) {
    if (call.is(i, NX)) condition |= ONLY_WITHOUT;
    else if (call.is(i, XX)) condition |= ONLY_WITH;
    else if (call.is(i, GT)) condition |= ONLY_LATER;
    else if (call.is(i, LT)) condition |= ONLY_EARLIER;
    else {
      call.fail(`ERR Unsupported option ${call.quote(i)}`);
      return -1;
    }
  }
  if (condition & ONLY_WITHOUT && condition !== ONLY_WITHOUT) {
    call.fail('ERR NX and XX, GT or LT options at the same time are not compatible');
    return -1;
  }
  if (condition & ONLY_LATER && condition & ONLY_EARLIER) {
    call.fail('ERR GT and LT options at the same time are not compatible');
    return -1;
  }
  return condition;
}

/** A key without an end counts as one that ends later than any. */
function allows(condition: number, beforeMs: number, afterMs: number): boolean {
  const had = beforeMs !== 0;
  if (condition & ONLY_WITHOUT && had) return false;
  if (condition & ONLY_WITH && !had) return false;
  if (condition & ONLY_LATER && (!had || afterMs <= beforeMs)) return false;
  if (condition & ONLY_EARLIER && had && afterMs >= beforeMs) return false;
  return true;
}

export function ttl(call: Call) {
  const leftMs = timeLeft(call);
  call.reply.integer(leftMs < 0 ? leftMs : Math.floor((leftMs + 500) / 1000));
}

export function pttl(call: Call) {
  call.reply.integer(timeLeft(call));
}

export function expireTime(call: Call) {
  const atMs = timeOfEnd(call);
  call.reply.integer(atMs < 0 ? atMs : Math.floor((atMs + 500) / 1000));
}

export function pexpireTime(call: Call) {
  call.reply.integer(timeOfEnd(call));
}

function timeLeft(call: Call): number {
  const atMs = timeOfEnd(call);
  return atMs < 0 ? atMs : Math.max(0, atMs - call.transaction.nowMs);
}

function timeOfEnd(call: Call): number {
  const view = call.inspect(KEY);
  if (view === undefined) return NO_KEY;
  return view.expireAtMs === 0 ? NO_EXPIRY : view.expireAtMs;
}

export function persist(call: Call) {
  const view = call.find(KEY);
  if (view === undefined || view.expireAtMs === 0) return call.reply.integer(0);
  call.setExpiry(KEY, 0);
  call.reply.integer(1);
}

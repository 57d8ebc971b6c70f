/** When a field shall end. Source: Redis 8.0, `parseExpireTime` in `t_hash.c`. */
import { parseInt64, parseSafeInteger } from '../bytes/integers.js';
import type { Call } from '../dispatch/call.js';
import { invalidExpireTime, NOT_AN_INTEGER } from '../errors.js';
import type { Deadline } from '../expiry/deadline.js';
import { FIELD_EXPIRE_AT_MS_MAX } from '../limits.js';

/** The time in argument `index` as ms since 1970; NaN with the error replied where it is none. */
export function readFieldDeadline(call: Call, index: number, deadline: Deadline): number {
  const from = call.starts[index];
  const to = call.ends[index];
  const given = parseSafeInteger(call.bytes, from, to);
  const scaled = deadline === 's' || deadline === 'atS' ? given * 1000 : given;
  const atMs = deadline === 's' || deadline === 'ms' ? scaled + call.transaction.nowMs : scaled;
  if (given >= 0 && atMs <= FIELD_EXPIRE_AT_MS_MAX) return atMs;
  const exact = parseInt64(call.bytes, from, to);
  if (exact === undefined) call.fail(NOT_AN_INTEGER);
  else if (exact < 0n) call.fail('ERR invalid expire time, must be >= 0');
  else call.fail(invalidExpireTime(call.command.fullName));
  return Number.NaN;
}

/** Whether a field that is given this time is removed at once. */
export function hasPassed(call: Call, atMs: number): boolean {
  return atMs <= call.transaction.nowMs;
}

/** Reads when a key shall end: relative or absolute, in seconds or milliseconds. */
import { INT64_MIN, parseInt64, parseSafeInteger } from '../bytes/integers.js';
import type { Call } from '../dispatch/call.js';
import { invalidExpireTime, NOT_AN_INTEGER } from '../errors.js';
import { EXPIRE_AT_MS_MAX } from '../limits.js';

/** From now in seconds or ms, or since 1970 in seconds or ms. */
export type Deadline = 's' | 'ms' | 'atS' | 'atMs';

/**
 * The time in argument `index` as ms since 1970; NaN with the error replied where it is none. With
 * `sign` `positive` zero and less are refused, as SET does; EXPIRE takes them as "at once".
 *
 * Times above 2^53 - 1 ms (the year 287396) are refused, since no effect can carry them: Redis goes on
 * to 2^63 - 1. Times before 1970 that are as far away are all the same, in the past.
 */
export function readDeadline(
  call: Call,
  index: number,
  deadline: Deadline,
  sign: 'positive' | 'any',
): number {
  const from = call.starts[index];
  const to = call.ends[index];
  const given = parseSafeInteger(call.bytes, from, to);
  const scaled = deadline === 's' || deadline === 'atS' ? given * 1000 : given;
  const atMs = deadline === 's' || deadline === 'ms' ? scaled + call.transaction.nowMs : scaled;
  const inRange = atMs <= EXPIRE_AT_MS_MAX && atMs >= -EXPIRE_AT_MS_MAX;
  if (inRange && (sign === 'any' || given > 0)) return atMs;
  const exact = parseInt64(call.bytes, from, to);
  if (exact === undefined) {
    call.fail(NOT_AN_INTEGER);
  } else if (sign === 'any' && exact < 0n && !overflows(exact, deadline)) {
    return -EXPIRE_AT_MS_MAX;
  } else {
    call.fail(invalidExpireTime(call.command.fullName));
  }
  return Number.NaN;
}

/** Whether Redis's 64 bits of milliseconds cannot hold it. */
function overflows(given: bigint, deadline: Deadline): boolean {
  return (deadline === 's' || deadline === 'atS') && given * 1000n < INT64_MIN;
}

/** `FIELDS numfields field [field ...]`, as the commands about fields that end have it. */
import { parseSafeInteger } from '../bytes/integers.js';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';

const FIELDS = word('fields');

export const BAD_FIELD_COUNT = 'ERR Number of fields must be a positive integer';

/**
 * Reads the list at argument `index`, to the end of the arguments; returns where the first field is, 0
 * with the error replied. Source: Redis 8.0, `t_hash.c`.
 */
export function readFieldList(call: Call, index: number, badCount = BAD_FIELD_COUNT): number {
  if (index >= call.argc || !call.is(index, FIELDS)) {
    call.fail('ERR Mandatory argument FIELDS is missing or not at the right position');
    return 0;
  }
  const countAt = index + 1;
  const count =
    countAt < call.argc
      ? parseSafeInteger(call.bytes, call.starts[countAt], call.ends[countAt])
      : Number.NaN;
  if (!(count > 0)) {
    call.fail(badCount);
    return 0;
  }
  if (count !== call.argc - countAt - 1) {
    call.fail('ERR The `numfields` parameter must match the number of arguments');
    return 0;
  }
  return countAt + 1;
}

/**
 * SCAN and KEYS. Source: https://redis.io/commands/scan and Redis 7.0, `scanGenericCommand`.
 *
 * Keys seen by a visitor are borrowed: those that match are copied, since the number of them is
 * written before them.
 */
import type { RecordView } from '@nendb/engine';
import { globMatches } from '../bytes/glob.js';
import { parseSafeInteger } from '../bytes/integers.js';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { INVALID_CURSOR, NOT_AN_INTEGER, PATTERN_TOO_LONG, SYNTAX } from '../errors.js';
import { PATTERN_BYTES_MAX, SCAN_COUNT_MAX, SCAN_STEP } from '../limits.js';
import { TYPE_NAMES } from './type-names.js';

const MATCH = word('match');
const COUNT = word('count');
const TYPE = word('type');

const COUNT_DEFAULT = 10;

const UINT64_MAX = 2n ** 64n - 1n;
/** No cursor in its plain form is longer; more leading zeros than this are not worth reading. */
const CURSOR_BYTES_MAX = 64;

/** SCAN cursor [MATCH pattern] [COUNT count] [TYPE type] */
export function scan(call: Call) {
  const cursor = readCursor(call, 1);
  if (cursor === undefined) return call.fail(INVALID_CURSOR);
  let count = COUNT_DEFAULT;
  let pattern: Uint8Array | undefined;
  let type: string | undefined;
  for (let i = 2; i < call.argc; i += 2) {
    if (i + 1 >= call.argc) return call.fail(SYNTAX);
    if (call.is(i, COUNT)) {
      count = parseSafeInteger(call.bytes, call.starts[i + 1], call.ends[i + 1]);
      if (Number.isNaN(count)) return call.fail(NOT_AN_INTEGER);
      if (count < 1) return call.fail(SYNTAX);
    } else if (call.is(i, MATCH)) {
      pattern = call.slice(i + 1);
      if (pattern.length > PATTERN_BYTES_MAX) return call.fail(PATTERN_TOO_LONG);
    } else if (call.is(i, TYPE)) {
      type = call.text(i + 1).toLowerCase();
    } else {
      return call.fail(SYNTAX);
    }
  }
  const found: Buffer[] = [];
  const next = Number.isSafeInteger(cursor)
    ? call.transaction.scan(
        call.session.database,
        cursor,
        Math.min(count, SCAN_COUNT_MAX),
        (key, view) => {
          if (matches(key, view, pattern, type)) found.push(Buffer.from(key));
        },
      )
    : 0;
  call.reply.array(2);
  call.reply.text(String(next));
  replyKeys(call, found);
}

/**
 * The cursor in argument `index`, Infinity where it is larger than any that was ever given out (the
 * scan is at its end then), `undefined` where it is none.
 *
 * Redis reads it with C's `strtoul`: nothing at all is 0, signs and leading zeros may be there, and
 * `-1` is 2^64 - 1.
 */
function readCursor(call: Call, index: number): number | undefined {
  const usual = parseSafeInteger(call.bytes, call.starts[index], call.ends[index]);
  if (usual >= 0) return usual;
  if (call.ends[index] - call.starts[index] > CURSOR_BYTES_MAX) return undefined;
  const [, sign, digits] = /^(?:([+-]?)(\d+))?$/.exec(call.text(index)) ?? [
    undefined,
    '',
    undefined,
  ];
  if (digits === undefined) return call.starts[index] === call.ends[index] ? 0 : undefined;
  const value = BigInt(digits);
  if (value > UINT64_MAX) return undefined;
  const cursor = Number(sign === '-' ? BigInt.asUintN(64, -value) : value);
  return Number.isSafeInteger(cursor) ? cursor : Number.POSITIVE_INFINITY;
}

/** KEYS pattern */
export function keys(call: Call) {
  const pattern = call.slice(1);
  if (pattern.length > PATTERN_BYTES_MAX) return call.fail(PATTERN_TOO_LONG);
  const found: Buffer[] = [];
  let cursor = 0;
  do {
    cursor = call.transaction.scan(call.session.database, cursor, SCAN_STEP, (key) => {
      if (globMatches(pattern, key)) found.push(Buffer.from(key));
    });
  } while (cursor !== 0);
  replyKeys(call, found);
}

function matches(
  key: Uint8Array,
  view: RecordView,
  pattern: Uint8Array | undefined,
  type: string | undefined,
): boolean {
  if (type !== undefined && TYPE_NAMES[view.type] !== type) return false;
  return pattern === undefined || globMatches(pattern, key);
}

function replyKeys(call: Call, found: readonly Buffer[]) {
  call.reply.array(found.length);
  for (const key of found) call.reply.bulk(key);
}

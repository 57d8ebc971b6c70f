/**
 * SCAN and KEYS; how all scans read their arguments. Source: https://redis.io/commands/scan and Redis 7.0, `scanGenericCommand`.
 *
 * Keys seen by a visitor are borrowed: those that match are copied, since the number of them is
 * written before them.
 */
import type { RecordView } from '@nendb/engine';
import { globMatches } from '../bytes/glob.js';
import { parseSafeInteger } from '../bytes/integers.js';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { readInteger } from '../dispatch/numbers.js';
import { INVALID_CURSOR, PATTERN_TOO_LONG, SYNTAX } from '../errors.js';
import { PATTERN_BYTES_MAX, SCAN_COUNT_MAX, SCAN_STEP } from '../limits.js';
import { TYPE_NAMES } from './type-names.js';

const MATCH = word('match');
const COUNT = word('count');
const TYPE = word('type');
export const NOVALUES = word('novalues');

const COUNT_DEFAULT = 10;

const UINT64_MAX = 2n ** 64n - 1n;
/** No cursor in its plain form is longer; more leading zeros than this are not worth reading. */
const CURSOR_BYTES_MAX = 64;

export interface ScanOptions {
  count: number;
  pattern: Uint8Array | undefined;
  /** SCAN's TYPE, in lower case. */
  type: string | undefined;
  /** HSCAN's NOVALUES. */
  noValues: boolean;
}

/** SCAN cursor [MATCH pattern] [COUNT count] [TYPE type] */
export function scan(call: Call) {
  const cursor = readCursor(call, 1);
  if (cursor === undefined) return;
  const options = readScanOptions(call, 2, TYPE);
  if (options === undefined) return;
  const { count, pattern, type } = options;
  const found: Buffer[] = [];
  const next = Number.isSafeInteger(cursor)
    ? call.transaction.scan(call.session.database, cursor, count, (key, view) => {
        if (matches(key, view, pattern, type)) found.push(Buffer.from(key));
      })
    : 0;
  call.reply.array(2);
  call.reply.text(String(next));
  replyKeys(call, found);
}

/**
 * Reads the options from argument `index` on, of which `own` is the one that the command has besides
 * MATCH and COUNT; `undefined` with the error replied.
 */
export function readScanOptions(
  call: Call,
  index: number,
  own: Uint8Array,
): ScanOptions | undefined {
  const options: ScanOptions = {
    count: COUNT_DEFAULT,
    pattern: undefined,
    type: undefined,
    noValues: false,
  };
  for (let i = index; i < call.argc; i++) {
    const more = i + 1 < call.argc;
    if (call.is(i, COUNT) && more) {
      const count = readInteger(call, ++i);
      if (Number.isNaN(count)) return undefined;
      if (count < 1) return refused(call, SYNTAX);
      options.count = Math.min(count, SCAN_COUNT_MAX);
    } else if (call.is(i, MATCH) && more) {
      options.pattern = call.slice(++i);
      if (options.pattern.length > PATTERN_BYTES_MAX) return refused(call, PATTERN_TOO_LONG);
    } else if (own === TYPE && call.is(i, TYPE) && more) {
      options.type = call.text(++i).toLowerCase();
    } else if (own === NOVALUES && call.is(i, NOVALUES)) {
      options.noValues = true;
    } else {
      return refused(call, SYNTAX);
    }
  }
  return options;
}

function refused(call: Call, text: string): undefined {
  call.fail(text);
  return undefined;
}

/**
 * The cursor in argument `index`, Infinity where it is larger than any that was ever given out (the
 * scan is at its end then), `undefined` with the error replied where it is none.
 *
 * Redis reads it with C's `strtoul`: nothing at all is 0, signs and leading zeros may be there, and
 * `-1` is 2^64 - 1.
 */
export function readCursor(call: Call, index: number): number | undefined {
  const cursor = cursorIn(call, index);
  if (cursor === undefined) call.fail(INVALID_CURSOR);
  return cursor;
}

function cursorIn(call: Call, index: number): number | undefined {
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

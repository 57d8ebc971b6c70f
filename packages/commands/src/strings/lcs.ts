/**
 * LCS: the longest common subsequence of two strings. Source: Redis 7.0, `lcsCommand`; where there are
 * several of the same length, the walk back through the table finds the one that Redis finds.
 *
 *     lengths[i, j] = lengths[i-1, j-1] + 1                        where a[i-1] = b[j-1]
 *                     max(lengths[i-1, j], lengths[i, j-1])        elsewhere
 */
import { ValueType } from '@nendb/engine';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { readInteger } from '../dispatch/numbers.js';
import { SYNTAX } from '../errors.js';
import { LCS_TABLE_BYTES_MAX } from '../limits.js';

const IDX = word('idx');
const LEN = word('len');
const WITHMATCHLEN = word('withmatchlen');
const MINMATCHLEN = word('minmatchlen');

const OPTIONS = 3;
const NOTHING = Buffer.alloc(0);

interface LcsOptions {
  indexes: boolean;
  length: boolean;
  withMatchLength: boolean;
  matchLengthMin: number;
}

/** A run that both strings have: from the start to the end, which belongs to it. */
interface Match {
  aFrom: number;
  aTo: number;
  bFrom: number;
  bTo: number;
}

/** LCS key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN] */
export function lcs(call: Call) {
  const a = stringIn(call, 1);
  const b = stringIn(call, 2);
  if (a === undefined || b === undefined) {
    return call.fail('ERR The specified keys must contain string values');
  }
  const options = readOptions(call);
  if (options === undefined) return;
  if ((a.length + 1) * (b.length + 1) * Uint32Array.BYTES_PER_ELEMENT > LCS_TABLE_BYTES_MAX) {
    return call.fail(
      'ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len',
    );
  }
  const lengths = lengthsOf(a, b);
  const length = lengths[lengths.length - 1];
  if (options.length) return call.reply.integer(length);
  const matches = matchesOf(a, b, lengths);
  if (!options.indexes) return replyText(call, a, matches, length);
  replyMatches(call, matches, length, options);
}

/** A copy, since the view of one key is gone once the other is looked up; `undefined` for no string. */
function stringIn(call: Call, index: number): Buffer | undefined {
  const view = call.lookUp(index);
  if (view === undefined) return NOTHING;
  return view.type === ValueType.string ? Buffer.from(view.bytes()) : undefined;
}

function readOptions(call: Call): LcsOptions | undefined {
  const options = { indexes: false, length: false, withMatchLength: false, matchLengthMin: 0 };
  for (let i = OPTIONS; i < call.argc; i++) {
    if (call.is(i, IDX)) options.indexes = true;
    else if (call.is(i, LEN)) options.length = true;
    else if (call.is(i, WITHMATCHLEN)) options.withMatchLength = true;
    else if (call.is(i, MINMATCHLEN) && i + 1 < call.argc) {
      const length = readInteger(call, ++i);
      if (Number.isNaN(length)) return undefined;
      options.matchLengthMin = Math.max(0, length);
    } else {
      call.fail(SYNTAX);
      return undefined;
    }
  }
  if (!options.indexes || !options.length) return options;
  call.fail('ERR If you want both the length and indexes, please just use IDX.');
  return undefined;
}

function lengthsOf(a: Uint8Array, b: Uint8Array): Uint32Array {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = 1; i <= a.length; i++) {
    const row = i * width;
    for (let j = 1; j <= b.length; j++) {
      const above = lengths[row - width + j];
      const left = lengths[row + j - 1];
      lengths[row + j] =
        a[i - 1] === b[j - 1] ? lengths[row - width + j - 1] + 1 : Math.max(above, left);
    }
  }
  return lengths;
}

/** The runs, last one first. */
function matchesOf(a: Uint8Array, b: Uint8Array, lengths: Uint32Array): Match[] {
  const width = b.length + 1;
  const matches: Match[] = [];
  let open: Match | undefined;
  let i = a.length;
  let j = b.length;
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      i--;
      j--;
      if (open === undefined) {
        open = { aFrom: i, aTo: i, bFrom: j, bTo: j };
        matches.push(open);
      }
      open.aFrom = i;
      open.bFrom = j;
    } else {
      open = undefined;
      if (lengths[(i - 1) * width + j] > lengths[i * width + j - 1]) i--;
      else j--;
    }
  }
  return matches;
}

function replyText(call: Call, a: Uint8Array, matches: readonly Match[], length: number) {
  let at = call.reply.reserveBulk(length);
  for (const { aFrom, aTo } of matches.toReversed()) {
    call.reply.bytes.set(a.subarray(aFrom, aTo + 1), at);
    at += aTo + 1 - aFrom;
  }
}

function replyMatches(
  call: Call,
  matches: readonly Match[],
  length: number,
  { matchLengthMin, withMatchLength }: LcsOptions,
) {
  const { reply } = call;
  const shown = matches.filter(({ aFrom, aTo }) => aTo + 1 - aFrom >= matchLengthMin);
  reply.map(2);
  reply.text('matches');
  reply.array(shown.length);
  for (const { aFrom, aTo, bFrom, bTo } of shown) {
    reply.array(withMatchLength ? 3 : 2);
    for (const [from, to] of [
      [aFrom, aTo],
      [bFrom, bTo],
    ]) {
      reply.array(2);
      reply.integer(from);
      reply.integer(to);
    }
    if (withMatchLength) reply.integer(aTo + 1 - aFrom);
  }
  reply.text('len');
  reply.integer(length);
}

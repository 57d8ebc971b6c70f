/** BITOP: the result is a new string, as long as the longest source. Source: Redis 7.0, `bitopCommand`. */
import { ValueType } from '@nendb/engine';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { SYNTAX, WRONG_TYPE } from '../errors.js';

const OPERATION = 1;
const TARGET = 2;
const SOURCES = 3;

const AND = word('and');
const OR = word('or');
const XOR = word('xor');
const NOT = word('not');

/** BITOP operation destkey key [key ...] */
export function bitOp(call: Call) {
  const combine = operationOf(call);
  const isNot = call.is(OPERATION, NOT);
  if (combine === undefined && !isNot) return call.fail(SYNTAX);
  if (isNot && call.argc !== SOURCES + 1) {
    return call.fail('ERR BITOP NOT must be called with a single source key.');
  }
  let length = 0;
  for (let i = SOURCES; i < call.argc; i++) {
    const view = call.lookUp(i);
    if (view !== undefined && view.type !== ValueType.string) return call.fail(WRONG_TYPE);
    length = Math.max(length, view?.length ?? 0);
  }
  if (length === 0) {
    call.remove(TARGET);
    return call.reply.integer(0);
  }
  call.use(TARGET);
  const result = Buffer.alloc(length);
  call.find(SOURCES)?.copyTo(result, 0);
  if (combine === undefined) for (let at = 0; at < length; at++) result[at] = ~result[at];
  else for (let i = SOURCES + 1; i < call.argc; i++) combine(result, bytesOf(call, i));
  call.transaction.putString(
    call.session.database,
    call.bytes,
    call.starts[TARGET],
    call.ends[TARGET],
    result,
    0,
    length,
    0,
  );
  call.reply.integer(length);
}

const NOTHING = new Uint8Array(0);

function bytesOf(call: Call, index: number): Uint8Array {
  return call.find(index)?.bytes() ?? NOTHING;
}

/** Changes `result` by `source`, behind whose end there are zeros. */
type Combine = (result: Uint8Array, source: Uint8Array) => void;

function operationOf(call: Call): Combine | undefined {
  if (call.is(OPERATION, AND)) return and;
  if (call.is(OPERATION, OR)) return or;
  return call.is(OPERATION, XOR) ? xor : undefined;
}

function and(result: Uint8Array, source: Uint8Array) {
  for (let at = 0; at < source.length; at++) result[at] &= source[at];
  result.fill(0, source.length);
}

function or(result: Uint8Array, source: Uint8Array) {
  for (let at = 0; at < source.length; at++) result[at] |= source[at];
}

function xor(result: Uint8Array, source: Uint8Array) {
  for (let at = 0; at < source.length; at++) result[at] ^= source[at];
}

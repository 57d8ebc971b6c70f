/**
 * BITFIELD and BITFIELD_RO: integers of any width inside a string. Source: Redis 7.0,
 * `bitfieldGeneric`.
 *
 * All operations are read before any runs. They see each other's writes through `BitWindow`; what is
 * staged in the end are patches of the bytes written, not the whole value (R1).
 */
import { ValueType } from '@nendb/engine';
import { parseInt64 } from '../bytes/integers.js';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { NOT_AN_INTEGER, SYNTAX } from '../errors.js';
import { type BitIntegerType, fitted, type Overflow, readBitIntegerType } from './bit-integer.js';
import { readBitOffset } from './bit-offset.js';
import { BitWindow } from './bit-window.js';

const GET = word('get');
const SET = word('set');
const INCRBY = word('incrby');
const OVERFLOW = word('overflow');
const WRAP = word('wrap');
const SAT = word('sat');
const FAIL = word('fail');

const KEY = 1;
const OPERATIONS = 2;

interface Operation {
  kind: 'get' | 'set' | 'incrby';
  type: BitIntegerType;
  /** In bits. */
  offset: number;
  operand: bigint;
  overflow: Overflow;
}

/** BITFIELD key [GET type offset | [OVERFLOW WRAP | SAT | FAIL] SET | INCRBY type offset value] ... */
export function bitField(call: Call) {
  run(call, false);
}

export function bitFieldReadOnly(call: Call) {
  run(call, true);
}

function run(call: Call, readOnly: boolean) {
  const operations = readOperations(call);
  if (operations === undefined) return;
  const writes = operations.filter(({ kind }) => kind !== 'get');
  if (readOnly && writes.length > 0) {
    return call.fail('ERR BITFIELD_RO only supports the GET subcommand');
  }
  const view = writes.length > 0 ? call.find(KEY) : call.lookUp(KEY);
  if (call.refusesType(view, ValueType.string)) return;
  const window = new BitWindow(view?.bytes() ?? new Uint8Array(0));
  call.reply.array(operations.length);
  for (const operation of operations) runOne(call, operation, window);
  if (writes.length === 0) return;
  const bits = writes.reduce((most, { offset, type }) => Math.max(most, offset + type.bits), 0);
  const length = Math.max(view?.length ?? 0, Math.ceil(bits / 8));
  window.stage(call, KEY, length);
}

function runOne(
  call: Call,
  { kind, type, offset, operand, overflow }: Operation,
  window: BitWindow,
) {
  const raw = window.read(offset, type.bits);
  const before = type.signed ? BigInt.asIntN(type.bits, raw) : raw;
  if (kind === 'get') return call.reply.integer(before);
  // An unsigned field is given a negative number as the 64 bits that it is.
  const given = type.signed || kind === 'incrby' ? operand : BigInt.asUintN(64, operand);
  const after =
    kind === 'set' ? fitted(given, 0n, type, overflow) : fitted(before, given, type, overflow);
  if (after === undefined) return call.reply.null();
  window.write(offset, type.bits, BigInt.asUintN(type.bits, after));
  call.reply.integer(kind === 'set' ? before : after);
}

function readOperations(call: Call): Operation[] | undefined {
  const operations: Operation[] = [];
  let overflow: Overflow = 'wrap';
  let at = OPERATIONS;
  while (at < call.argc) {
    const more = call.argc - 1 - at;
    if (call.is(at, OVERFLOW) && more >= 1) {
      const named = overflowNamed(call, at + 1);
      if (named === undefined) return undefined;
      overflow = named;
      at += 2;
      continue;
    }
    const kind = kindOf(call, at);
    const width = kind === 'get' ? 2 : 3;
    if (kind === undefined || more < width) {
      call.fail(SYNTAX);
      return undefined;
    }
    const type = readBitIntegerType(call, at + 1);
    if (type === undefined) return undefined;
    const offset = readBitOffset(call, at + 2, type.bits);
    if (Number.isNaN(offset)) return undefined;
    const operand =
      kind === 'get' ? 0n : parseInt64(call.bytes, call.starts[at + 3], call.ends[at + 3]);
    if (operand === undefined) {
      call.fail(NOT_AN_INTEGER);
      return undefined;
    }
    operations.push({ kind, type, offset, operand, overflow });
    at += 1 + width;
  }
  return operations;
}

function kindOf(call: Call, index: number): Operation['kind'] | undefined {
  if (call.is(index, GET)) return 'get';
  if (call.is(index, SET)) return 'set';
  return call.is(index, INCRBY) ? 'incrby' : undefined;
}

function overflowNamed(call: Call, index: number): Overflow | undefined {
  if (call.is(index, WRAP)) return 'wrap';
  if (call.is(index, SAT)) return 'sat';
  if (call.is(index, FAIL)) return 'fail';
  call.fail('ERR Invalid OVERFLOW type specified');
  return undefined;
}

/** In COMMAND GETKEYSANDFLAGS BITFIELD key ...: it only reads where it has GETs only. */
export function bitFieldAccess(call: Call): string {
  for (let i = OPERATIONS + 2; i < call.argc; i++) {
    if (call.is(i, SET) || call.is(i, INCRBY)) return 'RW access update';
  }
  return 'RO access';
}

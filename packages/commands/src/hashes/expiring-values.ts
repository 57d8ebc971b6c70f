/** HGETDEL, HGETEX, HSETEX. Source: Redis 8.0, `t_hash.c`. */
import { ValueType } from '@nendb/engine';
import { parseSafeInteger } from '../bytes/integers.js';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { wrongArity } from '../errors.js';
import type { Deadline } from '../expiry/deadline.js';
import { findField, putField, removeField, setFieldExpiry } from './field.js';
import { hasPassed, readFieldDeadline } from './field-deadline.js';
import { readFieldList } from './field-list.js';

const EX = word('ex');
const PX = word('px');
const EXAT = word('exat');
const PXAT = word('pxat');
const PERSIST = word('persist');
const KEEPTTL = word('keepttl');
const FNX = word('fnx');
const FXX = word('fxx');
const FIELDS = word('fields');

const KEY = 1;
const OPTIONS = 2;

/** HGETDEL key FIELDS numfields field [field ...] */
export function hGetDel(call: Call) {
  if (call.refusesType(call.find(KEY), ValueType.hash)) return;
  const first = readFieldList(call, OPTIONS);
  if (first === 0) return;
  call.reply.array(call.argc - first);
  for (let i = first; i < call.argc; i++) if (replyField(call, i)) removeField(call, i);
}

/** HGETEX key [EX s | PX ms | EXAT time | PXAT time | PERSIST] FIELDS numfields field [field ...] */
export function hGetEx(call: Call) {
  if (call.refusesType(call.find(KEY), ValueType.hash)) return;
  const deadline = deadlineNamed(call, OPTIONS);
  const persist = deadline === undefined && call.is(OPTIONS, PERSIST);
  const atMs = deadline === undefined ? 0 : readFieldDeadline(call, OPTIONS + 1, deadline);
  if (Number.isNaN(atMs)) return;
  const listAt = OPTIONS + (deadline === undefined ? Number(persist) : 2);
  const first = readFieldList(call, listAt);
  if (first === 0) return;
  call.reply.array(call.argc - first);
  for (let i = first; i < call.argc; i++) {
    if (!replyField(call, i)) continue;
    if (deadline !== undefined && hasPassed(call, atMs)) removeField(call, i);
    else if (deadline !== undefined || persist) setFieldExpiry(call, i, atMs);
  }
}

/** Replies the field's value, or null; returns whether it is there. */
function replyField(call: Call, field: number): boolean {
  const view = findField(call, field);
  if (view === undefined) call.reply.null();
  else call.value(view);
  return view !== undefined;
}

function deadlineNamed(call: Call, index: number): Deadline | undefined {
  if (call.is(index, EX)) return 's';
  if (call.is(index, PX)) return 'ms';
  if (call.is(index, EXAT)) return 'atS';
  return call.is(index, PXAT) ? 'atMs' : undefined;
}

interface SetOptions {
  onlyNew: boolean;
  onlyOld: boolean;
  keepTtl: boolean;
  /** In ms since 1970; `undefined` without one. */
  atMs: number | undefined;
  /** The argument with the first field. */
  first: number;
}

/**
 * HSETEX key [FNX | FXX] [EX s | PX ms | EXAT time | PXAT time | KEEPTTL] FIELDS numfields field value
 * [field value ...]: all of the fields, or none.
 */
export function hSetEx(call: Call) {
  const options = readSetOptions(call);
  if (options === undefined) return;
  if (call.refusesType(call.find(KEY), ValueType.hash)) return;
  const { first, onlyNew, onlyOld, keepTtl, atMs } = options;
  for (let i = first; i < call.argc && (onlyNew || onlyOld); i += 2) {
    if ((findField(call, i) === undefined) === onlyOld) return call.reply.integer(0);
  }
  for (let i = first; i < call.argc; i += 2) {
    const keptMs = keepTtl ? (findField(call, i)?.expireAtMs ?? 0) : 0;
    putField(call, i, i + 1);
    if (atMs !== undefined && hasPassed(call, atMs)) removeField(call, i);
    else if (atMs !== undefined || keptMs !== 0) setFieldExpiry(call, i, atMs ?? keptMs);
  }
  call.reply.integer(1);
}

/** The options may stand in any order before FIELDS; `undefined` with the error replied. */
function readSetOptions(call: Call): SetOptions | undefined {
  const options: SetOptions = {
    onlyNew: false,
    onlyOld: false,
    keepTtl: false,
    atMs: undefined,
    first: 0,
  };
  for (let i = OPTIONS; i < call.argc; i++) {
    const deadline = deadlineNamed(call, i);
    if (call.is(i, FIELDS)) {
      options.first = readPairs(call, i);
      return options.first === 0 ? undefined : options;
    }
    if (deadline !== undefined || call.is(i, KEEPTTL)) {
      if (options.keepTtl || options.atMs !== undefined) {
        return refused(
          call,
          'ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified',
        );
      }
      options.keepTtl = deadline === undefined;
      if (deadline === undefined) continue;
      if (i + 1 >= call.argc) return refused(call, 'ERR missing expire time');
      options.atMs = readFieldDeadline(call, ++i, deadline);
      if (Number.isNaN(options.atMs)) return undefined;
    } else if (call.is(i, FNX) || call.is(i, FXX)) {
      if (options.onlyNew || options.onlyOld) {
        return refused(call, 'ERR Only one of FXX or FNX arguments can be specified');
      }
      options.onlyNew = call.is(i, FNX);
      options.onlyOld = !options.onlyNew;
    } else {
      return refused(call, `ERR unknown argument: ${call.quote(i)}`);
    }
  }
  return refused(call, wrongArity(call.command.fullName));
}

/** Where the first field of the pairs behind FIELDS at `index` is; 0 with the error replied. */
function readPairs(call: Call, index: number): number {
  const first = index + 2;
  if (first + 1 >= call.argc) return refusedPairs(call, wrongArity(call.command.fullName));
  const count = parseSafeInteger(call.bytes, call.starts[index + 1], call.ends[index + 1]);
  if (!(count > 0 && count <= 0x7fffffff)) {
    return refusedPairs(call, 'ERR invalid number of fields');
  }
  if (count * 2 !== call.argc - first) {
    return refusedPairs(call, wrongArity(call.command.fullName));
  }
  return first;
}

function refused(call: Call, text: string): undefined {
  call.fail(text);
  return undefined;
}

function refusedPairs(call: Call, text: string): 0 {
  call.fail(text);
  return 0;
}

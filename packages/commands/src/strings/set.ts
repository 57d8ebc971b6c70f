/**
 * SET with its options, SETEX, PSETEX, GETEX. Source: Redis 7.0, `setGenericCommand`, and
 * https://redis.io/commands/set
 *
 * Times are absolute in the log (R1). A time that has passed already removes the key.
 */
import { type RecordView, ValueType } from '@nendb/engine';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { SYNTAX } from '../errors.js';
import { type Deadline, readDeadline } from '../expiry/deadline.js';

const NX = word('nx');
const XX = word('xx');
const GET = word('get');
const KEEPTTL = word('keepttl');
const EX = word('ex');
const PX = word('px');
const EXAT = word('exat');
const PXAT = word('pxat');
const PERSIST = word('persist');

const KEY = 1;
const VALUE = 2;
const OPTIONS = 3;

/** Options of the SET being run: one object, read before the next command. */
const options = {
  onlyNew: false,
  onlyOld: false,
  get: false,
  keepTtl: false,
  /** The argument that holds the time, 0 without one. */
  deadlineAt: 0,
  deadline: 'ms' as Deadline,
};

export function set(call: Call) {
  if (call.argc === OPTIONS) {
    call.putString(KEY, VALUE, 0);
    return call.ok();
  }
  if (!readOptions(call)) return call.fail(SYNTAX);
  let expireAtMs = 0;
  if (options.deadlineAt > 0) {
    expireAtMs = readDeadline(call, options.deadlineAt, options.deadline, 'positive');
    if (Number.isNaN(expireAtMs)) return;
  }
  const view = options.get ? call.lookUp(KEY) : call.find(KEY);
  if (options.get) {
    if (call.refusesType(view, ValueType.string)) return;
    if (view === undefined) call.reply.null();
    else call.value(view);
  }
  if ((options.onlyNew && view !== undefined) || (options.onlyOld && view === undefined)) {
    if (!options.get) call.reply.null();
    return;
  }
  if (options.keepTtl) expireAtMs = view?.expireAtMs ?? 0;
  store(call, VALUE, expireAtMs, view);
  if (!options.get) call.ok();
}

export function setEx(call: Call) {
  setWithDeadline(call, 's');
}

export function psetEx(call: Call) {
  setWithDeadline(call, 'ms');
}

/** SETEX key time value */
function setWithDeadline(call: Call, deadline: Deadline) {
  const expireAtMs = readDeadline(call, 2, deadline, 'positive');
  if (Number.isNaN(expireAtMs)) return;
  store(call, 3, expireAtMs, call.find(KEY));
  call.ok();
}

function store(call: Call, value: number, expireAtMs: number, old: RecordView | undefined) {
  if (expireAtMs === 0 || expireAtMs > call.transaction.nowMs) {
    call.putString(KEY, value, expireAtMs);
  } else if (old !== undefined) {
    call.remove(KEY);
  }
}

/** GETEX key [EX seconds | PX ms | EXAT time | PXAT time | PERSIST] */
export function getEx(call: Call) {
  options.deadlineAt = 0;
  options.keepTtl = false;
  let persist = false;
  for (let i = 2; i < call.argc; i++) {
    if (call.is(i, PERSIST) && options.deadlineAt === 0) persist = true;
    else if (!persist && isDeadline(call, i)) i++;
    else return call.fail(SYNTAX);
  }
  const view = call.lookUp(KEY);
  if (view === undefined) return call.reply.null();
  if (call.refusesType(view, ValueType.string)) return;
  const expires = view.expireAtMs !== 0;
  let expireAtMs = 0;
  if (options.deadlineAt > 0) {
    expireAtMs = readDeadline(call, options.deadlineAt, options.deadline, 'positive');
    if (Number.isNaN(expireAtMs)) return;
  }
  call.value(view);
  if (options.deadlineAt > 0 && expireAtMs <= call.transaction.nowMs) call.remove(KEY);
  else if (options.deadlineAt > 0 || (persist && expires)) call.setExpiry(KEY, expireAtMs);
}

function readOptions(call: Call): boolean {
  options.onlyNew = false;
  options.onlyOld = false;
  options.get = false;
  options.keepTtl = false;
  options.deadlineAt = 0;
  for (let i = OPTIONS; i < call.argc; i++) {
    if (call.is(i, NX) && !options.onlyOld) options.onlyNew = true;
    else if (call.is(i, XX) && !options.onlyNew) options.onlyOld = true;
    else if (call.is(i, GET)) options.get = true;
    else if (call.is(i, KEEPTTL) && options.deadlineAt === 0) options.keepTtl = true;
    else if (isDeadline(call, i)) i++;
    else return false;
  }
  return true;
}

/**
 * Whether `EX seconds` or one of its kin stands at `index` and may stand there. The same one may be
 * repeated, as in Redis: the last counts.
 */
function isDeadline(call: Call, index: number): boolean {
  if (options.keepTtl || index + 1 >= call.argc) return false;
  let deadline: Deadline;
  if (call.is(index, EX)) deadline = 's';
  else if (call.is(index, PX)) deadline = 'ms';
  else if (call.is(index, EXAT)) deadline = 'atS';
  else if (call.is(index, PXAT)) deadline = 'atMs';
  else return false;
  if (options.deadlineAt > 0 && options.deadline !== deadline) return false;
  options.deadline = deadline;
  options.deadlineAt = index + 1;
  return true;
}

/** In COMMAND GETKEYSANDFLAGS SET ...: SET reads the old value only with GET. */
export function setAccess(call: Call): string {
  for (let i = OPTIONS + 2; i < call.argc; i++) if (call.is(i, GET)) return 'RW access update';
  return 'OW update';
}

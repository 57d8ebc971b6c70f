/** DEL, UNLINK, EXISTS, TOUCH, TYPE, RANDOMKEY, DBSIZE, FLUSHDB, FLUSHALL, SWAPDB. Source: Redis 7.0, `db.c`. */
import { parseSafeInteger } from '../bytes/integers.js';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { DATABASE_OUT_OF_RANGE, SYNTAX } from '../errors.js';
import { DATABASES } from '../limits.js';
import { TYPE_NAMES } from './type-names.js';

const ASYNC = word('async');
const SYNC = word('sync');

export function del(call: Call) {
  let removed = 0;
  for (let i = 1; i < call.argc; i++) if (call.remove(i)) removed++;
  call.reply.integer(removed);
}

export function exists(call: Call) {
  let found = 0;
  for (let i = 1; i < call.argc; i++) if (call.inspect(i) !== undefined) found++;
  call.reply.integer(found);
}

export function touch(call: Call) {
  let found = 0;
  for (let i = 1; i < call.argc; i++) if (call.lookUp(i) !== undefined) found++;
  call.reply.integer(found);
}

export function type(call: Call) {
  const view = call.inspect(1);
  call.reply.simple(view === undefined ? 'none' : TYPE_NAMES[view.type]);
}

export function randomKey(call: Call) {
  const { environment, session, transaction, reply } = call;
  const found = transaction.sampleKey(session.database, environment.engine.random(), (key) =>
    reply.bulk(key),
  );
  if (!found) reply.null();
}

export function dbSize(call: Call) {
  call.reply.integer(call.transaction.keyCount(call.session.database));
}

export function flushDb(call: Call) {
  if (!isFlush(call)) return call.fail(SYNTAX);
  call.transaction.flushDatabase(call.session.database);
  call.ok();
}

export function flushAll(call: Call) {
  if (!isFlush(call)) return call.fail(SYNTAX);
  call.transaction.flushAll();
  call.ok();
}

/** ASYNC and SYNC are the same here: contents are always freed in bounded steps. */
function isFlush(call: Call): boolean {
  return call.argc === 1 || (call.argc === 2 && (call.is(1, ASYNC) || call.is(1, SYNC)));
}

export function swapDb(call: Call) {
  const first = parseSafeInteger(call.bytes, call.starts[1], call.ends[1]);
  if (!isInt32(first)) return call.fail('ERR invalid first DB index');
  const second = parseSafeInteger(call.bytes, call.starts[2], call.ends[2]);
  if (!isInt32(second)) return call.fail('ERR invalid second DB index');
  if (!isDatabase(first) || !isDatabase(second)) return call.fail(DATABASE_OUT_OF_RANGE);
  if (first !== second) call.transaction.swapDatabases(first, second);
  call.ok();
}

function isInt32(value: number): boolean {
  return value === (value | 0);
}

function isDatabase(index: number): boolean {
  return index >= 0 && index < DATABASES;
}

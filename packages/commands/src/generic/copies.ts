/** RENAME, RENAMENX, COPY, MOVE. Source: Redis 7.0, `db.c`. The log gets the result (R1). */
import { parseSafeInteger } from '../bytes/integers.js';
import { isWord, word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { readInt32 } from '../dispatch/numbers.js';
import type { Request } from '../dispatch/request.js';
import { DATABASE_OUT_OF_RANGE, NO_SUCH_KEY, SAME_OBJECT, SYNTAX } from '../errors.js';
import { DATABASES } from '../limits.js';

const DB = word('db');
const REPLACE = word('replace');

const SOURCE = 1;
const TARGET = 2;
const OPTIONS = 3;

export function rename(call: Call) {
  if (call.find(SOURCE) === undefined) return call.fail(NO_SUCH_KEY);
  if (!sameName(call)) moveTo(call, call.session.database, TARGET);
  call.ok();
}

export function renameNx(call: Call) {
  if (call.find(SOURCE) === undefined) return call.fail(NO_SUCH_KEY);
  if (sameName(call) || call.find(TARGET) !== undefined) return call.reply.integer(0);
  moveTo(call, call.session.database, TARGET);
  call.reply.integer(1);
}

/** COPY source destination [DB database] [REPLACE] */
export function copy(call: Call) {
  let { database } = call.session;
  let replace = false;
  for (let i = OPTIONS; i < call.argc; i++) {
    if (call.is(i, REPLACE)) {
      replace = true;
    } else if (call.is(i, DB) && i + 1 < call.argc) {
      database = readInt32(call, ++i);
      if (Number.isNaN(database)) return;
      if (database < 0 || database >= DATABASES) return call.fail(DATABASE_OUT_OF_RANGE);
    } else {
      return call.fail(SYNTAX);
    }
  }
  if (database === call.session.database && sameName(call)) return call.fail(SAME_OBJECT);
  if (call.lookUp(SOURCE) === undefined) return call.reply.integer(0);
  if (!replace && isTaken(call, database)) return call.reply.integer(0);
  copyTo(call, database, TARGET);
  call.reply.integer(1);
}

/** Whether the target is there; looking at it is a use of it. */
function isTaken(call: Call, database: number): boolean {
  if (database !== call.session.database) return isIn(call, database, TARGET);
  return call.lookUp(TARGET) !== undefined;
}

/** MOVE key database */
export function move(call: Call) {
  const database = readInt32(call, 2);
  if (Number.isNaN(database)) return;
  if (database < 0 || database >= DATABASES) return call.fail(DATABASE_OUT_OF_RANGE);
  if (database === call.session.database) return call.fail(SAME_OBJECT);
  if (call.find(SOURCE) === undefined) return call.reply.integer(0);
  if (isIn(call, database, SOURCE)) return call.reply.integer(0);
  moveTo(call, database, SOURCE);
  call.reply.integer(1);
}

/** The argument with the number of the target's database; 0 where it is the selected one. */
export function copyDatabaseAt(request: Request): number {
  const { bytes, starts, ends } = request;
  for (let i = request.argc - 2; i >= OPTIONS; i--) {
    if (isWord(bytes, starts[i], ends[i], DB)) {
      const database = parseSafeInteger(bytes, starts[i + 1], ends[i + 1]);
      return database >= 0 && database < DATABASES ? i + 1 : 0;
    }
  }
  return 0;
}

export function moveDatabaseAt({ bytes, starts, ends }: Request): number {
  const database = parseSafeInteger(bytes, starts[2], ends[2]);
  return database >= 0 && database < DATABASES ? 2 : 0;
}

function sameName(call: Call): boolean {
  return Buffer.compare(call.slice(SOURCE), call.slice(TARGET)) === 0;
}

function isIn(call: Call, database: number, key: number): boolean {
  return (
    call.transaction.find(database, call.bytes, call.starts[key], call.ends[key]) !== undefined
  );
}

function copyTo(call: Call, database: number, target: number) {
  call.use(target, database);
  call.transaction.copy(
    call.session.database,
    call.bytes,
    call.starts[SOURCE],
    call.ends[SOURCE],
    database,
    call.bytes,
    call.starts[target],
    call.ends[target],
  );
}

function moveTo(call: Call, database: number, target: number) {
  copyTo(call, database, target);
  call.remove(SOURCE);
}

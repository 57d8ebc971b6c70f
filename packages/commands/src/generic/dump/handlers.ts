/** DUMP and RESTORE. Source: Redis 7.0, `cluster.c`; the payload is our own (`format.ts`). */
import { ValueType } from '@nendb/engine';
import { word } from '../../bytes/words.js';
import type { Call } from '../../dispatch/call.js';
import { readInteger } from '../../dispatch/numbers.js';
import { SYNTAX } from '../../errors.js';
import { EXPIRE_AT_MS_MAX, SCAN_STEP } from '../../limits.js';
import { type DumpedValue, readDump } from './reader.js';
import { DumpWriter } from './writer.js';

const REPLACE = word('replace');
const ABSTTL = word('absttl');
const IDLETIME = word('idletime');
const FREQ = word('freq');

const KEY = 1;
const TTL = 2;
const PAYLOAD = 3;
const OPTIONS = 4;
const FREQUENCY_MAX = 255;

export function dump(call: Call) {
  const view = call.lookUp(KEY);
  if (view === undefined) return call.reply.null();
  const writer = new DumpWriter(view.type);
  if (view.type === ValueType.string) {
    writer.string(view);
  } else {
    writer.count(view.length);
    let cursor = 0;
    do {
      cursor = call.transaction.scanFields(
        call.session.database,
        call.bytes,
        call.starts[KEY],
        call.ends[KEY],
        cursor,
        SCAN_STEP,
        (field, value) => writer.field(field, value),
      );
    } while (cursor !== 0);
  }
  call.reply.bulk(writer.finish());
}

interface RestoreOptions {
  replace: boolean;
  absolute: boolean;
  idleSeconds: number;
}

/** RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency] */
export function restore(call: Call) {
  const options = readOptions(call);
  if (options === undefined) return;
  if (!options.replace && call.find(KEY) !== undefined) {
    return call.fail('BUSYKEY Target key name already exists.');
  }
  const ttl = readInteger(call, TTL);
  if (Number.isNaN(ttl)) return;
  if (ttl < 0) return call.fail('ERR Invalid TTL value, must be >= 0');
  const payload = Buffer.from(call.slice(PAYLOAD));
  const value = readDump(payload);
  if (value === 'envelope') return call.fail('ERR DUMP payload version or checksum are wrong');
  if (value === 'body') return call.fail('ERR Bad data format');
  const { nowMs } = call.transaction;
  const expireAtMs = ttl === 0 || options.absolute ? ttl : ttl + nowMs;
  if (expireAtMs >= EXPIRE_AT_MS_MAX) return call.fail('ERR Invalid TTL value, must be >= 0');
  call.use(KEY);
  call.remove(KEY);
  if (expireAtMs === 0 || expireAtMs > nowMs) put(call, payload, value, expireAtMs);
  if (options.idleSeconds > 0) {
    const usedAtMs = nowMs - options.idleSeconds * 1000;
    call.environment.accessTimes.use(
      call.session.database,
      call.bytes,
      call.starts[KEY],
      call.ends[KEY],
      usedAtMs,
    );
  }
  call.ok();
}

/** FREQ is checked and says nothing here: how often a key is used is not kept. */
function readOptions(call: Call): RestoreOptions | undefined {
  const options = { replace: false, absolute: false, idleSeconds: 0 };
  let idle = false;
  let frequency = false;
  for (let i = OPTIONS; i < call.argc; i++) {
    const more = i + 1 < call.argc;
    if (call.is(i, REPLACE)) {
      options.replace = true;
    } else if (call.is(i, ABSTTL)) {
      options.absolute = true;
    } else if (call.is(i, IDLETIME) && more && !frequency) {
      if (!isWithin(call, ++i, Number.POSITIVE_INFINITY, 'IDLETIME value, must be >= 0')) {
        return undefined;
      }
      idle = true;
      options.idleSeconds = readInteger(call, i);
    } else if (call.is(i, FREQ) && more && !idle) {
      if (!isWithin(call, ++i, FREQUENCY_MAX, 'FREQ value, must be >= 0 and <= 255')) {
        return undefined;
      }
      frequency = true;
    } else {
      call.fail(SYNTAX);
      return undefined;
    }
  }
  return options;
}

/** Whether the argument is a number from 0 to `most`; replies the error where not. */
function isWithin(call: Call, index: number, most: number, what: string): boolean {
  const value = readInteger(call, index);
  if (Number.isNaN(value)) return false;
  if (value >= 0 && value <= most) return true;
  call.fail(`ERR Invalid ${what}`);
  return false;
}

function put(call: Call, payload: Buffer, value: DumpedValue, expireAtMs: number) {
  const { transaction, session, bytes, starts, ends } = call;
  const { database } = session;
  const from = starts[KEY];
  const to = ends[KEY];
  if (value.type === ValueType.string) {
    transaction.putString(database, bytes, from, to, payload, value.from, value.to, expireAtMs);
    return;
  }
  for (const field of value.fields) {
    const { fieldFrom, fieldTo, valueFrom, valueTo } = field;
    transaction.putField(
      database,
      bytes,
      from,
      to,
      payload,
      fieldFrom,
      fieldTo,
      payload,
      valueFrom,
      valueTo,
    );
    if (field.expireAtMs === 0) continue;
    transaction.setFieldExpiry(
      database,
      bytes,
      from,
      to,
      payload,
      fieldFrom,
      fieldTo,
      field.expireAtMs,
    );
  }
  if (expireAtMs !== 0) call.setExpiry(KEY, expireAtMs);
}

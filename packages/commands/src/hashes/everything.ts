/**
 * HGETALL, HKEYS, HVALS: the whole hash into the reply, in the store's order.
 *
 * The header says how many follow, so the scan has to visit each field exactly once: nothing changes
 * between its steps, and a store that breaks this is found out here.
 */
import { type FieldVisitor, ValueType } from '@nendb/engine';
import type { Call } from '../dispatch/call.js';
import { SCAN_STEP } from '../limits.js';

const KEY = 1;

export function hGetAll(call: Call) {
  const fields = count(call);
  if (fields < 0) return;
  call.reply.map(fields);
  visitFields(call, fields, (field, value) => {
    call.reply.bulk(field);
    call.value(value);
  });
}

export function hKeys(call: Call) {
  const fields = count(call);
  if (fields < 0) return;
  call.reply.array(fields);
  visitFields(call, fields, (field) => call.reply.bulk(field));
}

export function hVals(call: Call) {
  const fields = count(call);
  if (fields < 0) return;
  call.reply.array(fields);
  visitFields(call, fields, (_field, value) => call.value(value));
}

/** The number of fields; -1 with the error replied where the key holds something else. */
function count(call: Call): number {
  const view = call.lookUp(KEY);
  if (call.refusesType(view, ValueType.hash)) return -1;
  return view === undefined ? 0 : view.length;
}

/** Visits all fields, of which there are `expected`. */
export function visitFields(call: Call, expected: number, visitor: FieldVisitor) {
  if (expected === 0) return;
  let visited = 0;
  let cursor = 0;
  do {
    cursor = call.transaction.scanFields(
      call.session.database,
      call.bytes,
      call.starts[KEY],
      call.ends[KEY],
      cursor,
      SCAN_STEP,
      (field, value) => {
        visited++;
        visitor(field, value);
      },
    );
  } while (cursor !== 0);
  if (visited !== expected) {
    throw new Error(`expected ${expected} fields in the hash, the store visited ${visited}`);
  }
}

/** One field of the hash in argument 1, by the argument that names the field. */
import type { RecordView } from '@nendb/engine';
import type { Call } from '../dispatch/call.js';

const KEY = 1;

export function findField(call: Call, field: number): RecordView | undefined {
  return call.transaction.findField(
    call.session.database,
    call.bytes,
    call.starts[KEY],
    call.ends[KEY],
    call.bytes,
    call.starts[field],
    call.ends[field],
  );
}

/** Sets it to argument `value`; returns whether the field is new. */
export function putField(call: Call, field: number, value: number): boolean {
  return call.transaction.putField(
    call.session.database,
    call.bytes,
    call.starts[KEY],
    call.ends[KEY],
    call.bytes,
    call.starts[field],
    call.ends[field],
    call.bytes,
    call.starts[value],
    call.ends[value],
  );
}

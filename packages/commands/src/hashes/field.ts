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

/** Sets it to `bytes[from..to]`; it never ends then. */
export function putFieldBytes(
  call: Call,
  field: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): void {
  call.transaction.putField(
    call.session.database,
    call.bytes,
    call.starts[KEY],
    call.ends[KEY],
    call.bytes,
    call.starts[field],
    call.ends[field],
    bytes,
    from,
    to,
  );
}

/** Sets when it ends, in ms since 1970; 0 for never. */
export function setFieldExpiry(call: Call, field: number, expireAtMs: number): void {
  call.transaction.setFieldExpiry(
    call.session.database,
    call.bytes,
    call.starts[KEY],
    call.ends[KEY],
    call.bytes,
    call.starts[field],
    call.ends[field],
    expireAtMs,
  );
}

/** Removes it; returns whether it was there. */
export function removeField(call: Call, field: number): boolean {
  return call.transaction.removeField(
    call.session.database,
    call.bytes,
    call.starts[KEY],
    call.ends[KEY],
    call.bytes,
    call.starts[field],
    call.ends[field],
  );
}

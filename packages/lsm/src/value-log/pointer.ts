/**
 * Where a value is in the value log: what a table holds in its place.
 *
 *     file | offset | record bytes        (varints)
 *
 * Invariant: a record is found, checked and sized by its pointer alone.
 */
import { FormatError, putUvarint, UVARINT_BYTES_MAX, UvarintReader } from '@nendb/codec';

export const POINTER_BYTES_MAX = 3 * UVARINT_BYTES_MAX;

export interface ValuePointer {
  /** Number of the value file. */
  file: number;
  /** Of the record, in bytes. */
  offset: number;
  /** Of the whole record: its header, key and value as stored. */
  bytes: number;
}

/** Writes `pointer` at `at`; returns the offset behind it. */
export function putPointer(target: Uint8Array, at: number, pointer: ValuePointer): number {
  const next = putUvarint(target, putUvarint(target, at, pointer.file), pointer.offset);
  return putUvarint(target, next, pointer.bytes);
}

const reader = new UvarintReader();

/** Reads the pointer in `bytes[from, to)` into `into`. Throws `FormatError` where it is none. */
export function readPointer(
  bytes: Uint8Array,
  from: number,
  to: number,
  into: ValuePointer,
): ValuePointer {
  reader.reset(bytes, from, to);
  into.file = reader.next();
  into.offset = reader.next();
  into.bytes = reader.next();
  if (reader.offset === to) return into;
  throw new FormatError(
    'FORMAT_BAD_VALUE',
    `expected a value pointer of ${reader.offset - from} bytes, got ${to - from}`,
  );
}

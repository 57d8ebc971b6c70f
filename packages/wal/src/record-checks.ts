/** What may be appended: checked by hand, before an LSN is assigned. */
import { tooLarge } from './errors.js';
import { recordBytes } from './group.js';
import { BATCH_RECORDS_MAX, RECORD_BYTES_LIMIT } from './limits.js';
import { bad } from './options.js';

/** Anything else would be stored as other bytes than the caller means. Throws `WAL_BAD_OPTION`. */
export function checkBytes(bytes: Uint8Array): void {
  if (bytes instanceof Uint8Array) return;
  throw bad('a record', 'a Uint8Array, such as a Buffer (encode it first)', typeof bytes);
}

/** Throws `WAL_RECORD_TOO_LARGE`. */
export function checkLength(bytes: number, recordBytesMax: number): void {
  if (bytes >= 0 && bytes <= recordBytesMax) return;
  throw tooLarge('record', recordBytesMax, bytes);
}

/**
 * That `bytes` from `from` to `to` is a record: beyond its end are bytes of somebody else, or none.
 * Throws as the others do.
 */
export function checkPart(
  bytes: Uint8Array,
  from: number,
  to: number,
  recordBytesMax: number,
): void {
  checkBytes(bytes);
  checkLength(to - from, recordBytesMax);
  if (Number.isInteger(from) && from >= 0 && Number.isInteger(to) && to <= bytes.length) return;
  throw bad('a part of a record', `from 0 to ${bytes.length}`, `${from} to ${to}`);
}

/** Returns the bytes of all records, and those with their lengths. Throws as the others do. */
export function checkBatch(
  records: readonly Uint8Array[],
  recordBytesMax: number,
): { bytes: number; unitBytes: number } {
  if (!Array.isArray(records)) throw bad('a batch', 'an array of records', records);
  if (records.length === 0 || records.length > BATCH_RECORDS_MAX) {
    throw bad('a batch', `1 to ${BATCH_RECORDS_MAX} records`, `${records.length}`);
  }
  let unitBytes = 0;
  let bytes = 0;
  for (const record of records) {
    checkBytes(record);
    checkLength(record.length, recordBytesMax);
    unitBytes += recordBytes(record.length);
    bytes += record.length;
  }
  if (unitBytes > RECORD_BYTES_LIMIT) throw tooLarge('batch', RECORD_BYTES_LIMIT, unitBytes);
  return { bytes, unitBytes };
}

/** Checks by hand what a caller gave. All throw `SNAPSHOT_BAD_OPTION`. */
import { UUID_BYTES } from '@nendb/codec';
import { SnapshotError } from './errors.js';
import type { SnapshotHeader, SnapshotWriteOptions } from './types.js';

/** A copy of the header in `options`, checked. */
export function checkHeader(options: SnapshotWriteOptions): SnapshotHeader {
  const { lsn, epoch, uuid, databaseTimeMs } = options;
  checkInteger('lsn', lsn);
  checkInteger('epoch', epoch);
  checkInteger('databaseTimeMs', databaseTimeMs);
  checkUuid(uuid);
  if (options.bytesExpected !== undefined) checkInteger('bytesExpected', options.bytesExpected);
  return { lsn, epoch, uuid: Uint8Array.from(uuid), databaseTimeMs };
}

export function checkUuid(uuid: Uint8Array): void {
  if (uuid instanceof Uint8Array && uuid.length === UUID_BYTES) return;
  throw new SnapshotError(
    'SNAPSHOT_BAD_OPTION',
    `expected uuid as ${UUID_BYTES} bytes, got ${uuid instanceof Uint8Array ? uuid.length : typeof uuid}: see parseUuid in @nendb/codec`,
  );
}

function checkInteger(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new SnapshotError(
    'SNAPSHOT_BAD_OPTION',
    `expected ${name} as an integer from 0 to 2^53 - 1, got ${String(value)}`,
  );
}

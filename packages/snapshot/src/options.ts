/** Checks by hand what a caller gave. All throw `SNAPSHOT_BAD_OPTION`. */
import {
  COMPRESSIONS,
  type Compression,
  CryptoError,
  type DataKeys,
  dataKeysOf,
  type Encryption,
  UUID_BYTES,
} from '@nendb/codec';
import { SnapshotError } from './errors.js';
import { KEPT_IMAGES_MAX } from './limits.js';
import type { SnapshotHeader, SnapshotWriteOptions } from './types.js';

/** A copy of the header in `options`, checked. */
export function checkHeader(options: SnapshotWriteOptions): SnapshotHeader {
  const { lsn, epoch, uuid, databaseTimeMs } = options;
  checkInteger('lsn', lsn);
  checkInteger('epoch', epoch);
  checkInteger('databaseTimeMs', databaseTimeMs);
  checkUuid(uuid);
  if (options.bytesExpected !== undefined) checkInteger('bytesExpected', options.bytesExpected);
  if (options.keep !== undefined) checkInteger('keep', options.keep, KEPT_IMAGES_MAX);
  return { lsn, epoch, uuid: Uint8Array.from(uuid), databaseTimeMs };
}

export function checkUuid(uuid: Uint8Array): void {
  if (uuid instanceof Uint8Array && uuid.length === UUID_BYTES) return;
  throw new SnapshotError(
    'SNAPSHOT_BAD_OPTION',
    `expected uuid as ${UUID_BYTES} bytes, got ${uuid instanceof Uint8Array ? uuid.length : typeof uuid}: see parseUuid in @nendb/codec`,
  );
}

export function checkCompression(compression: Compression = 'none'): Compression {
  if (COMPRESSIONS.includes(compression)) return compression;
  throw new SnapshotError(
    'SNAPSHOT_BAD_OPTION',
    `expected compression as one of ${COMPRESSIONS.join(', ')}, got ${String(compression)}`,
  );
}

/** The keys of `encryption`, which are in use: not disposed of. */
export function checkEncryption(encryption: Encryption | undefined): DataKeys | undefined {
  if (encryption === undefined) return undefined;
  try {
    const keys = dataKeysOf(encryption);
    return keys.active && keys;
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    throw new SnapshotError('SNAPSHOT_BAD_OPTION', `encryption: ${error.message}`, {
      cause: error,
    });
  }
}

function checkInteger(name: string, value: number, max = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && value >= 0 && value <= max) return;
  const limit = max === Number.MAX_SAFE_INTEGER ? '2^53 - 1' : String(max);
  throw new SnapshotError(
    'SNAPSHOT_BAD_OPTION',
    `expected ${name} as an integer from 0 to ${limit}, got ${String(value)}`,
  );
}

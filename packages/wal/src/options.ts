/** Checks the options of a log by hand, and fills in what was left out. */
import {
  COMPRESSIONS,
  type Compression,
  CryptoError,
  type DataKeys,
  dataKeysOf,
  type Encryption,
  UUID_BYTES,
} from '@nendb/codec';
import { nodeVfs, type Vfs } from '@nendb/vfs';
import { WalError } from './errors.js';
import * as limits from './limits.js';
import type { SyncPolicy, WalEvent, WalOptions, WalReplay } from './types.js';

export interface CheckedOptions {
  dir: string;
  sync: SyncPolicy;
  segmentBytesMax: number;
  /** Zeros written ahead at a time; 0 reserves nothing. */
  preallocateBytes: number;
  recordBytesMax: number;
  pendingBytesMax: number;
  compression: Compression;
  keys: DataKeys | undefined;
  vfs: Vfs;
  databaseUuid: Uint8Array | undefined;
  databaseTimeMs: (() => number) | undefined;
  mustExist: boolean;
  epochMin: number;
  recover: WalReplay | undefined;
  leaseBytesMax: number;
  lock: boolean;
  onCorruption: 'fail' | 'readonly';
  onEvent: ((event: WalEvent) => void) | undefined;
}

/** Throws `WAL_BAD_OPTION` naming the option, what was expected and what came. */
export function checkOptions(options: WalOptions): CheckedOptions {
  if (typeof options !== 'object' || options === null)
    throw bad('the options', '{ dir, ... }', options);
  const { dir, databaseUuid, sync = 'always', preallocate = true } = options;
  if (typeof dir !== 'string' || dir === '') throw bad('dir', 'a path', dir);
  if (databaseUuid !== undefined && !(databaseUuid instanceof Uint8Array)) {
    throw bad('databaseUuid', `a Uint8Array of ${UUID_BYTES} bytes`, typeof databaseUuid);
  }
  if (databaseUuid !== undefined && databaseUuid.length !== UUID_BYTES) {
    throw bad('databaseUuid', `${UUID_BYTES} bytes`, `${databaseUuid.length} bytes`);
  }
  for (const name of ['onEvent', 'databaseTimeMs'] as const) {
    const given = options[name];
    if (given !== undefined && typeof given !== 'function') throw bad(name, 'a function', given);
  }
  checkPolicy(sync);
  const { onCorruption = 'fail' } = options;
  if (onCorruption !== 'fail' && onCorruption !== 'readonly') {
    throw bad('onCorruption', "'fail' or 'readonly'", onCorruption);
  }
  const preallocateBytes = integer(
    'preallocateBytes',
    options.preallocateBytes ?? limits.PREALLOCATE_BYTES_DEFAULT,
    limits.PREALLOCATE_BYTES_MIN,
    limits.SEGMENT_BYTES_LIMIT,
  );
  return {
    dir,
    sync,
    segmentBytesMax: integer(
      'segmentBytesMax',
      options.segmentBytesMax ?? limits.SEGMENT_BYTES_DEFAULT,
      limits.SEGMENT_BYTES_MIN,
      limits.SEGMENT_BYTES_LIMIT,
    ),
    preallocateBytes: preallocate ? preallocateBytes : 0,
    recordBytesMax: integer(
      'recordBytesMax',
      options.recordBytesMax ?? limits.RECORD_BYTES_DEFAULT,
      1,
      limits.RECORD_BYTES_LIMIT,
    ),
    pendingBytesMax: integer(
      'pendingBytesMax',
      options.pendingBytesMax ?? limits.PENDING_BYTES_DEFAULT,
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    compression: checkCompression(options.compression ?? 'none'),
    keys: options.encryption && checkEncryption(options.encryption),
    vfs: options.vfs ?? nodeVfs,
    databaseUuid: databaseUuid && new Uint8Array(databaseUuid),
    databaseTimeMs: options.databaseTimeMs,
    mustExist: options.mustExist ?? false,
    epochMin: integer('epochMin', options.epochMin ?? 1, 1, limits.EPOCH_MAX),
    recover: options.recover,
    leaseBytesMax: integer(
      'leaseBytesMax',
      options.leaseBytesMax ?? limits.LEASE_BYTES_DEFAULT,
      0,
      Number.MAX_SAFE_INTEGER,
    ),
    lock: options.lock ?? true,
    onCorruption,
    onEvent: options.onEvent,
  };
}

function checkCompression(compression: Compression): Compression {
  if (COMPRESSIONS.includes(compression)) return compression;
  throw bad('compression', COMPRESSIONS.map((name) => `'${name}'`).join(' or '), compression);
}

/** What is wrong with a key must not show the key. */
export function checkEncryption(encryption: Encryption): DataKeys {
  try {
    return dataKeysOf(encryption);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    throw new WalError('WAL_BAD_OPTION', `encryption: ${error.message}`, { cause: error });
  }
}

function checkPolicy(sync: SyncPolicy): void {
  if (sync === 'always' || sync === 'os') return;
  if (typeof sync === 'object' && sync !== null) {
    if ('windowMs' in sync) {
      integer('sync.windowMs', sync.windowMs, 1, limits.WINDOW_MS_MAX);
      return;
    }
    if ('every' in sync) {
      integer('sync.every', sync.every, 1, Number.MAX_SAFE_INTEGER);
      return;
    }
  }
  throw bad('sync', "'always', { windowMs: 10 }, { every: 100 } or 'os'", sync);
}

export function integer(name: string, value: number, min: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw bad(name, `an integer from ${min} to ${max}`, value);
}

/** A `WAL_BAD_OPTION` error. */
export function bad(name: string, expected: string, came: unknown): WalError {
  return new WalError(
    'WAL_BAD_OPTION',
    `expected ${name} to be ${expected}, got ${typeof came === 'object' ? JSON.stringify(came) : String(came)}`,
  );
}

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
import { printable } from './printed.js';
import type {
  SnapshotHeader,
  SnapshotLoadOptions,
  SnapshotLookOptions,
  SnapshotReadOptions,
  SnapshotWriteOptions,
} from './types.js';

/** Each option of `T`: the compiler sees to it that none is forgotten. */
type OptionNames<T> = Readonly<Record<keyof T, true>>;

const READ_OPTIONS: OptionNames<SnapshotReadOptions> = { vfs: true };
const LOOK_OPTIONS: OptionNames<SnapshotLookOptions> = { ...READ_OPTIONS, encryption: true };
const LOAD_OPTIONS: OptionNames<SnapshotLoadOptions> = { ...LOOK_OPTIONS, uuid: true };
const WRITE_OPTIONS: OptionNames<SnapshotWriteOptions> = {
  lsn: true,
  epoch: true,
  uuid: true,
  databaseTimeMs: true,
  chunks: true,
  vfs: true,
  compression: true,
  encryption: true,
  keep: true,
  bytesExpected: true,
  beforePublish: true,
  onProgress: true,
  signal: true,
};

export function checkReadOptions(dir: string, options: SnapshotReadOptions = {}): void {
  checkNames(dir, options, READ_OPTIONS);
}

export function checkLookOptions(dir: string, options: SnapshotLookOptions = {}): void {
  checkNames(dir, options, LOOK_OPTIONS);
}

export function checkLoadOptions(dir: string, options: SnapshotLoadOptions): void {
  checkNames(dir, options, LOAD_OPTIONS);
}

/** A copy of the header in `options`, all of which are checked but keys and compression. */
export function checkWriteOptions(dir: string, options: SnapshotWriteOptions): SnapshotHeader {
  checkNames(dir, options, WRITE_OPTIONS);
  const { chunks, signal } = options;
  if (typeof chunks !== 'object' || chunks === null || !isIterable(chunks)) {
    throw bad('chunks', 'an iterable or async iterable of Uint8Arrays', chunks);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw bad('signal', 'an AbortSignal', signal);
  }
  for (const name of ['beforePublish', 'onProgress'] as const) {
    const given: unknown = options[name];
    if (given !== undefined && typeof given !== 'function') throw bad(name, 'a function', given);
  }
  return checkHeader(options);
}

/** A name that is no option is a slip of the pen, and its default a surprise. */
function checkNames(
  dir: string,
  options: SnapshotReadOptions,
  names: Readonly<Record<string, true>>,
): void {
  if (typeof dir !== 'string' || dir === '') throw bad('dir', 'a path', dir);
  if (typeof options !== 'object' || options === null) {
    throw bad('the options', 'an object', options);
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    throw bad('an option', `one of ${Object.keys(names).join(', ')}`, name);
  }
  const { vfs } = options;
  if (vfs === undefined) return;
  if (typeof vfs === 'object' && vfs !== null && 'open' in vfs) return;
  throw bad('vfs', 'a Vfs of @nendb/vfs', vfs);
}

function isIterable(chunks: object): boolean {
  return Symbol.asyncIterator in chunks || Symbol.iterator in chunks;
}

/** The keys of an encryption are never among what is shown. */
function bad(name: string, expected: string, came: unknown): SnapshotError {
  const got = typeof came === 'object' && came !== null ? 'an object that is none' : String(came);
  return new SnapshotError('SNAPSHOT_BAD_OPTION', `expected ${name} as ${expected}, got ${got}`);
}

function checkHeader(options: SnapshotWriteOptions): SnapshotHeader {
  const { lsn, epoch, uuid, databaseTimeMs } = options;
  checkInteger('lsn', lsn);
  checkInteger('epoch', epoch);
  checkInteger('databaseTimeMs', databaseTimeMs);
  checkUuid(uuid);
  if (options.bytesExpected !== undefined) checkInteger('bytesExpected', options.bytesExpected);
  if (options.keep !== undefined) checkInteger('keep', options.keep, KEPT_IMAGES_MAX);
  return printable({ lsn, epoch, uuid: Uint8Array.from(uuid), databaseTimeMs });
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

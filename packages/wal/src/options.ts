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
import { unfailing } from './clockwork.js';
import { WalError } from './errors.js';
import * as limits from './limits.js';
import type {
  LeaseOptions,
  SyncPolicy,
  WalEvent,
  WalOptions,
  WalReadRange,
  WalReplay,
  WalTailOptions,
} from './types.js';

export interface CheckedOptions {
  dir: string;
  sync: SyncPolicy;
  segmentBytesMax: number;
  /** Zeros written ahead at a time; 0 reserves nothing. */
  preallocateBytes: number;
  recordBytesMax: number;
  pendingBytesMax: number;
  inlineSyncMsMax: number;
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

/** Every option there is: a name beside these is a slip of the pen, and its default a surprise. */
const WAL_OPTIONS: OptionNames<WalOptions> = {
  dir: true,
  sync: true,
  segmentBytesMax: true,
  preallocate: true,
  preallocateBytes: true,
  recordBytesMax: true,
  pendingBytesMax: true,
  inlineSyncMsMax: true,
  compression: true,
  encryption: true,
  vfs: true,
  databaseUuid: true,
  databaseTimeMs: true,
  mustExist: true,
  epochMin: true,
  recover: true,
  leaseBytesMax: true,
  lock: true,
  onEvent: true,
  onCorruption: true,
};

const LEASE_OPTIONS: OptionNames<LeaseOptions> = { bytesMax: true, onLost: true };
const READ_RANGE: OptionNames<WalReadRange> = { from: true, to: true };
const TAIL_OPTIONS: OptionNames<WalTailOptions> = { from: true, signal: true };

/** Throws `WAL_BAD_OPTION` naming the option, what was expected and what came. */
export function checkOptions(options: WalOptions): CheckedOptions {
  checkNames('the options', '{ dir, ... }', options, WAL_OPTIONS);
  const { databaseUuid, sync = 'always' } = options;
  const dir = checkPath('dir', options.dir);
  const preallocate = checkFlag('preallocate', options.preallocate, true);
  if (databaseUuid !== undefined && !(databaseUuid instanceof Uint8Array)) {
    throw bad('databaseUuid', `a Uint8Array of ${UUID_BYTES} bytes`, typeof databaseUuid);
  }
  if (databaseUuid !== undefined && databaseUuid.length !== UUID_BYTES) {
    throw bad('databaseUuid', `${UUID_BYTES} bytes`, `${databaseUuid.length} bytes`);
  }
  for (const name of ['onEvent', 'databaseTimeMs'] as const) {
    checkFunction(name, options[name]);
  }
  checkPolicy(sync);
  if (options.recover !== undefined) checkReplay(options.recover);
  const { onCorruption = 'fail' } = options;
  if (onCorruption !== 'fail' && onCorruption !== 'readonly') {
    throw bad('onCorruption', "'fail' or 'readonly'", onCorruption);
  }
  const vfs = checkVfs(options.vfs);
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
    inlineSyncMsMax: integer(
      'inlineSyncMsMax',
      options.inlineSyncMsMax ?? limits.INLINE_SYNC_MS_DEFAULT,
      0,
      limits.INLINE_SYNC_MS_LIMIT,
    ),
    compression: checkCompression(options.compression ?? 'none'),
    keys: checkEncryption(options.encryption),
    vfs,
    databaseUuid: databaseUuid && new Uint8Array(databaseUuid),
    databaseTimeMs: options.databaseTimeMs && unfailing(options.databaseTimeMs, vfs.timers),
    mustExist: checkFlag('mustExist', options.mustExist, false),
    epochMin: integer('epochMin', options.epochMin ?? 1, 1, limits.EPOCH_MAX),
    recover: options.recover,
    leaseBytesMax: integer(
      'leaseBytesMax',
      options.leaseBytesMax ?? limits.LEASE_BYTES_DEFAULT,
      0,
      Number.MAX_SAFE_INTEGER,
    ),
    lock: checkFlag('lock', options.lock, true),
    onCorruption,
    onEvent: options.onEvent,
  };
}

export function checkCompression(compression: Compression, name = 'compression'): Compression {
  if (COMPRESSIONS.includes(compression)) return compression;
  throw bad(name, COMPRESSIONS.map((each) => `'${each}'`).join(' or '), compression);
}

/** The keys of `encryption`, where it is given. What is wrong with a key must not show the key. */
export function checkEncryption(encryption: Encryption | undefined): DataKeys | undefined {
  if (encryption === undefined) return undefined;
  try {
    return dataKeysOf(encryption);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    throw new WalError('WAL_BAD_OPTION', `encryption: ${error.message}`, { cause: error });
  }
}

/** `vfs`, or the real machine. */
export function checkVfs(vfs: Vfs | undefined): Vfs {
  if (vfs === undefined) return nodeVfs;
  if (typeof vfs === 'object' && vfs !== null && typeof vfs.open === 'function') return vfs;
  throw bad('vfs', 'a Vfs of @nendb/vfs', vfs);
}

export function checkPath(name: string, path: string): string {
  if (typeof path === 'string' && path !== '') return path;
  throw bad(name, 'a path', path);
}

export function checkFlag(name: string, flag: boolean | undefined, byDefault: boolean): boolean {
  if (flag === undefined) return byDefault;
  if (typeof flag === 'boolean') return flag;
  throw bad(name, 'true or false', flag);
}

export function checkRange(range: WalReadRange): void {
  checkNames('the range', '{ from, to }', range, READ_RANGE);
  for (const name of ['from', 'to'] as const) {
    const lsn = range[name];
    if (lsn !== undefined && !Number.isSafeInteger(lsn)) throw bad(name, 'an LSN', lsn);
  }
}

export function checkTail(options: WalTailOptions): void {
  checkNames('the options of tail', '{ from, signal }', options, TAIL_OPTIONS);
  const { from, signal } = options;
  if (from !== undefined) integer('from', from, 1, Number.MAX_SAFE_INTEGER);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw bad('signal', 'an AbortSignal', signal);
  }
}

export function checkLease(options: LeaseOptions): LeaseOptions {
  checkNames('the options of retain', '{ bytesMax, onLost }', options, LEASE_OPTIONS);
  const { bytesMax, onLost } = options;
  if (bytesMax !== undefined) integer('bytesMax', bytesMax, 0, Number.MAX_SAFE_INTEGER);
  checkFunction('onLost', onLost);
  return options;
}

function checkFunction(name: string, given: unknown): void {
  if (given === undefined || typeof given === 'function') return;
  throw bad(name, 'a function', given);
}

function checkReplay(recover: WalReplay): void {
  const { from, onRecord } = (recover ?? {}) as Partial<WalReplay>;
  if (typeof onRecord !== 'function') {
    throw bad('recover', '{ from: 1, onRecord(lsn, bytes, start, end) { ... } }', recover);
  }
  integer('recover.from', from as number, 1, Number.MAX_SAFE_INTEGER);
}

function checkPolicy(sync: SyncPolicy): void {
  if (sync === 'always' || sync === 'os') return;
  if (typeof sync === 'object' && sync !== null && Object.keys(sync).length === 1) {
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

/** Each option of `T`: the compiler sees to it that none is forgotten. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/** `what` is an object with members of `names` only. `expected` shows what it looks like. */
export function checkNames(
  what: string,
  expected: string,
  given: object,
  names: Readonly<Record<string, true>>,
): void {
  if (typeof given !== 'object' || given === null) throw bad(what, expected, given);
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(names, name)) continue;
    const known = Object.keys(names).join(', ');
    throw new WalError('WAL_BAD_OPTION', `expected ${what} to be among ${known}, got ${name}`);
  }
}

/** A `WAL_BAD_OPTION` error. */
export function bad(name: string, expected: string, came: unknown): WalError {
  return new WalError('WAL_BAD_OPTION', `expected ${name} to be ${expected}, got ${shown(came)}`);
}

/** A value in a few words; what cannot be printed is named by its type. */
function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value).slice(0, SHOWN_LENGTH_MAX);
  try {
    return JSON.stringify(value).slice(0, SHOWN_LENGTH_MAX);
  } catch {
    return 'an object';
  }
}

/** What an error message shows of a value, in characters. */
const SHOWN_LENGTH_MAX = 200;

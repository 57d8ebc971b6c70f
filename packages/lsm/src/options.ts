/** Checks the options of a tree by hand, and fills in what was left out. All throw `LSM_BAD_OPTION`. */
import {
  COMPRESSIONS,
  type Compression,
  CryptoError,
  dataKeysOf,
  type Encryption,
  UUID_BYTES,
} from '@nendb/codec';
import { nodeVfs, type Vfs } from '@nendb/vfs';
import type { SyncPolicy } from '@nendb/wal';
import { LsmError } from './errors.js';
import * as limits from './limits.js';
import type { ExternalLog } from './log/external-log.js';
import type { CompactionStyle, LsmEvent, LsmOptions } from './types.js';

export interface CheckedOptions {
  dir: string;
  vfs: Vfs;
  memtableBytes: number;
  cacheBytes: number;
  compaction: CompactionStyle;
  compression: Compression;
  encryption: Encryption | undefined;
  /** Values from here on go to the value log; infinite for none. */
  valueThresholdBytes: number;
  valueFileBytes: number;
  sync: SyncPolicy;
  rateLimitBytesPerSec: number | undefined;
  externalLog: ExternalLog | undefined;
  mustExist: boolean;
  databaseUuid: Uint8Array | undefined;
  clockMs: (() => number) | undefined;
  lock: boolean;
  blockBytes: number;
  filterBitsPerKey: number;
  tableBytes: number;
  levelBaseBytes: number;
  level0RunsCompact: number;
  autoCompact: boolean;
  logSegmentBytes: number;
  logPreallocateBytes: number | undefined;
  manifestGrowthBytes: number | undefined;
  onEvent: ((event: LsmEvent) => void) | undefined;
}

const STYLES: readonly CompactionStyle[] = ['leveled', 'size-tiered', 'universal'];
const LOG_SEGMENT_BYTES_MIN = 64 * 1024;
const LOG_SEGMENT_BYTES_MAX = 128 * 1024 * 1024;
const MAX = Number.MAX_SAFE_INTEGER;

export function checkOptions(options: LsmOptions): CheckedOptions {
  if (typeof options !== 'object' || options === null) {
    throw bad('the options', '{ dir, ... }', options);
  }
  const { dir, valueLog, log = 'own', compaction = 'leveled', compression = 'none' } = options;
  if (typeof dir !== 'string' || dir === '') throw bad('dir', 'a path', dir);
  if (!STYLES.includes(compaction)) throw bad('compaction', oneOf(STYLES), compaction);
  if (!COMPRESSIONS.includes(compression)) {
    throw bad('compression', oneOf(COMPRESSIONS), compression);
  }
  checkUuid(options.databaseUuid);
  for (const name of ['clockMs', 'onEvent'] as const) {
    const given = options[name];
    if (given !== undefined && typeof given !== 'function') throw bad(name, 'a function', given);
  }
  const memtableBytes = integer(
    'memtableBytes',
    options.memtableBytes ?? limits.MEMTABLE_BYTES_DEFAULT,
    limits.MEMTABLE_BYTES_MIN,
    limits.MEMTABLE_BYTES_LIMIT,
  );
  return {
    dir,
    vfs: options.vfs ?? nodeVfs,
    memtableBytes,
    cacheBytes: integer(
      'cacheBytes',
      options.cacheBytes ?? limits.CACHE_BYTES_DEFAULT,
      limits.CACHE_BYTES_MIN,
      MAX,
    ),
    compaction,
    compression,
    encryption: checkEncryption(options.encryption),
    valueThresholdBytes:
      valueLog === undefined
        ? Number.POSITIVE_INFINITY
        : integer('valueLog.thresholdBytes', valueLog.thresholdBytes, 1, limits.VALUE_BYTES_MAX),
    valueFileBytes: integer(
      'valueLog.fileBytes',
      valueLog?.fileBytes ?? limits.VALUE_FILE_BYTES_DEFAULT,
      1,
      MAX,
    ),
    sync: options.sync ?? 'os',
    rateLimitBytesPerSec: optional('rateLimitBytesPerSec', options.rateLimitBytesPerSec, 1, MAX),
    externalLog: checkLog(log),
    mustExist: flag('mustExist', options.mustExist, false),
    databaseUuid: options.databaseUuid && Uint8Array.from(options.databaseUuid),
    clockMs: options.clockMs,
    lock: flag('lock', options.lock, true),
    blockBytes: integer(
      'blockBytes',
      options.blockBytes ?? limits.BLOCK_BYTES_DEFAULT,
      limits.BLOCK_BYTES_MIN,
      limits.BLOCK_BYTES_LIMIT,
    ),
    filterBitsPerKey: integer(
      'filterBitsPerKey',
      options.filterBitsPerKey ?? limits.FILTER_BITS_PER_KEY_DEFAULT,
      0,
      limits.FILTER_BITS_PER_KEY_MAX,
    ),
    tableBytes: integer(
      'tableBytes',
      options.tableBytes ?? limits.TABLE_BYTES_DEFAULT,
      limits.TABLE_BYTES_MIN,
      MAX,
    ),
    levelBaseBytes: integer(
      'levelBaseBytes',
      options.levelBaseBytes ?? limits.LEVEL_BASE_BYTES_DEFAULT,
      1,
      MAX,
    ),
    level0RunsCompact: integer(
      'level0RunsCompact',
      options.level0RunsCompact ?? limits.LEVEL0_RUNS_COMPACT,
      1,
      limits.LEVEL0_RUNS_SLOW,
    ),
    autoCompact: flag('autoCompact', options.autoCompact, true),
    logSegmentBytes: integer(
      'logSegmentBytes',
      options.logSegmentBytes ??
        Math.min(Math.max(memtableBytes, LOG_SEGMENT_BYTES_MIN), LOG_SEGMENT_BYTES_MAX),
      1,
      MAX,
    ),
    logPreallocateBytes: optional('logPreallocateBytes', options.logPreallocateBytes, 0, MAX),
    manifestGrowthBytes: optional('manifestGrowthBytes', options.manifestGrowthBytes, 0, MAX),
    onEvent: options.onEvent,
  };
}

function checkUuid(uuid: Uint8Array | undefined): void {
  if (uuid === undefined) return;
  if (uuid instanceof Uint8Array && uuid.length === UUID_BYTES) return;
  const came = uuid instanceof Uint8Array ? `${uuid.length} bytes` : typeof uuid;
  throw bad('databaseUuid', `a Uint8Array of ${UUID_BYTES} bytes`, came);
}

/** What is wrong with a key must not show the key. */
function checkEncryption(encryption: Encryption | undefined): Encryption | undefined {
  if (encryption === undefined) return undefined;
  try {
    dataKeysOf(encryption);
    return encryption;
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    throw new LsmError('LSM_BAD_OPTION', `encryption: ${error.message}`, { cause: error });
  }
}

function checkLog(log: 'own' | ExternalLog): ExternalLog | undefined {
  if (log === 'own') return undefined;
  const given = log as Partial<ExternalLog> | null;
  if (typeof given?.synced === 'function' && typeof given.onFlushed === 'function') return log;
  throw bad('log', "'own' or { synced(lsn), onFlushed(lsn) }", log);
}

export function integer(name: string, value: number, min: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw bad(name, `an integer from ${min} to ${max}`, value);
}

function optional(
  name: string,
  value: number | undefined,
  min: number,
  max: number,
): number | undefined {
  return value === undefined ? undefined : integer(name, value, min, max);
}

function flag(name: string, value: boolean | undefined, byDefault: boolean): boolean {
  if (value === undefined) return byDefault;
  if (typeof value === 'boolean') return value;
  throw bad(name, 'true or false', value);
}

function oneOf(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(' or ');
}

/** A `LSM_BAD_OPTION` error. */
export function bad(name: string, expected: string, came: unknown): LsmError {
  return new LsmError(
    'LSM_BAD_OPTION',
    `expected ${name} to be ${expected}, got ${typeof came === 'object' ? JSON.stringify(came) : String(came)}`,
  );
}

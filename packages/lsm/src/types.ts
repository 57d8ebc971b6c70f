/** The public shapes of the tree. `Lsm` in `db/lsm.ts` implements them. */
import type { Compression, Encryption } from '@nendb/codec';
import type { Vfs } from '@nendb/vfs';
import type { SyncPolicy } from '@nendb/wal';
import type { ExternalLog } from './log/external-log.js';

export type { SyncPolicy } from '@nendb/wal';

export type CompactionStyle = 'leveled' | 'size-tiered' | 'universal';

export interface LsmOptions {
  /** The tree's own directory; made if missing. */
  dir: string;
  /** A memtable is frozen and flushed at about this size, in bytes. Default 64 MiB. */
  memtableBytes?: number;
  /** One budget for blocks, filters, indexes and memtables, in bytes. Default 64 MiB beyond one memtable. */
  cacheBytes?: number;
  /** Default `'leveled'`. */
  compaction?: CompactionStyle;
  /** How blocks of tables and values are compressed, where that saves at least an eighth. Default `'none'`. */
  compression?: Compression;
  /**
   * Encrypts every file. `key`: 32 random bytes, a master key that wraps the tree's own keyring (file
   * `KEYRING`); `keyring`: the caller's, which the caller keeps.
   */
  encryption?: Encryption;
  /** Values from `thresholdBytes` on are kept in the value log. Default: none are. */
  valueLog?: { thresholdBytes: number; fileBytes?: number };
  /** When a put counts as durable. Default `'os'`. See `SyncPolicy` in `@nendb/wal`. */
  sync?: SyncPolicy;
  /** What flushes and compactions together may write per second, in bytes. Default: no limit. */
  rateLimitBytesPerSec?: number;
  /** `'own'` (default): a write-ahead log in the directory. Else the log that the caller keeps. */
  log?: 'own' | ExternalLog;
  vfs?: Vfs;
  /** Refuses a directory that holds no tree. Default false. */
  mustExist?: boolean;
  /** 16 bytes; a tree of another database is refused. A new one takes it, or makes its own. */
  databaseUuid?: Uint8Array;
  /** Database time, in ms since 1970, which never goes back. Default: the wall clock, made so. */
  clockMs?: () => number;
  /** Whether to take `LOCK` in the directory. An owner that holds a lock further up says false. */
  lock?: boolean;
  /** Size of a table's data block before compression, in bytes. Default 4 KiB. */
  blockBytes?: number;
  /** Bits of bloom filter for each key; 0 for none. Default 10. */
  filterBitsPerKey?: number;
  /** Tables end at about this size, in bytes. Default 32 MiB. */
  tableBytes?: number;
  /** The smallest target of a level, in bytes. Default 64 MiB. */
  levelBaseBytes?: number;
  /** Runs in level 0 at which it is compacted. Default 4. */
  level0RunsCompact?: number;
  /** Whether compactions run by themselves. Default true; `compact()` works all the same. */
  autoCompact?: boolean;
  /** A segment of the own log, in bytes. Default: the size of a memtable, at least 64 KiB. */
  logSegmentBytes?: number;
  /** Disk reserved ahead of the own log's writes, in bytes; 0 for none. Default that of `@nendb/wal`. */
  logPreallocateBytes?: number;
  /** A manifest that has grown by this much is written anew, in bytes. Default 4 MiB. */
  manifestGrowthBytes?: number;
  onEvent?: (event: LsmEvent) => void;
}

export interface WriteOptions {
  /** Resolve only when a sync covers the write, whatever the policy. Default false. */
  sync?: boolean;
}

export interface PutOptions extends WriteOptions {
  /** When the entry expires, in ms since 1970. Default never. */
  expireAtMs?: number;
}

/** Keys between bounds: `gte <= key`, `gt < key`, `key < lt`, `key <= lte`. */
export interface KeyRangeOptions {
  gte?: Uint8Array;
  gt?: Uint8Array;
  lt?: Uint8Array;
  lte?: Uint8Array;
}

/** A view of the tree at one moment. Close it: until then the versions that it sees are kept. */
export interface LsmSnapshot {
  readonly sequence: number;
  /** Database time that expiry is judged by, in ms since 1970. */
  readonly timeMs: number;
  close(): void;
}

export interface ReadOptions {
  snapshot?: LsmSnapshot;
}

export interface CursorOptions extends KeyRangeOptions, ReadOptions {
  /** From the largest key to the smallest. Default false. */
  reverse?: boolean;
  /** At most so many entries. Default all. */
  limit?: number;
  /** Whether blocks that are read enter the cache. Default true. */
  fillCache?: boolean;
}

export interface TransactionOptions {
  readOnly?: boolean;
}

export interface TransactOptions extends TransactionOptions {
  /** How often a transaction that met a conflict is run again. Default 16. */
  retriesMax?: number;
}

export type LsmEvent =
  | { type: 'flushed'; sequence: number; tables: number; bytes: number; elapsedMs: number }
  | {
      type: 'compacted';
      reason: string;
      inputTables: number;
      outputTables: number;
      outputLevel: number;
      readBytes: number;
      writtenBytes: number;
      elapsedMs: number;
    }
  | { type: 'moved'; table: number; fromLevel: number; toLevel: number }
  | { type: 'backgroundError'; job: 'flush' | 'compaction'; error: Error; retryMs: number }
  | { type: 'poisoned'; error: Error };

export interface LevelStats {
  level: number;
  /** Sorted runs: many in level 0, at most one below. */
  runs: number;
  tables: number;
  bytes: number;
  entries: number;
  tombstones: number;
}

export interface LsmHealth {
  healthy: boolean;
  /** Writes are refused for ever: a write or sync of the log failed. */
  poisoned: boolean;
  /** Failed flushes and compactions; those that were tried again with success count too. */
  backgroundErrors: number;
  lastError?: string;
  /** Files that nobody needs and that could not be removed. */
  leftFiles: number;
}

export interface LsmStats {
  sequence: number;
  flushedSequence: number;
  memtables: { count: number; bytes: number; entries: number };
  levels: LevelStats[];
  tables: number;
  tableBytes: number;
  valueFiles: number;
  valueBytes: number;
  /** Bytes of the value log that no table refers to. */
  valueGarbageBytes: number;
  /** Bytes of keys and values that were written since the opening. */
  userBytes: number;
  logBytes: number;
  flushes: number;
  flushedBytes: number;
  compactions: number;
  compactionReadBytes: number;
  compactionWrittenBytes: number;
  movedTables: number;
  manifestRotations: number;
  /** (log + flushed + compacted) / user bytes; 0 before the first write. */
  writeAmplification: number;
  /** Sorted runs that a point read may have to look into. */
  readAmplification: number;
  /** All bytes of tables and values / those of the deepest level of each; 1 for an empty tree. */
  spaceAmplification: number;
  compactionDebtBytes: number;
  /** Writers are held back to so many bytes per second; 0 while they are not. */
  pacedBytesPerSec: number;
  snapshots: number;
  pinnedVersions: number;
  cache: { limitBytes: number; usedBytes: number; hits: number; misses: number; evictions: number };
  transactions: { open: number; commits: number; conflicts: number };
  health: LsmHealth;
}

/** Where a key was looked for, in order, and what was found. */
export interface LsmExplanation {
  found: boolean;
  steps: readonly ExplainedStep[];
}

export interface ExplainedStep {
  /** `memtable`, `frozen memtable`, or `table 00000012.table (level 3)`. */
  source: string;
  outcome:
    | 'outside the key range'
    | 'refused by the filter'
    | 'no version of the key'
    | 'value'
    | 'value in the value log'
    | 'expired value'
    | 'tombstone'
    | 'covered by a range tombstone';
  sequence?: number;
  expireAtMs?: number;
}

export interface LsmVerification {
  ok: boolean;
  tables: number;
  valueFiles: number;
  bytes: number;
  problems: readonly { code: string; file?: string; offset?: number; message: string }[];
}

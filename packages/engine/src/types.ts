/** The public shapes of the engine. `Engine` in `engine.ts` and `Transaction` implement them. */
import type { Lsn } from '@nendb/codec';
import type { SnapshotInfo } from '@nendb/snapshot';
import type { Timers, Vfs } from '@nendb/vfs';
import type { SyncPolicy, WalHealth, WalRecovery, WalStats } from '@nendb/wal';
import type { FieldVisitor, KeyVisitor, RecordView, StoreUsage } from './stores/store.js';

/** Stores that exist. Others are refused with `ENGINE_STORE_UNAVAILABLE`. */
export type StoreKind = 'dash' | 'lsm' | 'map';

/** The options of `Lsm.open` in `@nendb/lsm` that a database passes through; sizes in bytes. */
export interface LsmStoreOptions {
  /** A memtable is flushed at about this size. Default 64 MiB. */
  memtableBytes?: number;
  /** One budget for blocks, filters, indexes and memtables beyond one. Default 64 MiB. */
  cacheBytes?: number;
  compaction?: 'leveled' | 'size-tiered' | 'universal';
  compression?: 'none' | 'deflate';
  /** Values from here on are kept in the value log. Default: none are. */
  valueLog?: { thresholdBytes: number };
  blockBytes?: number;
  tableBytes?: number;
  levelBaseBytes?: number;
  /** What flushes and compactions together may write per second. Default: no limit. */
  rateLimitBytesPerSec?: number;
}

export interface EngineOptions {
  /** The data directory; made if missing. */
  dir: string;
  /**
   * The store: a directory keeps the one it was made with. Default that one; `dash` for a new
   * directory.
   */
  store?: string;
  /**
   * How much the dash store can hold, in bytes: 1 MiB to 32 GiB. Address space: memory is taken as it
   * is used. Default 8 GiB, or half of the machine's memory where that is less.
   */
  regionBytes?: number;
  /** How the tree of the lsm store is kept. */
  lsm?: LsmStoreOptions;
  /**
   * A file to map the dash store to, best on tmpfs: what a killed process left there is served again at
   * once, and brought up to the log. Lost, damaged, or left by another boot of the machine, it is
   * rebuilt. Each commit is then written before it is applied (R17). Needs the package koffi.
   */
  pmemPath?: string;
  sync?: SyncPolicy;
  vfs?: Vfs;
  /** A segment of the log is sealed before it grows beyond this: 4 KiB to 16 GiB. Default 128 MiB. */
  segmentBytesMax?: number;
  /** Whether disk blocks are reserved ahead of the log's writes. Default true. */
  preallocate?: boolean;
  /** A snapshot is due when the log since the last one exceeds max(this, its size). Default 64 MiB. */
  snapshotLogBytesMin?: number;
  /** The longest string, in bytes. Default 512 MiB. */
  valueBytesMax?: number;
  /** The longest commit (one EXEC, one MSET), in bytes: up to 1 GiB. Default 512 MiB + 1 MiB. */
  commitBytesMax?: number;
  /** Bytes that may wait for the disk before `pressure` says so. Default 64 MiB. */
  pendingBytesMax?: number;
  /** Whether expired keys are removed by a timer. Default true. */
  activeExpiry?: boolean;
}

export interface EngineRecovery {
  /** What the log said. */
  log: WalRecovery;
  /** The image that was loaded, and why it was not the newest where it was not. */
  snapshot?: { info: SnapshotInfo; source: 'newest' | 'bak'; reason?: string };
  /** Why images that exist were not used, where the log alone holds everything. */
  snapshotRefused?: string;
  /** Of a mapped region: whether it was taken as it was left, and why, or why it was rebuilt. */
  region?: { path: string; trusted: boolean; reason: string };
  /** Records replayed on top of it. */
  replayed: number;
  elapsedMs: number;
}

/**
 * One atomic change, and the only way to read and write. Synchronous from `begin` to `commit`:
 * nothing runs in between. Reads see what the transaction itself has staged; expired keys are
 * absent. Writes are staged as effects; `commit` appends them as one record and applies them.
 *
 * `database` is 0 to 15. Keys, fields and values are (bytes, from, to). Times are 0 or whole
 * milliseconds since 1970. Anything else is a `RangeError`; a key or field above 256 MiB, and a
 * value above `valueBytesMax`, is `ENGINE_TOO_LARGE`; nothing of such a call is staged. Once it has
 * been committed or aborted a transaction refuses every call.
 */
export interface TransactionView {
  /** Database time of this transaction, in ms since 1970. */
  readonly nowMs: number;
  find(database: number, key: Uint8Array, from: number, to: number): RecordView | undefined;
  findField(
    database: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
  ): RecordView | undefined;
  keyCount(database: number): number;
  expiringCount(database: number): number;
  scan(database: number, cursor: number, count: number, visit: KeyVisitor): number;
  scanFields(
    database: number,
    key: Uint8Array,
    from: number,
    to: number,
    cursor: number,
    count: number,
    visit: FieldVisitor,
  ): number;

  /**
   * Visits a key that `random`, from 0 to below 1 (`EngineView.random`), falls on; false where there
   * is none. Keys are met about evenly; where hardly any lives, the first one is taken.
   */
  sampleKey(database: number, random: number, visit: KeyVisitor): boolean;
  /** The same for the fields of a hash. */
  sampleField(
    database: number,
    key: Uint8Array,
    from: number,
    to: number,
    random: number,
    visit: FieldVisitor,
  ): boolean;

  /** Sets a key to a string, whatever it held. `expireAtMs` 0 means never. */
  putString(
    database: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
    expireAtMs: number,
  ): void;
  patchString(
    database: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    at: number,
    bytes: Uint8Array,
    bytesFrom: number,
    bytesTo: number,
    newLength: number,
  ): void;
  /** Removes a key; returns whether it was there. */
  remove(database: number, key: Uint8Array, from: number, to: number): boolean;
  /** Sets or clears (0) the time a key ends; returns whether the key was there. */
  setExpiry(
    database: number,
    key: Uint8Array,
    from: number,
    to: number,
    expireAtMs: number,
  ): boolean;
  /**
   * Sets a field of a hash, which then never ends; returns whether the field is new. The key is a
   * hash or missing.
   */
  putField(
    database: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
  ): boolean;
  /** Removes a field of a hash, and the key with its last field; returns whether it was there. */
  removeField(
    database: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
  ): boolean;
  /** Sets or clears (0) the time a field ends; returns whether the field was there. */
  setFieldExpiry(
    database: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
    expireAtMs: number,
  ): boolean;
  /**
   * Makes `target` what `key` is: value or fields, and all times. What `target` held is gone.
   * Returns whether `key` was there; where it was not, nothing changes. They are two keys: the same
   * one twice is a `RangeError`.
   */
  copy(
    database: number,
    key: Uint8Array,
    from: number,
    to: number,
    targetDatabase: number,
    target: Uint8Array,
    targetFrom: number,
    targetTo: number,
  ): boolean;
  flushDatabase(database: number): void;
  flushAll(): void;
  swapDatabases(a: number, b: number): void;
}

export type EngineHealthState = 'ok' | 'read-only' | 'failed' | 'closed';

export interface EngineHealth {
  healthy: boolean;
  state: EngineHealthState;
  /** Why not, for people. */
  reason?: string;
  wal: WalHealth;
  snapshot: SnapshotStatus;
}

export interface SnapshotStatus {
  /** The newest image, if there is one. */
  newest?: SnapshotInfo;
  /** Wall clock, in ms since 1970, when it was published; 0 where there is none. */
  savedAtMs: number;
  inProgress: boolean;
  /** How the last attempt of this process ended. */
  lastError?: string;
  /** Why an image could not be used at the opening; until a new one has taken its place. */
  damage?: string;
  /** Bytes of commits since the newest image. */
  logBytesSince: number;
}

export interface EngineStats {
  store: StoreUsage & { kind: string };
  wal: WalStats;
  databases: readonly {
    database: number;
    keys: number;
    /** Keys that end. */
    expiring: number;
    /** Keys with fields that end. */
    fieldExpiring: number;
  }[];
  commits: number;
  effects: number;
  expiredKeys: number;
  expiredFields: number;
  /** Watches that are open. */
  watches: number;
  /** Keys that they watch, as far as they are told apart. */
  watchedKeys: number;
}

/**
 * Watches keys for an optimistic transaction: `add` what it depends on; later, in one turn, `begin`,
 * see that `changed()` is false, write and commit. Asked before `begin`, a key may end in between.
 *
 * A change is whatever makes a key another than it was when it was added, whoever made it: a write,
 * if only of the same value, a key or a field that has ended, FLUSHDB, FLUSHALL, SWAPDB. That a
 * missing key stays missing is none. `database` is 0 to 15; keys are (bytes, from, to), and are to be
 * `prepare`d. No change is missed; one may be taken for granted where a watch has very many keys.
 */
export interface WatchView {
  /** Keys watched; 0 once one of them has been written. */
  readonly keys: number;
  /** Watches a key as it is now. */
  add(database: number, key: Uint8Array, from: number, to: number): void;
  /** Whether a key has changed since it was added. Once it is true it stays so. */
  changed(): boolean;
  /** Lets go of the keys. Idempotent; afterwards nothing may be added. */
  end(): void;
}

/** What an engine does, as its users see it. */
export interface EngineView {
  readonly dir: string;
  readonly databaseUuid: string;
  readonly recovery: EngineRecovery;
  /** The store of the directory: `dash`, `lsm` or `map`. */
  readonly storeKind: string;
  readonly epoch: number;
  /** Applied to the store: what reads see. */
  readonly appliedLsn: Lsn;
  /** Promised by the sync policy: what replies wait for. */
  readonly durableLsn: Lsn;
  readonly syncedLsn: Lsn;
  /** True while too much waits for the disk: stop taking in work until the next `onDurable`. */
  readonly pressure: boolean;

  /** Database time in ms since 1970: never goes back, not even over a restart. */
  nowMs(): number;
  /** A random number from 0 to below 1, with 32 bits; not for secrets. */
  random(): number;
  /** The timers of the environment that the engine runs in. */
  readonly timers: Timers;
  /** Whether `prepare` always says `true`, so that callers need not ask. */
  readonly alwaysReady: boolean;
  /**
   * Whether the keys are ready; the only step before a transaction that may wait. `true` holds
   * until control goes back to the event loop; after a promise, ask again.
   */
  prepare(database: number, keys: readonly Uint8Array[]): true | Promise<void>;
  /** Begins to watch keys; nothing yet. Throws `ENGINE_TOO_LARGE` where there are too many watches. */
  watch(): WatchView;
  /** Begins the one transaction. Throws if one is open. */
  begin(): TransactionView;
  /**
   * Admits and commits what was staged as one record; returns its LSN, or `appliedLsn` where
   * nothing was staged. Throws `EngineError` when refused, and then nothing has happened.
   */
  commit(): Lsn;
  /** Forgets what was staged. */
  abort(): void;
  /** Resolves when everything applied up to now is durable under the policy. */
  barrier(): Promise<void>;
  /** Calls `listener` each time `durableLsn` has grown, without a promise in between. */
  onDurable(listener: (durableLsn: Lsn) => void): () => void;
  /** Calls `listener` once if the engine can go on no longer (R10). */
  onFatal(listener: (error: Error) => void): () => void;
  /** Takes a snapshot; a second call while one runs joins it. */
  snapshot(): Promise<SnapshotInfo>;
  /** Publishes where the server listens, in LOCK. */
  publishAddress(address: string): void;
  health(): EngineHealth;
  stats(): EngineStats;
  /** Syncs and closes the log, releases the lock. Idempotent. */
  close(): Promise<void>;
}

export type EngineErrorCode =
  /** An option is wrong, or the directory belongs to something else. */
  | 'ENGINE_BAD_OPTION'
  | 'ENGINE_STORE_UNAVAILABLE'
  /** Another process writes to the directory. */
  | 'ENGINE_LOCKED'
  | 'ENGINE_NOT_WRITABLE'
  | 'ENGINE_TOO_NEW'
  | 'ENGINE_WRONG_STORE'
  | 'ENGINE_WRONG_DATABASE'
  /** Log, snapshot or identity damaged: the message names file and offset. */
  | 'ENGINE_CORRUPT'
  | 'ENGINE_MISSING_LOG'
  /** The commit or the value is larger than the limit. */
  | 'ENGINE_TOO_LARGE'
  /** The file system failed in a way that has no code of its own here: see `cause`. */
  | 'ENGINE_IO'
  /** The disk has no room for the commit. */
  | 'ENGINE_NO_SPACE'
  /** The store's region has no room for the commit, or for what the log holds. */
  | 'ENGINE_OUT_OF_MEMORY'
  /** A sync has failed under a weak policy, when nothing waited to be written: reads only. */
  | 'ENGINE_READ_ONLY'
  /** The log has failed: the process should end. */
  | 'ENGINE_FAILED'
  | 'ENGINE_CLOSED';

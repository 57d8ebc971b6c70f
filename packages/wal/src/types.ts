/**
 * The public shapes of the log. `Wal` in `wal.ts` implements them.
 *
 * In whatever the log returns or tells, `JSON.stringify` prints an LSN as a decimal string and a uuid
 * as text: JSON readers elsewhere have 53 bits, or fewer.
 */
import type { Compression, Encryption, Lsn } from '@nendb/codec';
import type { Vfs } from '@nendb/vfs';

/**
 * When an append counts as durable.
 *
 * - `'always'`: after an fdatasync that started after the record was written (group commit).
 * - `{ windowMs }`: after `write()`; a timer syncs at least that often.
 * - `{ every }`: after `write()`; a sync follows every so many records.
 * - `'os'`: after `write()`; the operating system syncs when it likes.
 *
 * kill -9 loses nothing under any of them; power loss costs at most the window of the weaker ones.
 */
export type SyncPolicy = 'always' | { windowMs: number } | { every: number } | 'os';

export interface WalOptions {
  /** The log's own directory; made if missing. */
  dir: string;
  sync?: SyncPolicy;
  /** A segment is sealed before it grows beyond this, in bytes. Default 128 MiB. */
  segmentBytesMax?: number;
  /** Whether disk blocks are reserved ahead of the writes. Default true. */
  preallocate?: boolean;
  /** How far ahead at a time, in bytes. Default 1 MiB. */
  preallocateBytes?: number;
  /** The longest record, all fragments together, in bytes. Default 512 MiB + 1 MiB. */
  recordBytesMax?: number;
  /** Bytes that may wait to be written or synced before `admit` reports pressure. Default 64 MiB. */
  pendingBytesMax?: number;
  /**
   * Syncs that are expected to take less than this, in whole ms, are made in place: on a fast disk that
   * takes less time than the trip through the thread pool. 0: the event loop never waits for a sync,
   * but for those of `appendSync`. Default 1.
   */
  inlineSyncMsMax?: number;
  /** How frames are compressed, where that saves at least an eighth. Default `'none'`. */
  compression?: Compression;
  /**
   * Encrypts the records with AES-256-GCM, under a key for each segment made of this one. A log that
   * was begun without is refused (`WAL_NOT_ENCRYPTED`), so is another key (`WAL_WRONG_KEY`).
   */
  encryption?: Encryption;
  vfs?: Vfs;
  /** 16 bytes; a log of another database is refused. A new log takes it, or makes its own. */
  databaseUuid?: Uint8Array;
  /** Written in every frame, in ms since 1970. Default: the wall clock, never going back. */
  databaseTimeMs?: () => number;
  /** An empty directory is then the verdict `missing`, not a new log. Default false. */
  mustExist?: boolean;
  /** The epoch of this opening is at least this. Default 1; always above the last one in the log. */
  epochMin?: number;
  /**
   * Replays the log while it is being opened, before anything is written: a caller that finds
   * damage has changed nothing. See {@link WalReplay}.
   */
  recover?: WalReplay;
  /**
   * What one lease may keep, in bytes, of that `truncateBefore` was asked to remove; beyond, it is
   * lost. Readers and tails have such a lease, too. Default 1 GiB.
   */
  leaseBytesMax?: number;
  /** Whether to take `LOCK` in `dir`. An owner that holds a lock further up says false. */
  lock?: boolean;
  onEvent?: (event: WalEvent) => void;
  /**
   * What to do with a log that is damaged. `fail` (default): `open` throws and changes nothing.
   * `readonly`: it opens up to the damage, changes nothing either, and appends are refused with
   * `WAL_READ_ONLY`; `recovery` has the verdict `corrupt` and the place. Where not even the first
   * segment can be told, `open` throws all the same.
   */
  onCorruption?: 'fail' | 'readonly';
}

/**
 * Receives the records from `from` on, in order, during `Wal.open`.
 *
 * The log must reach from `from` to at least `from - 1`: an older record that is gone already is
 * `WAL_TRUNCATED_AWAY`; a log that ends before `from - 1` has lost records and is `WAL_BEHIND` (R3).
 * Both, and every corruption met on the way, are thrown before the directory is changed.
 */
export interface WalReplay {
  from: Lsn;
  /** The record is `bytes[start..end]`, borrowed for the time of the call. */
  onRecord(lsn: Lsn, bytes: Uint8Array, start: number, end: number, databaseTimeMs: number): void;
}

export type WalVerdict = 'clean' | 'torn' | 'corrupt' | 'missing';

export interface WalRecovery {
  verdict: WalVerdict;
  records: number;
  bytes: number;
  /** The epoch that this opening writes under. */
  epoch: number;
  /** The oldest record still in the log; `lastLsn + 1` where there is none. */
  firstLsn: Lsn;
  /** The newest record; 0 in a new log. */
  lastLsn: Lsn;
  /** Database time in the last frame, in ms since 1970; 0 in a new log. */
  databaseTimeMs: number;
  databaseUuid: Uint8Array;
  /** What was cut off as a torn tail. */
  truncated?: { segment: string; offset: number; bytes: number };
  /** Why the log is open for reading only: see `onCorruption`. */
  damage?: { file: string; offset: number; message: string };
  segments: number;
  elapsedMs: number;
}

/** Where a record is. */
export interface Position {
  readonly epoch: number;
  readonly lsn: Lsn;
  /** File name of the segment in the log's directory. */
  readonly segment: string;
  /** Byte offset of the record's first frame in it. */
  readonly offset: number;
  toJSON(): { epoch: number; lsn: string; segment: string; offset: number };
}

export interface WalEntry {
  readonly lsn: Lsn;
  /** The record's bytes: a view that stays valid; the reader does not reuse it. */
  readonly payload: Uint8Array;
  readonly position: Position;
  /** Database time of its frame, in ms since 1970. */
  readonly databaseTimeMs: number;
}

/** What `read` yields: LSNs, both included. */
export interface WalReadRange {
  /** Default: the first of the log. */
  from?: Lsn | number;
  /** Default: the last one that is written when it begins. */
  to?: Lsn | number;
}

export interface WalTailOptions {
  /** Default: the next record. */
  from?: Lsn | number;
  /** Ends the tail. */
  signal?: AbortSignal;
}

export interface LeaseOptions {
  /** What this lease may keep, in bytes. Default `leaseBytesMax` of the log. */
  bytesMax?: number;
  /** Called once when the lease is lost, at a moment when the log may be called. */
  onLost?: () => void;
}

/** Keeps records in the log: those from `lsn` on are not removed by `truncateBefore`. */
export interface Lease {
  readonly lsn: Lsn;
  /** Whether it kept more than it may, or what it kept was cut off: it keeps nothing any more. */
  readonly lost: boolean;
  /** Lets go of everything below `lsn`. Throws `WAL_LEASE_LOST`; `WAL_BAD_OPTION` for going back. */
  advance(lsn: Lsn | number): void;
  /** Lets go of everything. Idempotent. */
  release(): void;
}

/** What `truncateAfter` did. */
export interface WalCut {
  /** The epoch from now on. */
  epoch: number;
  lastLsn: Lsn;
  /** Names of the files, in the log's directory, that hold what was cut off; empty for nothing. */
  aside: readonly string[];
}

export interface WalHealth {
  healthy: boolean;
  /** The log is damaged, and open for reading only. */
  readOnly: boolean;
  /** Set once by the first failed write or sync; the log takes no more appends then. */
  poisoned: boolean;
  /** What failed first: `write` fails every policy; `sync` under a weak one still lets reads go on. */
  failure?: 'write' | 'sync';
  ioErrorCount: number;
  lastError?: string;
  endPosition: Position;
}

export interface WalStats {
  segments: number;
  bytes: number;
  firstLsn: Lsn;
  lastLsn: Lsn;
  syncedLsn: Lsn;
  durableLsn: Lsn;
  appends: number;
  appendedBytes: number;
  writes: number;
  syncs: number;
  rotations: number;
  /** Bytes submitted and not yet durable under the policy. */
  pendingBytes: number;
  /** The time the last sync took, in ms. */
  lastSyncMs: number;
  /** Leases held: by `retain`, open readers and tails. */
  leases: number;
}

export type WalEvent =
  | { type: 'rotated'; segment: string; lastLsn: Lsn }
  | { type: 'synced'; lsn: Lsn; elapsedMs: number }
  | { type: 'truncated'; segments: readonly string[]; firstLsn: Lsn }
  /** What a lease had held back could not be removed when it was let go. */
  | { type: 'truncationFailed'; error: Error }
  /** A lease held back more than it may (`heldBytes`), or records that were cut off (0). */
  | { type: 'leaseLost'; lsn: Lsn; heldBytes: number }
  /** `truncateAfter`: the log ends at `lastLsn`, `aside` are names of files that were kept. */
  | { type: 'cut'; lastLsn: Lsn; epoch: number; aside: readonly string[] }
  | { type: 'poisoned'; failure: 'write' | 'sync'; error: Error };

export type WalErrorCode =
  | 'WAL_BAD_OPTION'
  /** The log ends before a record that the caller knows to have been synced. */
  | 'WAL_BEHIND'
  /** `truncateAfter` is under way. */
  | 'WAL_BUSY'
  | 'WAL_CLOSED'
  | 'WAL_CORRUPT'
  | 'WAL_FULL'
  /** A lease that was lost, or released, keeps nothing. */
  | 'WAL_LEASE_LOST'
  | 'WAL_LOCKED'
  | 'WAL_MISSING'
  | 'WAL_MISSING_SEGMENT'
  /** A key was given, and the log, or a part of it, is in the clear. */
  | 'WAL_NOT_ENCRYPTED'
  | 'WAL_OUTCOME_UNKNOWN'
  | 'WAL_POISONED'
  | 'WAL_READ_ONLY'
  | 'WAL_RECORD_TOO_LARGE'
  | 'WAL_TOO_NEW'
  | 'WAL_TRUNCATED_AWAY'
  | 'WAL_WRONG_DATABASE'
  /** The log is encrypted, and the key is missing or another one. */
  | 'WAL_WRONG_KEY';

/**
 * What a store is beyond its keys where it keeps itself on disk: it needs no image, and the log is replayed onto what
 * it has.
 *
 *     open      store ─▶ log from `flushedLsn` + 1: apply, committed(lsn) ... ─▶ attach(log)
 *     commit    log.submit = lsn ─▶ effects applied ─▶ committed(lsn)
 *
 * Invariants
 *  1. What is durable is the state after commit `flushedLsn`, wholly, whatever was applied behind it.
 *  2. Nothing of LSN n becomes durable before the log is synced to n (R3), and before a log is attached.
 *  3. The log is cut behind `flushedLsn` alone (R4).
 */

/** The log, as far as such a store needs it. */
export interface StoreLog {
  readonly epoch: number;
  readonly syncedLsn: number;
  sync(): Promise<void>;
  truncateBefore(lsn: number): Promise<void>;
}

export interface StorePersistence {
  /** Everything up to here is durable in the store. */
  readonly flushedLsn: number;
  /** The newest epoch of the log that the store knows of. */
  readonly epoch: number;
  /** The map of databases at `flushedLsn`; `undefined` where none was ever given. */
  readonly databases: { namespaces: readonly number[]; nextNamespace: number } | undefined;
  /** Bytes of its files. */
  readonly fileBytes: number;
  /** Why it takes no more commits, or cannot write what it has; `undefined` while all is well. */
  readonly problem: string | undefined;
  /** What was applied since the last call is commit `lsn`. */
  committed(lsn: number): void;
  attach(log: StoreLog): void;
  /** Resolves when everything that is committed by now is durable in the store. */
  flush(): Promise<void>;
}

/**
 * A log that somebody else keeps, such as the engine's: its LSN is the sequence number of what it commits.
 *
 *     owner   log.submit(record) = lsn ──▶ db.apply(lsn, batch)
 *     flush   memtable up to lsn n ──▶ log.synced(n) ──▶ tables durable ──▶ manifest ──▶ log.onFlushed(n)
 *     open    replay from db.flushedSequence + 1 ──▶ db.apply
 *
 * Invariants
 *  1. Nothing derived from LSN n becomes durable before the log is synced to n (R3).
 *  2. `onFlushed(n)`: everything up to n survives without the log, which may be cut behind it (R4).
 */
export interface ExternalLog {
  /** Resolves when the log is synced up to `lsn`; rejects where it never will be. */
  synced(lsn: number): Promise<void>;
  /** Everything up to `lsn` is in tables, durably. */
  onFlushed(lsn: number): void;
  /**
   * What to keep with everything that is applied by now, and to give back as `db.flushedMetadata` after the
   * next opening: the engine's counts of keys. Called when a memtable is frozen: in `flush`, and in `apply` before the
   * batch that it is given.
   */
  metadata?(): Uint8Array;
}

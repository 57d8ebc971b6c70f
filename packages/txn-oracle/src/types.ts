/** The public shapes of the oracle. `Oracle` is in `oracle.ts`. */

/** Counts of this oracle's life, and what it holds now. */
export interface OracleStats {
  /** Transactions that are open, read-only ones included. */
  open: number;
  /** Points and ranges that they have read, as far as they are remembered. */
  points: number;
  ranges: number;
  /** What that takes, in bytes. */
  readBytes: number;
  /** Commits that took a timestamp. */
  commits: number;
  /** Transactions that were refused. */
  conflicts: number;
  /** How often what a transaction had read was made coarser, to keep within the limits. */
  coarsened: number;
}

export interface OracleOptions {
  /** The newest timestamp in the store: the first snapshot is taken there. Default 0. */
  lastCommitted?: number;
  /** Any integer: makes the index's shape unknown to whoever chooses the keys. Default 0. */
  hashSeed?: number;
  /** Transactions open at once. Default 65,536; more are `TXN_TOO_MANY`. */
  openTransactionsMax?: number;
  /** Points that one transaction remembers one by one before they become ranges. Default 16,384. */
  readsPerTransactionMax?: number;
  /** Ranges that one transaction remembers before neighbours become one. Default 256. */
  rangesPerTransactionMax?: number;
  /** What all open transactions remember, in bytes, before they become coarser. Default 64 MiB. */
  readBytesMax?: number;
  /** Writes of one transaction, and the bytes of their keys: more are `TXN_TOO_LARGE`. */
  writesPerTransactionMax?: number;
  writeBytesPerTransactionMax?: number;
}

export interface BeginOptions {
  /** It will not write: its reads are not remembered, and it never conflicts. Default false. */
  readOnly?: boolean;
}

/**
 * An open transaction. Keys are (bytes, from, to), by default the whole of `bytes`, and are copied.
 *
 * What is read is said before, or in the same turn as, the store is asked: a change that comes
 * between would be missed. Calls after its end throw `TXN_CLOSED`.
 */
export interface OracleTransaction {
  /** Reads see versions up to this one. */
  readonly readTimestamp: number;
  readonly readOnly: boolean;
  /** Neither committed nor aborted. */
  readonly open: boolean;
  /** Whether something that it has read has changed since: if it has written, it cannot commit. */
  readonly conflicted: boolean;
  /** Points that are remembered one by one: none of a transaction that is marked or has ended. */
  readonly points: number;
  /** Says that a key is read, be it there or not. O(1). */
  read(key: Uint8Array, from?: number, to?: number): void;
  /** Says that all keys `gte <= key < lt` are read; to the end without `lt`. */
  readRange(gte: Uint8Array, lt?: Uint8Array): void;
  /** Says that a read has met a version above `readTimestamp`, which it does not see. */
  sawNewer(): void;
  /** Says that the commit will change a key. Throws `TXN_READ_ONLY`, `TXN_TOO_LARGE`. */
  write(key: Uint8Array, from?: number, to?: number): void;
  /** Says that the commit will change keys `gte <= key < lt`. Throws the same. */
  writeRange(gte: Uint8Array, lt?: Uint8Array): void;
  /** Ends it without a commit; nothing where it has ended. */
  abort(): void;
}

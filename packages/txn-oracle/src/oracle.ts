/**
 * Gives transactions their timestamps and refuses those whose reads were overtaken.
 *
 *     begin ──▶ read, readRange ──▶ commit ──▶ timestamp
 *     at the snapshot │                 │
 *     lastCommitted   ▼                 ▼ marks the other transactions that have read
 *               reader registry ◀────── what it has written
 *
 * Forward validation: whoever commits looks for open transactions that have read what it changes, and
 * marks them; a read that meets a version above its snapshot came too late to be found, and marks
 * itself. A marked transaction may commit only if it has written nothing.
 *
 * Invariants
 *  1. Timestamps of commits grow. A snapshot is `lastCommitted` at the moment of `begin`, so that the
 *     open transactions are in the order of their snapshots.
 *  2. What a transaction that commits writes has read is, at its commit, still what it was in its
 *     snapshot: it might as well have run in that moment. One that wrote nothing ran at its snapshot.
 *  3. Nothing is kept of what has ended: the memory is that of what open transactions have read.
 *
 * Single-threaded and synchronous. The owner applies a commit's versions in the turn of `commit`.
 *
 * Why not the other way round: validation against the writes of past commits (Badger) keeps those of
 * every commit since the oldest open transaction, however little it has read.
 */
import { OracleError } from './errors.js';
import { isBelow } from './key-order.js';
import { oracleSettings } from './options.js';
import { ReaderRegistry } from './reader-registry.js';
import { OpenTransaction, type TransactionOwner } from './transaction.js';
import type { BeginOptions, OracleOptions, OracleStats, OracleTransaction } from './types.js';
import type { WriteSet } from './write-set.js';

export class Oracle {
  readonly #readers: ReaderRegistry<OpenTransaction>;
  readonly #owner: TransactionOwner;
  readonly #openTransactionsMax: number;
  #lastCommitted: number;
  #oldest: OpenTransaction | undefined = undefined;
  #newest: OpenTransaction | undefined = undefined;
  #open = 0;
  #commits = 0;
  #conflicts = 0;

  /** Throws `TXN_BAD_OPTION`. */
  constructor(options: OracleOptions = {}) {
    const settings = oracleSettings(options);
    this.#lastCommitted = settings.lastCommitted;
    this.#openTransactionsMax = settings.openTransactionsMax;
    this.#readers = new ReaderRegistry(settings.hashSeed, settings);
    this.#owner = {
      readers: this.#readers,
      writeLimits: settings,
      ended: (transaction) => this.#unlink(transaction),
    };
  }

  /** The newest timestamp: where the next transaction takes its snapshot. */
  get lastCommitted(): number {
    return this.#lastCommitted;
  }

  /**
   * The oldest snapshot that an open transaction reads, or `lastCommitted` where none is open. A
   * version is of no use once a newer one of its key has a timestamp at or below this.
   */
  get oldestActive(): number {
    return this.#oldest?.readTimestamp ?? this.#lastCommitted;
  }

  /** Whether a change could hit anyone: where not, `noteWrite` need not be called. */
  get hasReaders(): boolean {
    return this.#readers.size > 0;
  }

  /**
   * Begins a transaction that sees everything up to `lastCommitted`. Throws `TXN_TOO_MANY`. Commit or
   * abort it: until then it holds `oldestActive` back.
   */
  begin(options: BeginOptions = {}): OracleTransaction {
    if (this.#open >= this.#openTransactionsMax) {
      throw new OracleError(
        'TXN_TOO_MANY',
        `expected at most ${this.#openTransactionsMax} open transactions, got one more: end those that are done with`,
      );
    }
    const transaction = new OpenTransaction(
      this.#owner,
      this.#lastCommitted,
      options.readOnly ?? false,
    );
    transaction.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = transaction;
    else this.#newest.newer = transaction;
    this.#newest = transaction;
    this.#open++;
    return transaction;
  }

  /**
   * Throws `TXN_CONFLICT`, and ends the transaction, where it has written and something that it has
   * read has changed; `TXN_CLOSED` where it has ended. Once this has passed, `commit` passes as long
   * as no other change was noted.
   */
  validate(transaction: OracleTransaction): void {
    this.#validate(this.#mine(transaction));
  }

  /**
   * Commits: ends the transaction, marks the open ones that have read what it has written, and
   * returns its timestamp. `timestamp` is one of the owner's, above `lastCommitted`; by default the
   * next number. A transaction that wrote nothing takes none unless it is given one, and stands at
   * its snapshot.
   *
   * Throws `TXN_CONFLICT` as `validate` does, `TXN_CLOSED`, and `TXN_BAD_TIMESTAMP`, after which the
   * transaction is still open. O(1) for each key written, where nobody has read it.
   */
  commit(transaction: OracleTransaction, timestamp?: number): number {
    const mine = this.#mine(transaction);
    this.#validate(mine);
    const { writes } = mine;
    if (writes === undefined && timestamp === undefined) {
      mine.end();
      return mine.readTimestamp;
    }
    const committed = this.#take(timestamp);
    mine.end();
    this.#commits++;
    if (writes === undefined) return committed;
    if (this.#readers.size > 0) this.#noteWrites(writes, committed);
    writes.release();
    return committed;
  }

  /**
   * Takes the timestamp of a change that is made outside of transactions, and returns it: by default
   * the next number. Throws `TXN_BAD_TIMESTAMP`. What it changes goes through `noteWrite` and `noteRange`.
   */
  advance(timestamp?: number): number {
    return this.#take(timestamp);
  }

  /** Notes a change outside of transactions: whoever has read the key is marked. */
  noteWrite(key: Uint8Array, from = 0, to = key.length): void {
    if (this.#readers.size > 0) this.#hitPoint(key, from, to, OUTSIDE);
  }

  /**
   * Notes a change of any keys `gte <= key < lt`; to the end without `lt`. Looks at every point that
   * open transactions have read.
   */
  noteRange(gte: Uint8Array, lt?: Uint8Array): void {
    if (this.#readers.size > 0) this.#hitRange(gte, lt, OUTSIDE);
  }

  stats(): OracleStats {
    return {
      open: this.#open,
      points: this.#readers.points.size,
      ranges: this.#readers.ranges.size,
      readBytes: this.#readers.bytes,
      commits: this.#commits,
      conflicts: this.#conflicts,
      coarsened: this.#readers.coarsened,
    };
  }

  #mine(transaction: OracleTransaction): OpenTransaction {
    if (transaction instanceof OpenTransaction && transaction.owner === this.#owner) {
      return transaction;
    }
    throw new TypeError('expected a transaction that this oracle has begun, got another');
  }

  #validate(transaction: OpenTransaction): void {
    if (!transaction.open) {
      throw new OracleError(
        'TXN_CLOSED',
        'expected an open transaction, it has been committed or aborted: begin another',
      );
    }
    if (transaction.conflict === undefined || transaction.writes === undefined) return;
    transaction.abort();
    this.#conflicts++;
    throw new OracleError(
      'TXN_CONFLICT',
      `expected what the transaction has read to be unchanged at its commit, ${transaction.conflict}: run it again`,
    );
  }

  #take(timestamp = this.#lastCommitted + 1): number {
    if (!Number.isSafeInteger(timestamp) || timestamp <= this.#lastCommitted) {
      throw new OracleError(
        'TXN_BAD_TIMESTAMP',
        `expected an integer above the last timestamp ${this.#lastCommitted}, got ${timestamp}`,
      );
    }
    this.#lastCommitted = timestamp;
    return timestamp;
  }

  #noteWrites(writes: WriteSet, timestamp: number): void {
    const { points, ranges } = writes;
    const conflict = `it was changed by the commit at ${timestamp}`;
    for (let i = 0; i < points.count && this.#readers.size > 0; i++) {
      this.#hitPoint(points.bytes, points.startOf(i), points.endOf(i), conflict);
    }
    for (const { gte, lt } of ranges) this.#hitRange(gte, lt, conflict);
  }

  /** Marks all that have read the key; each forgets its reads, so that the next look finds another. */
  #hitPoint(key: Uint8Array, from: number, to: number, conflict: string): void {
    const { points, ranges, fingerprint } = this.#readers;
    if (points.size > 0) {
      fingerprint.of(key, from, to);
      for (;;) {
        const reader = points.readerOf(fingerprint.low, fingerprint.high);
        if (reader === undefined) break;
        reader.mark(conflict);
      }
    }
    while (ranges.size > 0) {
      const reader = ranges.ownerHolding(key, from, to);
      if (reader === undefined) break;
      reader.mark(conflict);
    }
  }

  #hitRange(gte: Uint8Array, lt: Uint8Array | undefined, conflict: string): void {
    if (!isBelow(gte, 0, gte.length, lt)) return;
    const { points, ranges } = this.#readers;
    while (ranges.size > 0) {
      const reader = ranges.ownerOverlapping(gte, lt);
      if (reader === undefined) break;
      reader.mark(conflict);
    }
    if (points.size === 0) return;
    for (let reader = this.#oldest; reader !== undefined; reader = reader.newer) {
      if (reader.hasReadPointWithin(gte, lt)) reader.mark(conflict);
    }
  }

  #unlink(transaction: OpenTransaction): void {
    const { older, newer } = transaction;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    transaction.older = undefined;
    transaction.newer = undefined;
    this.#open--;
  }
}

/** Why a transaction is marked by a change that no transaction made. */
const OUTSIDE = 'it was changed since';

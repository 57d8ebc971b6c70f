/**
 * One transaction (shape and contract: `OracleTransaction` in `types.ts`), as the oracle sees it: a link
 * in its list of open transactions, oldest first.
 *
 * Invariants
 *  1. Only an open transaction that is neither read-only nor marked is in the registry of readers.
 *  2. A mark is never taken back; whoever is marked has forgotten its reads.
 */
import { OracleError } from './errors.js';
import { ReadSet } from './read-set.js';
import type { ReaderRegistry } from './reader-registry.js';
import type { OracleTransaction } from './types.js';
import { type WriteLimits, WriteSet } from './write-set.js';

/** What a transaction needs of the oracle that began it. */
export interface TransactionOwner {
  readonly readers: ReaderRegistry<OpenTransaction>;
  readonly writeLimits: WriteLimits;
  /** Told once, when the transaction ends. */
  ended(transaction: OpenTransaction): void;
}

export class OpenTransaction implements OracleTransaction {
  /** Neighbours in the list of open transactions. */
  older: OpenTransaction | undefined = undefined;
  newer: OpenTransaction | undefined = undefined;
  open = true;
  /** Why it cannot commit what it writes, for people. */
  conflict: string | undefined = undefined;
  /** Made with the first of each: many transactions only read, or only write. */
  #reads: ReadSet<OpenTransaction> | undefined = undefined;
  #writes: WriteSet | undefined = undefined;

  constructor(
    readonly owner: TransactionOwner,
    readonly readTimestamp: number,
    readonly readOnly: boolean,
  ) {}

  get conflicted(): boolean {
    return this.conflict !== undefined;
  }

  get points(): number {
    return this.#reads?.points ?? 0;
  }

  /** What it will change; `undefined` where that is nothing. */
  get writes(): WriteSet | undefined {
    return this.#writes === undefined || this.#writes.isEmpty ? undefined : this.#writes;
  }

  read(key: Uint8Array, from = 0, to = key.length): void {
    if (this.#remembersReads()) this.#readSet().addPoint(key, from, to);
  }

  readRange(gte: Uint8Array, lt?: Uint8Array): void {
    if (this.#remembersReads()) this.#readSet().addRange(gte, lt);
  }

  sawNewer(): void {
    if (this.#remembersReads()) {
      this.mark(`it has met a version newer than its snapshot at ${this.readTimestamp}`);
    }
  }

  write(key: Uint8Array, from = 0, to = key.length): void {
    this.#writeSet().addPoint(key, from, to);
  }

  writeRange(gte: Uint8Array, lt?: Uint8Array): void {
    this.#writeSet().addRange(gte, lt);
  }

  abort(): void {
    if (!this.open) return;
    this.end();
    this.#writes?.release();
  }

  /** Whether a change of `gte <= key < lt` hits a point that it has read. */
  hasReadPointWithin(gte: Uint8Array, lt: Uint8Array | undefined): boolean {
    return this.#reads?.hasPointWithin(gte, lt) ?? false;
  }

  /** Marks it, and forgets what it has read: it cannot be hit again. */
  mark(conflict: string): void {
    this.conflict ??= conflict;
    this.#reads?.release();
  }

  /** Takes it out of the registry and the list. Its writes stay for the commit that ends it. */
  end(): void {
    this.open = false;
    this.#reads?.release();
    this.owner.ended(this);
  }

  #remembersReads(): boolean {
    this.#assertOpen();
    return !this.readOnly && this.conflict === undefined;
  }

  #readSet(): ReadSet<OpenTransaction> {
    this.#reads ??= new ReadSet<OpenTransaction>(this, this.owner.readers);
    return this.#reads;
  }

  #writeSet(): WriteSet {
    this.#assertOpen();
    if (this.readOnly) {
      throw new OracleError(
        'TXN_READ_ONLY',
        'expected no write in a transaction begun with readOnly, got one: begin it without',
      );
    }
    this.#writes ??= new WriteSet(this.owner.writeLimits, this.owner.readers.logs);
    return this.#writes;
  }

  #assertOpen(): void {
    if (!this.open) {
      throw new OracleError(
        'TXN_CLOSED',
        'expected an open transaction, it has been committed or aborted: begin another',
      );
    }
  }
}

/**
 * The tree. `Lsm.open` recovers and returns one; everything else is a method of it.
 *
 *     get, getAsync, getMany, getView, cursor, entries     read; the applied state, durable or not
 *     put, putSync, delete, deleteRange, batch             write, one commit each
 *     begin, transact                                      serializable transactions
 *     apply, prepare                                       for an owner that keeps the log itself
 *     snapshot, checkpoint, flush, compact, verify         and what keeps it going
 *
 * Invariants
 *  1. A commit is seen wholly or not at all, at once when the call returns; its promise resolves when it is durable.
 *  2. After the first failed write or sync of the log nothing is written any more (`LSM_POISONED`); reads go on.
 *  3. Damage on disk is `LSM_CORRUPT` with file and offset, never a wrong answer.
 *
 * Concurrency: one thread.
 */
import { LsmError } from '../errors.js';
import { readError } from '../io-error.js';
import { type Batch, checkKey, OpKind } from '../log/batch.js';
import { bad, checkOptions } from '../options.js';
import type {
  CursorOptions,
  KeyRangeOptions,
  LsmExplanation,
  LsmHealth,
  LsmOptions,
  LsmSnapshot,
  LsmStats,
  LsmVerification,
  PutOptions,
  ReadOptions,
  TransactionOptions,
  TransactOptions,
  WriteOptions,
} from '../types.js';
import { closeFiles } from './close-files.js';
import { Compactor } from './compactor.js';
import type { Core } from './core.js';
import type { LsmCursor } from './cursor.js';
import { explainKey } from './explain.js';
import { verifyFiles, writeCheckpoint } from './files-at-rest.js';
import { Flusher } from './flusher.js';
import { boundsOf, isEmptyRange, keyAfter } from './key-bounds.js';
import { addKey } from './keys.js';
import { openCore } from './open.js';
import { openCursor } from './open-cursor.js';
import { delayMs } from './pacer.js';
import { NEWEST } from './point-reader.js';
import { runTransaction } from './run-transaction.js';
import { healthOf, statsOf } from './statistics.js';
import { Transaction } from './transaction.js';
import { WriteBatch } from './write-batch.js';
import { WritePath } from './write-path.js';

const NO_VALUE = new Uint8Array(0);
const NO_OPTIONS = {};

export class Lsm {
  readonly #core: Core;
  readonly #writes: WritePath;
  readonly #flusher: Flusher;
  readonly #compactor: Compactor;
  #closing: Promise<void> | undefined;

  /**
   * Opens the tree in `options.dir`, recovering what a crash left, or begins one. Throws `LSM_BAD_OPTION`,
   * `LSM_LOCKED`, `LSM_MISSING`, `LSM_CORRUPT`, `LSM_WRONG_KEY`, `LSM_WRONG_LOG`, `LSM_FOREIGN`, `LSM_TOO_NEW`,
   * `LSM_FULL`, `LSM_IO`.
   */
  static async open(options: LsmOptions): Promise<Lsm> {
    const checked = checkOptions(options);
    let opened: Lsm | undefined;
    const core = await openCore(checked, {
      onDurable: (sequence) => {
        if (opened !== undefined) opened.#writes.durable(sequence);
      },
      onFailure: (error) => {
        if (opened !== undefined) opened.#poison(error);
      },
    });
    opened = new Lsm(core);
    opened.#flusher.background.kick();
    opened.#compactor.kick();
    return opened;
  }

  private constructor(core: Core) {
    this.#core = core;
    this.#compactor = new Compactor(core);
    this.#flusher = new Flusher(core, {
      onInstalled: () => {
        this.#compactor.kick();
        this.#writes.letGo();
      },
      onDead: (error) => this.#poison(error),
    });
    this.#writes = new WritePath(core, {
      onFull: () => this.#flusher.freeze(),
      delayMs: (bytes) => delayMs(bytes, this.#pacingSigns()),
    });
  }

  /** 16 bytes: whose files these are. */
  get databaseUuid(): Uint8Array {
    return this.#core.databaseUuid;
  }

  /** Sequence number of the newest commit; 0 in a new tree. */
  get sequence(): number {
    return this.#core.sequence;
  }

  /** Everything up to here is in tables: a log that somebody else keeps is replayed from the next one on. */
  get flushedSequence(): number {
    return this.#core.versions.flushedSequence;
  }

  /** Whether writers should pause: memtables wait for their flush faster than they are flushed. */
  get pressure(): boolean {
    return delayMs(1, this.#pacingSigns()) === Number.POSITIVE_INFINITY;
  }

  /** What `ExternalLog.metadata` said at `flushedSequence`; empty where it never did. */
  get flushedMetadata(): Uint8Array {
    return this.#core.versions.metadata;
  }

  // Reads

  /** The value, a copy; `undefined` where there is none. Reads the disk in the call where it has to. */
  get(key: Uint8Array, options: ReadOptions = NO_OPTIONS): Uint8Array | undefined {
    return this.#find(key, options) ? this.#core.values.copyOf(this.#core.points.entry) : undefined;
  }

  /** The value, borrowed until the next call of any method; `undefined` where there is none. */
  getView(key: Uint8Array, options: ReadOptions = NO_OPTIONS): Uint8Array | undefined {
    return this.#find(key, options) ? this.#core.values.viewOf(this.#core.points.entry) : undefined;
  }

  /** Whether there is a value. */
  has(key: Uint8Array, options: ReadOptions = NO_OPTIONS): boolean {
    return this.#find(key, options);
  }

  /** `get` without blocking the thread where blocks have to be read. */
  async getAsync(
    key: Uint8Array,
    options: ReadOptions = NO_OPTIONS,
  ): Promise<Uint8Array | undefined> {
    this.#core.checkOpen();
    checkKey(key);
    const { points, values, versions } = this.#core;
    if (!points.isReady(key, 0, key.length)) await points.load(key, 0, key.length);
    if (!this.#find(key, options)) return undefined;
    const version = versions.pin();
    try {
      return await values.copyOfAsync(points.entry);
    } finally {
      versions.unpin(version);
    }
  }

  /** The values of several keys, in their order, of one moment. */
  getMany(
    keys: readonly Uint8Array[],
    options: ReadOptions = NO_OPTIONS,
  ): (Uint8Array | undefined)[] {
    return keys.map((key) => this.get(key, options));
  }

  /** When the entry of a key expires, in ms since 1970: 0 for never, `undefined` where there is none. */
  expiryOf(key: Uint8Array, options: ReadOptions = NO_OPTIONS): number | undefined {
    return this.#find(key, options) ? this.#core.points.entry.expireAtMs : undefined;
  }

  /**
   * Sees to it that reads of these keys will not touch the disk: true where they would not anyway, else a promise
   * of it. What it brings in may leave again when much else is read before.
   */
  prepare(keys: readonly Uint8Array[]): true | Promise<void> {
    this.#core.checkOpen();
    const { points } = this.#core;
    const cold = keys.filter((key) => !points.isReady(key, 0, key.length));
    if (cold.length === 0) return true;
    return Promise.all(cold.map((key) => points.load(key, 0, key.length))).then(() => undefined);
  }

  /** A cursor. It pins what it sees until it is closed. Throws `LSM_CLOSED`, `LSM_BAD_OPTION`. */
  cursor(options: CursorOptions = {}): LsmCursor {
    this.#core.checkOpen();
    return openCursor(this.#core, options);
  }

  /** Keys and values in order, copies. */
  async *entries(options: CursorOptions = {}): AsyncGenerator<[Uint8Array, Uint8Array], void> {
    const cursor = this.cursor(options);
    try {
      while (cursor.next()) yield [cursor.key, cursor.value];
    } finally {
      cursor.close();
    }
  }

  /** A view of this moment, for reads and cursors. Close it. */
  snapshot(): LsmSnapshot {
    this.#core.checkOpen();
    const { snapshots, sequence, clock } = this.#core;
    return snapshots.take(sequence, clock.nowMs());
  }

  // Writes

  /**
   * Sets `key` to `value`: seen at once, durable when the promise resolves. Rejects with `LSM_TOO_LARGE`,
   * `LSM_BAD_OPTION`, `LSM_FULL`, `LSM_CLOSED` (then nothing has happened) and `LSM_POISONED`.
   */
  put(key: Uint8Array, value: Uint8Array, options: PutOptions = NO_OPTIONS): Promise<void> {
    try {
      const done = this.#writes.write(OpKind.put, key, value, expiryIn(options));
      return options.sync === true ? this.#synced(done) : done;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** `put` that returns when the write is durable under the policy. Blocks the thread for the disk. */
  putSync(key: Uint8Array, value: Uint8Array, options: Omit<PutOptions, 'sync'> = {}): void {
    this.#writes.writeSync(OpKind.put, key, value, expiryIn(options));
  }

  /** Deletes `key`, whether or not it is there. Rejects as `put` does. */
  delete(key: Uint8Array, options: WriteOptions = NO_OPTIONS): Promise<void> {
    try {
      const done = this.#writes.write(OpKind.delete, key, NO_VALUE, 0);
      return options.sync === true ? this.#synced(done) : done;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Deletes all keys from `gte` on and before `lt`, in one small write. Rejects as `put` does. */
  deleteRange(gte: Uint8Array, lt: Uint8Array, options: WriteOptions = {}): Promise<void> {
    try {
      if (isEmptyRange({ gte, lt })) {
        checkKey(gte);
        checkKey(lt);
        return Promise.resolve();
      }
      return this.batch().deleteRange(gte, lt).write(options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Changes that are made together or not at all. */
  batch(): WriteBatch {
    return new WriteBatch((batch, options) => this.#writeBatch(batch, options));
  }

  /** Resolves when everything that is committed by now is covered by a sync, whatever the policy. */
  async sync(): Promise<void> {
    this.#core.checkWritable();
    await this.#core.log?.sync();
  }

  /**
   * Applies what the external log has committed at `sequence`, which is above all before. Synchronous; after the
   * log has given the number nothing here fails. Throws `LSM_WRONG_LOG`, `LSM_CLOSED`, `LSM_BAD_OPTION`.
   */
  apply(sequence: number, batch: Batch): void {
    this.#writes.apply(sequence, batch);
  }

  // Transactions

  /** Begins a serializable transaction; commit or abort it. Throws `TXN_TOO_MANY`, `LSM_CLOSED`. */
  begin({ readOnly = false }: TransactionOptions = {}): Transaction {
    this.#core.checkOpen();
    return new Transaction(this.#core, this.#writes, readOnly);
  }

  /**
   * Runs `body` in a transaction and commits it; runs it again where it met a conflict, at most `retriesMax` times.
   * Resolves with what `body` returned. Rejects with what it threw, or with `TXN_CONFLICT`.
   */
  async transact<T>(
    body: (transaction: Transaction) => Promise<T> | T,
    options: TransactOptions = {},
  ): Promise<T> {
    return runTransaction((readOnly) => this.begin({ readOnly }), body, options);
  }

  // Keeping it going

  /** Resolves when everything that is committed by now is in tables. Rejects with `LSM_IO`, `LSM_FULL`, ... */
  async flush(): Promise<void> {
    this.#core.checkWritable();
    await this.#flusher.flush();
  }

  /** Merges everything in `range` (default: all keys) into the oldest run, after a flush. */
  async compact(range?: KeyRangeOptions): Promise<void> {
    await this.flush();
    if (range === undefined) return this.#compactor.compact(undefined);
    const { gte = NO_VALUE, lt } = boundsOf(range);
    if (isEmptyRange({ gte, lt })) return;
    await this.#compactor.compact({ smallest: gte, largest: lt ?? this.#lastKey() });
  }

  /** Resolves when no compaction is due. Rejects with why the last one failed. */
  async settle(): Promise<void> {
    this.#core.checkOpen();
    await this.#flusher.background.idle();
    await this.#compactor.settle();
    await this.#core.versions.pins.settled();
  }

  /**
   * Copies everything that is committed by now into `dir`, which is missing or empty: a tree that can be opened.
   * Writes go on meanwhile.
   */
  async checkpoint(dir: string): Promise<void> {
    await this.flush();
    await writeCheckpoint(this.#core, dir);
  }

  /**
   * Adds a data key to the tree's keyring, or takes the newest of the caller's ring, and writes every file anew with
   * it. Reads and writes go on meanwhile. Segments of the log that were begun before go with the next flushes.
   */
  async rotateKey(): Promise<void> {
    this.#core.checkWritable();
    await addKey(this.#core);
    await this.flush();
    await this.#core.versions.rotate();
    await this.#compactor.rewriteOldKeys();
  }

  stats(): LsmStats {
    return statsOf(this.#core, this.#flusher, this.#compactor);
  }

  get health(): LsmHealth {
    return healthOf(this.#core, this.#flusher, this.#compactor);
  }

  /** Where a look-up of `key` goes, and what it finds there. Reads what it would read. */
  explain(key: Uint8Array): LsmExplanation {
    this.#core.checkOpen();
    checkKey(key);
    try {
      return explainKey(this.#core, key);
    } catch (error) {
      throw readError(error);
    }
  }

  /** Reads every byte of every file and compares it with its checksums. */
  async verify(): Promise<LsmVerification> {
    this.#core.checkOpen();
    return verifyFiles(this.#core);
  }

  /**
   * Ends what is under way, syncs the log and lets everything go. What is committed is in the log: nothing is
   * flushed. Rejects where the log could not be synced; everything is released all the same. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const core = this.#core;
    core.markClosed();
    this.#writes.close();
    const closed = () =>
      new LsmError(
        'LSM_CLOSED',
        `the tree in ${core.options.dir} was closed meanwhile: open it again`,
      );
    await Promise.all([
      this.#flusher.close(closed),
      this.#compactor.close(closed),
      core.points.idle(),
    ]);
    await closeFiles(core);
  }

  #find(key: Uint8Array, { snapshot }: ReadOptions): boolean {
    const core = this.#core;
    core.checkOpen();
    checkKey(key);
    if (snapshot === undefined) {
      if (!core.points.find(key, 0, key.length, NEWEST)) return false;
      const { expireAtMs } = core.points.entry;
      return expireAtMs === 0 || expireAtMs > core.clock.nowMs();
    }
    const { sequence, timeMs } = core.snapshots.check(snapshot);
    if (!core.points.find(key, 0, key.length, sequence)) return false;
    const { expireAtMs } = core.points.entry;
    return expireAtMs === 0 || expireAtMs > timeMs;
  }

  async #writeBatch(batch: Batch, { sync }: WriteOptions): Promise<void> {
    const done = this.#writes.writeBatch(batch);
    await (sync === true ? this.#synced(done) : done);
  }

  async #synced(done: Promise<void>): Promise<void> {
    const synced = this.#core.log?.sync();
    await Promise.all([done, synced]);
  }

  #poison(error: LsmError): void {
    this.#core.poison(error);
    this.#writes.fail(error);
  }

  #pacingSigns() {
    const { memtables, versions, options } = this.#core;
    return {
      frozenMemtables: memtables.frozen.length,
      level0Runs: versions.current.level0.length,
      level0RunsCompact: options.level0RunsCompact,
    };
  }

  /** A key behind every one in tables. */
  #lastKey(): Uint8Array {
    let last: Uint8Array = NO_VALUE;
    for (const { largest } of this.#core.versions.current.tables.values()) {
      if (Buffer.compare(largest, last) > 0) last = largest;
    }
    return keyAfter(last);
  }
}

function expiryIn({ expireAtMs = 0 }: Pick<PutOptions, 'expireAtMs'>): number {
  if (Number.isSafeInteger(expireAtMs) && expireAtMs >= 0) return expireAtMs;
  throw bad('expireAtMs', 'an integer from 0 to 2^53 - 1, in ms since 1970', expireAtMs);
}

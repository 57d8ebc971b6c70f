/**
 * The database: one log, one writer, one store (contract: `EngineView` in `types.ts`).
 *
 *     begin -> reads and staged writes -> commit:
 *        admit     the log has room, nothing is assigned yet; may refuse
 *        submit    the record gets its LSN and is copied into the log's buffer
 *        apply     the same bytes change the store
 *     -> the log writes and syncs by policy -> onDurable -> replies leave
 *
 * Invariants
 *  1. `durableLsn <= appliedLsn`, and the store is exactly the effects up to `appliedLsn`.
 *  2. One record a commit; a refused or aborted transaction leaves no trace (R7).
 *  3. After `submit` only I/O may fail; a throw from `apply` is fatal (R7).
 *  4. A failed write, or any failed sync under `always`, is fatal. A failed sync under a weaker
 *     policy makes the engine read-only (R10), unless commits were still waiting to be written:
 *     what reads see would never become durable, so that is fatal too.
 *
 * Concurrency: one thread, synchronous from `begin` to `commit` (R8).
 */
import { formatUuid, type Lsn } from '@nendb/codec';
import type { SnapshotInfo } from '@nendb/snapshot';
import type { Timers, VfsLock } from '@nendb/vfs';
import type { Wal, WalEvent } from '@nendb/wal';
import { assertCoreThread, currentThread } from './core-thread.js';
import type { DatabaseClock } from './database-clock.js';
import { applyEffects } from './effects/apply.js';
import type { Databases } from './effects/databases.js';
import { EffectReader } from './effects/reader.js';
import { asEngineError, EngineError } from './errors.js';
import { ActiveExpiry } from './expiry.js';
import { FlushKeeper } from './flush-keeper.js';
import type { ImageKeeper } from './image-keeper.js';
import { type OpenedDatabase, openDatabase } from './open.js';
import { type EngineSettings, settingsOf } from './options.js';
import { RandomNumbers } from './random-numbers.js';
import { Reclaimer } from './reclaimer.js';
import { Snapshotter } from './snapshotter.js';
import type { Store } from './stores/store.js';
import { Transaction } from './transaction.js';
import type {
  EngineHealth,
  EngineHealthState,
  EngineOptions,
  EngineRecovery,
  EngineStats,
  EngineView,
  TransactionView,
  WatchView,
} from './types.js';
import { Watches } from './watching/watches.js';

export class Engine implements EngineView {
  readonly dir: string;
  readonly databaseUuid: string;
  readonly recovery: EngineRecovery;
  readonly alwaysReady: boolean;
  readonly storeKind: string;
  readonly timers: Timers;
  readonly #settings: EngineSettings;
  readonly #lock: VfsLock;
  readonly #wal: Wal;
  readonly #store: Store;
  readonly #databases: Databases;
  readonly #clock: DatabaseClock;
  readonly #transaction: Transaction;
  readonly #reader = new EffectReader();
  readonly #snapshotter: ImageKeeper;
  readonly #expiry: ActiveExpiry;
  readonly #reclaimer: Reclaimer;
  readonly #random: RandomNumbers;
  readonly #watches: Watches;
  readonly #fatalListeners = new Set<(error: Error) => void>();
  readonly #thread = currentThread();
  #state: EngineHealthState = 'ok';
  #reason: string | undefined;
  #failure: Error | undefined;
  #appliedLsn: Lsn;
  #open = false;
  #commits = 0;
  #effects = 0;
  #closing: Promise<void> | undefined;

  /**
   * Opens or makes the database in `options.dir` and recovers it. Throws `EngineError`; a
   * directory that is refused is left as it was.
   */
  static async open(options: EngineOptions): Promise<Engine> {
    const settings = settingsOf(options);
    // The log can fail between its opening and the engine's: such an event is kept for the engine.
    let deliver: (event: WalEvent) => void = (event) => early.push(event);
    const early: WalEvent[] = [];
    const opened = await openDatabase(settings, (event) => deliver(event));
    const engine = new Engine(settings, opened);
    deliver = (event) => engine.#onWalEvent(event);
    early.forEach(deliver);
    try {
      await engine.#snapshotter.load(opened.recovery, opened.replayedBytes);
    } catch (error) {
      await engine.close();
      throw asEngineError(error);
    }
    if (settings.activeExpiry) engine.#expiry.start();
    engine.#reclaimer.start();
    return engine;
  }

  private constructor(settings: EngineSettings, opened: OpenedDatabase) {
    this.dir = settings.dir;
    this.databaseUuid = formatUuid(opened.identity.databaseUuid);
    this.recovery = opened.recovery;
    this.alwaysReady = opened.store.alwaysReady;
    this.storeKind = opened.store.kind;
    this.timers = settings.vfs.timers;
    this.#settings = settings;
    this.#lock = opened.lock;
    this.#wal = opened.wal;
    this.#store = opened.store;
    this.#databases = opened.databases;
    this.#clock = opened.clock;
    this.#random = new RandomNumbers(settings.vfs.random);
    this.#appliedLsn = opened.recovery.log.lastLsn;
    this.#transaction = new Transaction(this.#store, this.#databases, settings);
    const { databaseUuid } = opened.identity;
    const { persistence } = this.#store;
    this.#snapshotter = persistence
      ? new FlushKeeper({
          ...{ persistence, databaseUuid, clock: this.#clock, vfs: settings.vfs },
          epoch: this.#wal.epoch,
        })
      : new Snapshotter({
          settings,
          databaseUuid,
          wal: this.#wal,
          store: this.#store,
          databases: this.#databases,
          clock: this.#clock,
          appliedLsn: () => this.#appliedLsn,
        });
    this.#watches = new Watches({
      store: this.#store,
      databases: this.#databases,
      clock: this.#clock,
      appliedLsn: this.#appliedLsn,
      hashSeed: Math.floor(this.#random.next() * 0x100000000),
    });
    this.#expiry = new ActiveExpiry(settings.vfs.timers, {
      store: this.#store,
      databases: this.#databases,
      change: (body) => this.#changeByItself(body),
    });
    this.#reclaimer = new Reclaimer(settings.vfs.timers, this.#store);
  }

  get epoch(): number {
    return this.#wal.epoch;
  }

  get appliedLsn(): Lsn {
    return this.#appliedLsn;
  }

  get durableLsn(): Lsn {
    return this.#wal.durableLsn;
  }

  get syncedLsn(): Lsn {
    return this.#wal.syncedLsn;
  }

  get pressure(): boolean {
    return this.#wal.pressure;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  random(): number {
    return this.#random.next();
  }

  prepare(database: number, keys: readonly Uint8Array[]): true | Promise<void> {
    assertCoreThread(this.#thread);
    return this.#store.prepare(this.#databases.namespaceOf(database), keys);
  }

  watch(): WatchView {
    assertCoreThread(this.#thread);
    if (this.#state === 'closed') throw closedError();
    return this.#watches.begin();
  }

  begin(): TransactionView {
    return this.#begin();
  }

  commit(): Lsn {
    if (!this.#open) throw new Error('expected an open transaction: call begin() first');
    const { writer } = this.#transaction;
    try {
      if (writer.count > 0) this.#commitStaged();
    } finally {
      this.#end();
    }
    return this.#appliedLsn;
  }

  abort(): void {
    if (this.#open) this.#end();
  }

  async barrier(): Promise<void> {
    if (this.#failure) throw this.#failed();
    try {
      await this.#wal.whenDurable(this.#appliedLsn);
    } catch (error) {
      throw asEngineError(error);
    }
  }

  onDurable(listener: (durableLsn: Lsn) => void): () => void {
    return this.#wal.onDurable(listener);
  }

  onFatal(listener: (error: Error) => void): () => void {
    if (this.#failure) listener(this.#failed());
    else this.#fatalListeners.add(listener);
    return () => this.#fatalListeners.delete(listener);
  }

  async snapshot(): Promise<SnapshotInfo> {
    assertCoreThread(this.#thread);
    this.#assertWritable();
    return this.#snapshotter.take();
  }

  publishAddress(address: string): void {
    if (this.#state === 'closed') throw closedError();
    this.#lock.publish(address);
  }

  health(): EngineHealth {
    const wal = this.#wal.health;
    const snapshot = this.#snapshotter.status;
    const reason = this.#reason ?? snapshot.damage;
    return {
      healthy: this.#state === 'ok' && wal.healthy && snapshot.damage === undefined,
      state: this.#state,
      ...(reason !== undefined && { reason }),
      wal,
      snapshot,
    };
  }

  stats(): EngineStats {
    const databases = [];
    for (const [database, namespace] of this.#databases.namespaces.entries()) {
      const keys = this.#store.keyCount(namespace);
      if (keys > 0) {
        databases.push({
          database,
          keys,
          expiring: this.#store.expiringCount(namespace),
          fieldExpiring: this.#store.fieldExpiringCount(namespace),
        });
      }
    }
    return {
      store: { kind: this.#store.kind, ...this.#store.usage() },
      wal: this.#wal.stats,
      databases,
      commits: this.#commits,
      effects: this.#effects,
      expiredKeys: this.#expiry.removedKeys,
      expiredFields: this.#expiry.removedFields,
      ...this.#watches.counts,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #begin(): Transaction {
    assertCoreThread(this.#thread);
    if (this.#open) throw new Error('expected no open transaction: commit() or abort() it first');
    if (this.#state === 'closed') throw closedError();
    this.#open = true;
    this.#transaction.begin(this.#clock.nowMs());
    return this.#transaction;
  }

  #end(): void {
    this.#open = false;
    this.#transaction.end();
  }

  #commitStaged(): void {
    this.#assertWritable();
    const { writer } = this.#transaction;
    const { length } = writer;
    try {
      this.#wal.admit(length);
    } catch (error) {
      throw asEngineError(error);
    }
    if (!this.#store.admits(writer.bytes, 0, length)) throw this.#outOfMemory(length);
    const { marks } = this.#store;
    const at = marks
      ? this.#submitWritten(writer.bytes, length)
      : this.#wal.submit(writer.bytes, 0, length);
    try {
      marks?.begin(at);
      this.#effects += applyEffects(
        this.#reader,
        writer.bytes,
        0,
        length,
        this.#store,
        this.#databases,
        this.#watches.watcher,
      );
      marks?.end(at);
      this.#store.persistence?.committed(at);
      this.#watches.committed(at);
    } catch (error) {
      this.#fail(new Error(`applying record ${at} failed: ${String(error)}`, { cause: error }));
      throw this.#failed();
    }
    this.#appliedLsn = at;
    this.#commits++;
    this.#snapshotter.onCommit(length);
  }

  /** What outlives the process must not have what the log's file has not (R17). */
  #submitWritten(bytes: Uint8Array, length: number): Lsn {
    const at = this.#wal.submitWritten(bytes, 0, length);
    const { poisoned, lastError } = this.#wal.health;
    if (!poisoned) return at;
    this.#fail(new Error(lastError));
    throw this.#failed();
  }

  /** A change of the engine's own: left out, and false, where none can be made. */
  #changeByItself(body: (transaction: Transaction) => void): boolean {
    if (this.#state !== 'ok' || this.#open || this.#wal.pressure) return false;
    const transaction = this.#begin();
    try {
      body(transaction);
      this.commit();
      return true;
    } catch (error) {
      this.abort();
      // No room for housekeeping is no failure: reads hide what is past its time.
      if (error instanceof EngineError) return false;
      throw error;
    }
  }

  #assertWritable(): void {
    switch (this.#state) {
      case 'ok':
        return;
      case 'failed':
        throw this.#failed();
      case 'read-only':
        throw new EngineError(
          'ENGINE_READ_ONLY',
          `writes are refused since a sync of the log failed: ${this.#reason}`,
        );
      case 'closed':
        throw closedError();
    }
  }

  #onWalEvent(event: WalEvent): void {
    if (event.type !== 'poisoned') return;
    const onlySync = event.failure === 'sync' && this.#settings.sync !== 'always';
    // What is applied and can no longer be written must not be seen: no read may be answered (R9).
    if (onlySync && this.#wal.durableLsn >= this.#appliedLsn) {
      if (this.#state === 'ok') this.#state = 'read-only';
      this.#reason ??= event.error.message;
    } else {
      this.#fail(event.error);
    }
  }

  #fail(error: Error): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#reason = error.message;
    if (this.#state !== 'closed') this.#state = 'failed';
    this.#expiry.stop();
    this.#reclaimer.stop();
    for (const listener of this.#fatalListeners) listener(this.#failed());
  }

  #outOfMemory(bytes: number): EngineError {
    const { regionBytes } = this.#settings;
    return new EngineError(
      'ENGINE_OUT_OF_MEMORY',
      `expected room for a commit of ${bytes} bytes in the store's region of ${regionBytes} bytes: delete keys, or open the database with a larger one`,
    );
  }

  #failed(): EngineError {
    return new EngineError(
      'ENGINE_FAILED',
      `the log has failed, what is not yet acknowledged may be lost: ${this.#failure?.message}`,
      { cause: this.#failure },
    );
  }

  async #close(): Promise<void> {
    assertCoreThread(this.#thread);
    this.#expiry.stop();
    this.#reclaimer.stop();
    this.#state = 'closed';
    await this.#snapshotter.close();
    try {
      await this.#wal.close();
    } catch (error) {
      throw asEngineError(error);
    } finally {
      await this.#letGo();
    }
  }

  async #letGo(): Promise<void> {
    try {
      await this.#store.close();
    } finally {
      await this.#lock.release();
    }
  }
}

function closedError(): EngineError {
  return new EngineError('ENGINE_CLOSED', 'expected an open engine, it is closed');
}

/**
 * What an open tree consists of: shared by its reads, writes, flushes and compactions.
 *
 *     writes ─▶ log, memtables ── frozen ─▶ flusher ─▶ versions ◀─ compactor
 *     reads  ─▶ memtables, versions ─▶ open tables ─▶ block cache
 *
 * Concurrency: one thread; jobs run elsewhere and come back as version edits.
 */
import type { Encryption, Keyring } from '@nendb/codec';
import { Oracle } from '@nendb/txn-oracle';
import type { Vfs, VfsLock } from '@nendb/vfs';
import { BlockCache } from '../cache/block-cache.js';
import { type BudgetAccount, MemoryBudget } from '../cache/memory-budget.js';
import type { SentKeys } from '../compaction/job.js';
import { RateLimiter } from '../compaction/rate-limiter.js';
import { LsmError } from '../errors.js';
import type { OwnLog } from '../log/own-log.js';
import type { CheckedOptions } from '../options.js';
import type { LsmEvent } from '../types.js';
import { type TreeState, VersionSet } from '../version/version-set.js';
import { Counters } from './counters.js';
import type { DatabaseClock } from './database-clock.js';
import { Memtables } from './memtables.js';
import { PointReader } from './point-reader.js';
import type { ViewSources } from './read-view.js';
import { Snapshots } from './snapshots.js';
import { TableCache } from './table-cache.js';
import { Values } from './values.js';

/** What was found out before the tree could be made. */
export interface CoreParts {
  options: CheckedOptions;
  /** 16 bytes. */
  databaseUuid: Uint8Array;
  /** Data keys; `undefined` in the clear. */
  keyring: Keyring | undefined;
  clock: DatabaseClock;
  lock: VfsLock | undefined;
}

export class Core implements ViewSources {
  readonly options: CheckedOptions;
  readonly vfs: Vfs;
  readonly databaseUuid: Uint8Array;
  readonly keys: Keyring | undefined;
  readonly clock: DatabaseClock;
  readonly cache: BlockCache;
  readonly memtables: Memtables;
  readonly versions: VersionSet;
  readonly tables: TableCache;
  readonly values: Values;
  readonly points: PointReader;
  readonly snapshots = new Snapshots();
  readonly oracle: Oracle;
  readonly limiter: RateLimiter;
  readonly counters = new Counters();
  /** What the log is encrypted with. */
  readonly logEncryption: Encryption | undefined;
  /** The log, where it is the tree's own. */
  log: OwnLog | undefined;
  /** The newest commit. */
  sequence: number;
  readonly #lock: VfsLock | undefined;
  readonly #memtableAccount: BudgetAccount;
  #closed = false;
  #failure: LsmError | undefined;

  constructor(parts: CoreParts, state: TreeState) {
    const { options, databaseUuid, keyring: keys } = parts;
    const { vfs, dir } = options;
    this.options = options;
    this.vfs = vfs;
    this.databaseUuid = databaseUuid;
    this.keys = keys;
    this.logEncryption = keys && { keyring: keys };
    this.clock = parts.clock;
    this.#lock = parts.lock;
    // One memtable is always there; the budget is for what comes on top.
    const budget = new MemoryBudget(options.cacheBytes + options.memtableBytes);
    this.cache = new BlockCache(budget);
    this.#memtableAccount = budget.account('memtables');
    this.memtables = new Memtables({
      capacityBytes: options.memtableBytes,
      onBytes: (bytes) => this.#memtableAccount.set(bytes),
    });
    this.tables = new TableCache({ vfs, dir, databaseUuid, keys, blocks: this.cache });
    this.values = new Values({ vfs, dir, databaseUuid, keys, budget });
    const users = {
      forgetTable: (number: number) => this.tables.drop(number),
      forgetValueFile: (number: number) => this.values.forget(number),
    };
    const growthBytesMax = options.manifestGrowthBytes;
    this.versions = new VersionSet(
      {
        ...{ vfs, dir, databaseUuid, keys, users, growthBytesMax },
        onFailure: (error) => this.poison(error),
      },
      state,
    );
    this.points = new PointReader(this, this.values);
    this.sequence = state.flushedSequence;
    this.oracle = new Oracle({ lastCommitted: state.flushedSequence });
    this.limiter = new RateLimiter(vfs.clock, vfs.timers, options.rateLimitBytesPerSec);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Why writes are refused for ever. */
  get failure(): LsmError | undefined {
    return this.#failure;
  }

  /** Throws `LSM_CLOSED`. */
  checkOpen(): void {
    if (!this.#closed) return;
    throw new LsmError('LSM_CLOSED', `the tree in ${this.options.dir} is closed: open it again`);
  }

  /** Throws `LSM_CLOSED`, `LSM_POISONED`. */
  checkWritable(): void {
    this.checkOpen();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The log has failed: nothing more is written. */
  poison(error: LsmError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.emit({ type: 'poisoned', error });
  }

  /** Tells the listener. What it throws is its own: it must neither stop a job nor go unseen. */
  emit(event: LsmEvent): void {
    try {
      this.options.onEvent?.(event);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  /**
   * Makes names in the directory durable. A failure is final: the kernel may have dropped names that others still
   * wait for, and whose own sync would then succeed with nothing to do.
   */
  async syncNames(): Promise<void> {
    try {
      await this.vfs.syncDir(this.options.dir);
    } catch (cause) {
      const { dir } = this.options;
      const why = cause instanceof Error ? cause.message : String(cause);
      const error = new LsmError(
        'LSM_POISONED',
        `a sync of the directory ${dir} failed (${why}): nothing more is written; mend the disk and open the tree again`,
        { file: dir, cause },
      );
      this.versions.fail(error);
      throw error;
    }
  }

  /** The keys as jobs get them. */
  sentKeys(): SentKeys | undefined {
    const { keys } = this;
    if (keys === undefined) return undefined;
    const sent = keys.entries.map(({ id }) => ({ id, key: keys.key(id) }));
    return { activeId: keys.active.id, keys: sent };
  }

  /** Refuses everything from now on. */
  markClosed(): void {
    this.#closed = true;
  }

  async releaseLock(): Promise<void> {
    await this.#lock?.release();
  }
}

/**
 * Removes keys whose time has passed, a bounded step at a time. Housekeeping only: reads hide such
 * keys whether this runs or not (R12), and each removal is a logged delete (R1).
 */
import type { Timer, Timers } from '@nendb/vfs';
import type { Databases } from './effects/databases.js';
import { DATABASE_COUNT } from './effects/databases.js';
import { EXPIRY_KEYS_MAX, EXPIRY_PERIOD_MS, EXPIRY_STEPS_MAX } from './limits.js';
import type { Store } from './stores/store.js';
import type { Transaction } from './transaction.js';

export interface ExpiryTarget {
  store: Store;
  databases: Databases;
  /**
   * Runs `body` in a transaction and commits it. Returns false where nothing was committed, since
   * the engine cannot take writes now.
   */
  change(body: (transaction: Transaction) => void): boolean;
}

export class ActiveExpiry {
  /** Keys removed since the engine was opened. */
  removedKeys = 0;
  readonly #timers: Timers;
  readonly #target: ExpiryTarget;
  #timer: Timer | undefined;
  #database = 0;
  #stopped = false;

  constructor(timers: Timers, target: ExpiryTarget) {
    this.#timers = timers;
    this.#target = target;
  }

  start(): void {
    this.#timer = this.#timers.after(EXPIRY_PERIOD_MS, () => this.#run(), { background: true });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** One round over the databases; goes on in the next turn while there is much to remove. */
  #run(): void {
    if (this.#stopped) return;
    let full = false;
    for (let i = 0; i < DATABASE_COUNT; i++) {
      this.#database = (this.#database + 1) % DATABASE_COUNT;
      const removed = this.#step(this.#database);
      full ||= removed >= EXPIRY_KEYS_MAX;
    }
    if (full) this.#timers.turnEnd(() => this.#run());
    else this.start();
  }

  #step(database: number): number {
    const { store, databases } = this.#target;
    const namespace = databases.namespaceOf(database);
    if (store.expiringCount(namespace) === 0) return 0;
    let removed = 0;
    const committed = this.#target.change((transaction) => {
      store.scanExpired(namespace, transaction.nowMs, EXPIRY_KEYS_MAX, EXPIRY_STEPS_MAX, (key) => {
        if (transaction.removeExpired(database, key, 0, key.length)) removed++;
      });
    });
    // Nothing was removed where the disk was full: to go on at once would only fail at once again.
    if (!committed) return 0;
    this.removedKeys += removed;
    return removed;
  }
}

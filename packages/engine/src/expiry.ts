/**
 * Removes keys and fields whose time has passed, a bounded step at a time. Housekeeping only: reads hide
 * them whether this runs or not (R12), and each removal is a logged delete (R1).
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
  /** The same for fields; those that went with their key are not counted. */
  removedFields = 0;
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
      const namespace = this.#target.databases.namespaceOf(this.#database);
      const keys = this.#removeKeys(this.#database, namespace);
      const fields = this.#removeFields(this.#database, namespace);
      this.removedKeys += keys;
      this.removedFields += fields;
      full ||= Math.max(keys, fields) >= EXPIRY_KEYS_MAX;
    }
    if (full) this.#timers.turnEnd(() => this.#run());
    else this.start();
  }

  #removeKeys(database: number, namespace: number): number {
    const { store } = this.#target;
    return this.#commit((transaction) => {
      const due: Buffer[] = [];
      store.scanExpired(namespace, transaction.nowMs, EXPIRY_KEYS_MAX, EXPIRY_STEPS_MAX, (key) =>
        due.push(Buffer.from(key)),
      );
      return due.filter((key) => transaction.removeExpired(database, key, 0, key.length)).length;
    });
  }

  #removeFields(database: number, namespace: number): number {
    const { store } = this.#target;
    return this.#commit((transaction) => {
      const due: [key: Buffer, field: Buffer][] = [];
      store.scanExpiredFields(
        namespace,
        transaction.nowMs,
        EXPIRY_KEYS_MAX,
        EXPIRY_STEPS_MAX,
        (key, field) => due.push([Buffer.from(key), Buffer.from(field)]),
      );
      return due.filter(([key, field]) => transaction.removeExpiredField(database, key, field))
        .length;
    });
  }

  /** What `remove` says that it removed; 0 where that could not be committed. */
  #commit(remove: (transaction: Transaction) => number): number {
    let removed = 0;
    const committed = this.#target.change((transaction) => {
      removed = remove(transaction);
    });
    // Nothing was removed where the disk was full: to go on at once would only fail at once again.
    return committed ? removed : 0;
  }
}

/**
 * Brings the records of keys into memory before a command runs, and holds commands back while flushes fall behind.
 *
 * Invariant: what was loaded is not asked for again by the same command: keys that do not fit the cache together are
 * read from the disk in the call, instead of being loaded for ever.
 */
import type { Lsm } from '@nendb/lsm';
import { latin1 } from '../../latin1.js';
import { PREPARED_KEYS_MAX } from '../../limits.js';

export class Preparation {
  readonly #tree: Lsm;
  /** Loaded, and not asked for since. */
  readonly #loaded = new Set<string>();
  #waiting: (() => void)[] = [];

  constructor(tree: Lsm) {
    this.#tree = tree;
  }

  prepare(keys: readonly Buffer[]): true | Promise<void> {
    // Where flushes fail, writes are refused, and reads go on.
    if (this.#tree.pressure && this.#tree.health.healthy)
      return new Promise((resolve) => this.#waiting.push(resolve));
    const cold = keys.filter((key) => !this.#take(key));
    const ready = cold.length === 0 || this.#tree.prepare(cold);
    if (ready === true) return true;
    return ready.then(() => {
      for (const key of keys) this.#loaded.add(nameOf(key));
      // Of commands that never came back.
      if (this.#loaded.size > PREPARED_KEYS_MAX) this.#loaded.clear();
    });
  }

  /** The tree has done, or failed to do, something about its pressure. */
  goOn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #take(key: Buffer): boolean {
    return this.#loaded.size > 0 && this.#loaded.delete(nameOf(key));
  }
}

function nameOf(key: Buffer): string {
  return latin1(key, 0, key.length);
}

/**
 * Brings the records of keys into memory before a command runs, and holds commands back while flushes fall behind.
 *
 * Invariant: a key that was loaded is not waited for again soon, whoever asks: keys that do not fit the cache
 * together, of one command or of many, are read from the disk in the call then, instead of being loaded for ever.
 */
import type { Lsm } from '@nendb/lsm';
import type { Clock } from '@nendb/vfs';
import { asEngineError } from '../../errors.js';
import { latin1 } from '../../latin1.js';
import { LOADED_MS } from '../../limits.js';

export class Preparation {
  readonly #tree: Lsm;
  readonly #clock: Clock;
  /** When keys were loaded, in monotonic ms, oldest first. */
  readonly #loadedMs = new Map<string, number>();
  #waiting: (() => void)[] = [];

  constructor(tree: Lsm, clock: Clock) {
    this.#tree = tree;
    this.#clock = clock;
  }

  prepare(keys: readonly Buffer[]): true | Promise<void> {
    // Where flushes fail, writes are refused, and reads go on.
    if (this.#tree.pressure && this.#tree.health.healthy) {
      return new Promise((resolve) => this.#waiting.push(resolve));
    }
    const cold = this.#loadedMs.size === 0 ? keys : keys.filter((key) => !this.#isLoaded(key));
    const ready = cold.length === 0 || this.#tree.prepare(cold);
    if (ready === true) return true;
    return ready.then(
      () => this.#note(keys),
      (error: unknown) => {
        throw asEngineError(error);
      },
    );
  }

  /** The tree has done, or failed to do, something about its pressure. */
  goOn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #note(keys: readonly Buffer[]): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [name, ms] of this.#loadedMs) {
      if (nowMs - ms <= LOADED_MS) break;
      this.#loadedMs.delete(name);
    }
    for (const key of keys) {
      const name = nameOf(key);
      this.#loadedMs.delete(name);
      this.#loadedMs.set(name, nowMs);
    }
  }

  #isLoaded(key: Buffer): boolean {
    const ms = this.#loadedMs.get(nameOf(key));
    return ms !== undefined && this.#clock.monotonicMs() - ms <= LOADED_MS;
  }
}

function nameOf(key: Buffer): string {
  return latin1(key, 0, key.length);
}

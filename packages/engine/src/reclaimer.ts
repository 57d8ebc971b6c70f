/**
 * Frees what the store has let go of (FLUSHALL, large collections), a bounded step at a time.
 *
 * Why a timer of its own: a flush is one commit, and nothing may be written for hours after it.
 */
import type { Timer, Timers } from '@nendb/vfs';
import { RECLAIM_PERIOD_MS, RECLAIM_STEPS } from './limits.js';
import type { Store } from './stores/store.js';

export class Reclaimer {
  readonly #timers: Timers;
  readonly #store: Store;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(timers: Timers, store: Store) {
    this.#timers = timers;
    this.#store = store;
  }

  start(): void {
    this.#timer = this.#timers.after(RECLAIM_PERIOD_MS, () => this.#run(), { background: true });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** One step; the next one follows in the next turn while there is more. */
  #run(): void {
    if (this.#stopped) return;
    if (this.#store.reclaim(RECLAIM_STEPS)) this.#timers.turnEnd(() => this.#run());
    else this.start();
  }
}

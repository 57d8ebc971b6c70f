/**
 * Bounds what background writers write, in bytes per second, all of them together.
 *
 * A bucket that fills at the rate and holds at most a tenth of a second of it. Who takes more than it holds
 * leaves it in debt and waits until the debt is paid: large steps pass, and the rate holds on average.
 */
import type { Clock, Timers } from '@nendb/vfs';
import { RATE_BURST_MS } from '../limits.js';

export class RateLimiter {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #bytesPerMs: number;
  #available: number;
  #filledMs: number;

  /** `bytesPerSec`: `undefined` for no limit. */
  constructor(clock: Clock, timers: Timers, bytesPerSec: number | undefined) {
    this.#clock = clock;
    this.#timers = timers;
    this.#bytesPerMs = bytesPerSec === undefined ? Number.POSITIVE_INFINITY : bytesPerSec / 1000;
    this.#available = this.#bytesPerMs * RATE_BURST_MS;
    this.#filledMs = clock.monotonicMs();
  }

  /** Counts bytes that were written; resolves when the next may be. */
  async written(bytes: number): Promise<void> {
    if (this.#bytesPerMs === Number.POSITIVE_INFINITY) return;
    const nowMs = this.#clock.monotonicMs();
    const filled = this.#available + (nowMs - this.#filledMs) * this.#bytesPerMs;
    this.#available = Math.min(filled, this.#bytesPerMs * RATE_BURST_MS) - bytes;
    this.#filledMs = nowMs;
    if (this.#available >= 0) return;
    const waitMs = -this.#available / this.#bytesPerMs;
    await new Promise<void>((resolve) => {
      this.#timers.after(waitMs, resolve);
    });
  }
}

/**
 * Database time (R12): what decides whether a key's time has passed.
 *
 * Seeded at open from the larger of the wall clock and the last time the database has written,
 * then advanced by the monotonic clock alone. So it never goes back, whatever is done to the wall
 * clock, and a key once seen expired stays expired.
 */
import type { Clock } from '@nendb/vfs';

export class DatabaseClock {
  readonly #clock: Clock;
  #offsetMs: number;
  /** The newest time given or found: fractions lost to rounding must not take it back. */
  #latestMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = clock.wallMs() - clock.monotonicMs();
  }

  /** Moves on to `timeMs` where that is ahead: a time that log or snapshot hold. */
  atLeast(timeMs: number): void {
    this.#offsetMs = Math.max(this.#offsetMs, timeMs - this.#clock.monotonicMs());
    this.#latestMs = Math.max(this.#latestMs, timeMs);
  }

  /** Whole milliseconds since 1970. */
  nowMs(): number {
    const nowMs = Math.floor(this.#offsetMs + this.#clock.monotonicMs());
    if (nowMs > this.#latestMs) this.#latestMs = nowMs;
    return this.#latestMs;
  }
}

/**
 * Database time (R12): what frames carry. It starts at the wall clock or at the newest frame,
 * whichever is later, advances with the monotonic clock, and never goes back.
 */
import type { Clock, Timers } from '@nendb/vfs';

export class Clockwork {
  readonly #source: () => number;
  #lastMs: number;

  /** `source`: the owner's time in ms since 1970; without it, the log keeps its own. */
  constructor(clock: Clock, newestMs: number, source?: () => number) {
    const startMs = Math.max(clock.wallMs(), newestMs);
    const startedMs = clock.monotonicMs();
    this.#source = source ?? (() => startMs + clock.monotonicMs() - startedMs);
    this.#lastMs = newestMs;
  }

  /** Whole milliseconds since 1970. */
  nowMs(): number {
    const nowMs = Math.floor(this.#source());
    // Written so that a source that fails to give a number cannot spoil the time either.
    if (nowMs > this.#lastMs) this.#lastMs = nowMs;
    return this.#lastMs;
  }
}

/**
 * `source`, which never throws: in the middle of a write nobody could mend it. What it threw comes up
 * as an uncaught error at the end of the turn; the log goes on with the time it had.
 */
export function unfailing(source: () => number, timers: Timers): () => number {
  return () => {
    try {
      return source();
    } catch (error) {
      timers.turnEnd(() => {
        throw error;
      });
      return Number.NaN;
    }
  };
}

/**
 * Warnings that strangers can cause as often as they like: each goes into the log at most once in
 * `WARNING_INTERVAL_MS`, with the number of those left out before it.
 *
 * Messages are constants of this program, so that the memory of them is bounded.
 */
import { WARNING_INTERVAL_MS } from './limits.js';
import type { Logger } from './log.js';

interface Seen {
  loggedMs: number;
  leftOut: number;
}

export class OccasionalLog {
  readonly #log: Logger;
  readonly #nowMs: () => number;
  readonly #seen = new Map<string, Seen>();

  /** @param nowMs a clock that never goes back, in ms. */
  constructor(log: Logger, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  warn(fields: object, message: string): void {
    const nowMs = this.#nowMs();
    const seen = this.#seen.get(message);
    if (seen && nowMs - seen.loggedMs < WARNING_INTERVAL_MS) {
      seen.leftOut++;
      return;
    }
    this.#seen.set(message, { loggedMs: nowMs, leftOut: 0 });
    this.#log.warn(seen?.leftOut ? { ...fields, leftOut: seen.leftOut } : fields, message);
  }
}

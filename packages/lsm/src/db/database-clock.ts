/**
 * Database time (R12): it begins no earlier than the last record of the log, follows the clock that it is
 * given, and never goes back, so that what was expired stays expired.
 */
export class DatabaseClock {
  readonly #sourceMs: () => number;
  #lastMs = 0;

  /** `sourceMs`: milliseconds since 1970. */
  constructor(sourceMs: () => number) {
    this.#sourceMs = sourceMs;
  }

  /** Time is at least this. */
  seed(timeMs: number): void {
    if (timeMs > this.#lastMs) this.#lastMs = timeMs;
  }

  /** Whole milliseconds since 1970. */
  nowMs(): number {
    const now = Math.floor(this.#sourceMs());
    if (now > this.#lastMs) this.#lastMs = now;
    return this.#lastMs;
  }
}

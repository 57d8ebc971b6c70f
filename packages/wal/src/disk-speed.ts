/** How long this disk takes to sync, from how long it took: whether to wait for it in place. */
import type { Clock } from '@nendb/vfs';

export class DiskSpeed {
  readonly #clock: Clock;
  readonly #inlineSyncMsMax: number;
  #expectedMs: number;
  /** Of the last sync. */
  lastMs = 0;
  /** When it ended, by the monotonic clock. */
  endedMs = 0;

  /** `expectedMs`: what the first sync of this opening took. */
  constructor(clock: Clock, expectedMs: number, inlineSyncMsMax: number) {
    this.#clock = clock;
    this.#expectedMs = expectedMs;
    this.#inlineSyncMsMax = inlineSyncMsMax;
  }

  /** Whether a sync is expected to be too long to wait for in place. */
  get isSlow(): boolean {
    return this.#expectedMs >= this.#inlineSyncMsMax;
  }

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  /** A sync that began at `startedMs` has ended. */
  synced(startedMs: number): void {
    this.endedMs = this.#clock.monotonicMs();
    this.lastMs = this.endedMs - startedMs;
    // An average that forgets: one slow sync does not send everything to the pool.
    this.#expectedMs += (this.lastMs - this.#expectedMs) / 8;
  }
}

/** How long this disk takes to sync, from how long it took: whether to wait for it in place. */
import type { Clock } from '@nendb/vfs';

/** More than so many times what was expected counts as that, but at least so much does count. */
const OUTLIER_FACTOR = 4;
const OUTLIER_MS_MIN = 0.2;

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
    // An average that forgets, and that believes in a slow disk only after several slow syncs: every
    // disk has a few.
    const most = Math.max(this.#expectedMs * OUTLIER_FACTOR, OUTLIER_MS_MIN);
    this.#expectedMs += (Math.min(this.lastMs, most) - this.#expectedMs) / 8;
  }
}

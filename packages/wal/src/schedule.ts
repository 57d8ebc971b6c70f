/**
 * When to sync under the weaker policies, and when to mark the log idle.
 *
 * Invariants
 *  1. `{ windowMs }`: a timer starts with the first unsynced write; no further append is needed for
 *     it to sync. If a sync is still running then, the next one follows at once.
 *  2. `{ every }`: a sync starts as soon as that many written records are unsynced.
 *  3. Every weak policy syncs after `BACKGROUND_SYNC_BYTES` (R15), in small segments after a quarter
 *     of one: little is left to sync when it is full.
 *  4. `sync()` is served whatever the policy (R3).
 *  5. Who appends in place and never lets a turn of the event loop end keeps timers from firing and
 *     syncs in the pool from ending: what a policy
 *     with a bound asks for twice in one turn is synced in place.
 */
import type { Clock, Timer, Timers } from '@nendb/vfs';
import { BACKGROUND_SYNC_BYTES, BACKGROUND_SYNC_BYTES_MIN, IDLE_MARK_MS } from './limits.js';
import type { Marks } from './marks.js';
import type { SyncPolicy } from './types.js';
import type { Writer } from './writer.js';

export class Schedule {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #marks: Marks;
  readonly #writer: Writer;
  readonly #windowMs: number;
  readonly #every: number;
  readonly #always: boolean;
  readonly #backgroundBytes: number;
  #window: Timer | undefined;
  /** When it is over, by the monotonic clock. */
  #windowEndMs = 0;
  #windowOver = false;
  /** Whether a sync was due in this very turn of the event loop; what was written then, and when. */
  #wasDue = false;
  #dueLsn = 0;
  #dueMs = 0;
  #wantedLsn = 0;
  #idle: Timer | undefined;
  #idleLsn = 0;
  #stopped = false;

  constructor(
    { clock, timers }: { clock: Clock; timers: Timers },
    marks: Marks,
    writer: Writer,
    { sync: policy, segmentBytesMax }: { sync: SyncPolicy; segmentBytesMax: number },
  ) {
    this.#clock = clock;
    this.#timers = timers;
    this.#marks = marks;
    this.#writer = writer;
    this.#always = policy === 'always';
    this.#backgroundBytes = Math.min(
      BACKGROUND_SYNC_BYTES,
      Math.max(BACKGROUND_SYNC_BYTES_MIN, segmentBytesMax / 4),
    );
    const weak = typeof policy === 'object' ? policy : undefined;
    this.#windowMs = weak && 'windowMs' in weak ? weak.windowMs : 0;
    this.#every = weak && 'every' in weak ? weak.every : Number.POSITIVE_INFINITY;
  }

  /** Something was written. */
  wrote(): void {
    if (this.#always || this.#stopped) return;
    this.#syncIfDue();
    if (this.#windowMs > 0 && !this.#window) {
      this.#windowEndMs = this.#clock.monotonicMs() + this.#windowMs;
      this.#window = this.#timers.after(this.#windowMs, this.#endWindow);
    }
  }

  /** The same by a caller that blocks: before the turn is over no timer fires and no sync ends. */
  wroteInPlace(): void {
    if (this.#always || this.#stopped) return;
    const nowMs = this.#windowMs > 0 ? this.#clock.monotonicMs() : 0;
    if (this.#window && nowMs >= this.#windowEndMs) {
      this.#window.cancel();
      this.#endWindow();
    }
    if (!this.#wasDue) return;
    const records = this.#marks.writtenLsn - this.#dueLsn;
    const windowOver = this.#windowMs > 0 && nowMs - this.#dueMs >= this.#windowMs;
    if (records < this.#every && !windowOver) return;
    this.#writer.syncInPlace();
    this.#noteDue();
  }

  readonly #endWindow = (): void => {
    this.#window = undefined;
    this.#windowOver = true;
    this.#syncIfDue();
  };

  /** A sync has finished. */
  synced(): void {
    if (this.#stopped) return;
    if (this.#marks.syncedLsn < this.#marks.writtenLsn) {
      if (!this.#always) this.#syncIfDue();
      return;
    }
    this.#windowOver = false;
    this.#window?.cancel();
    this.#window = undefined;
    this.#idleLsn = this.#marks.syncedLsn;
    this.#idle ??= this.#waitForIdle();
  }

  /** A sync has ended that was for no record. */
  reserved(): void {
    if (!this.#always) this.#syncIfDue();
  }

  /** Sees to it that a sync covers `lsn`, which is written or about to be. */
  want(lsn: number): void {
    this.#wantedLsn = Math.max(this.#wantedLsn, lsn);
    if (!this.#always) this.#syncIfDue();
  }

  stop(): void {
    this.#stopped = true;
    this.#window?.cancel();
    this.#idle?.cancel();
  }

  #syncIfDue(): void {
    const { writtenLsn, syncedLsn, unsyncedBytes } = this.#marks;
    if (this.#stopped || writtenLsn === syncedLsn) return;
    if (
      this.#windowOver ||
      writtenLsn - syncedLsn >= this.#every ||
      unsyncedBytes >= this.#backgroundBytes ||
      this.#wantedLsn > syncedLsn
    ) {
      if (this.#writer.syncInBackground()) this.#windowOver = false;
      if (this.#wasDue) return;
      this.#wasDue = true;
      this.#noteDue();
      this.#timers.turnEnd(() => {
        this.#wasDue = false;
      });
    }
  }

  #noteDue(): void {
    this.#dueLsn = this.#marks.writtenLsn;
    this.#dueMs = this.#windowMs > 0 ? this.#clock.monotonicMs() : 0;
  }

  #waitForIdle(): Timer {
    const lsn = this.#idleLsn;
    return this.#timers.after(
      IDLE_MARK_MS,
      () => {
        this.#idle = undefined;
        if (this.#stopped) return;
        const { writtenLsn, syncedLsn } = this.#marks;
        if (writtenLsn === lsn) {
          this.#writer.markIdle();
        } else if (writtenLsn === syncedLsn) {
          this.#idleLsn = syncedLsn;
          this.#idle = this.#waitForIdle();
        }
      },
      { background: true },
    );
  }
}

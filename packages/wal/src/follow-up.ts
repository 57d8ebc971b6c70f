/**
 * Tells a program that appends, waits, and appends again from many that append at once.
 *
 *     one record waited for a sync --> it is told --> a few promise jobs later it appends again
 *
 * While the window is open the next append is taken for that program's, and is served without
 * waiting for the turn to end: the trip through the event loop costs a tenth of a fast sync.
 *
 * Invariants
 *  1. It opens only after a sync that exactly one unit waited for. Appends of other programs come
 *     in other callbacks of the event loop, when all promise jobs have run and it has shut again:
 *     they share a sync at the turn's end as ever.
 *  2. A run without a trip through the event loop is bounded in count and time: a program that only
 *     appends must not starve timers and sockets. So a run begins once a turn: syncs of `appendSync`
 *     also come between promise jobs.
 */
import { FOLLOW_JOBS, FOLLOW_RUN_MAX, FOLLOW_RUN_MS_MAX } from './limits.js';

/** What comes `then` is a promise job. */
export const DONE: Promise<void> = Promise.resolve();

export class FollowUp {
  #jobsLeft = 0;
  #ticking = false;
  #count = 0;
  #sinceMs = 0;
  /** Whether the event loop has come round since the last run began. */
  #turned = true;

  /** A turn of the event loop ends. */
  turned(): void {
    this.#turned = true;
  }

  /** A sync has ended, and one unit waited for it: it was at the end of a turn, if none has begun since. */
  begin(nowMs: number): void {
    if (!this.#turned) return;
    this.#turned = false;
    this.#count = 0;
    this.#sinceMs = nowMs;
    this.#open();
  }

  /** The same for a sync of an append that came through the window. */
  again(nowMs: number): void {
    this.#count++;
    if (this.#count < FOLLOW_RUN_MAX && nowMs - this.#sinceMs < FOLLOW_RUN_MS_MAX) this.#open();
  }

  get isOpen(): boolean {
    return this.#jobsLeft > 0;
  }

  shut(): void {
    this.#jobsLeft = 0;
  }

  #open(): void {
    this.#jobsLeft = FOLLOW_JOBS;
    if (this.#ticking) return;
    this.#ticking = true;
    DONE.then(this.#tick);
  }

  readonly #tick = (): void => {
    if (--this.#jobsLeft > 0) {
      DONE.then(this.#tick);
    } else {
      this.#jobsLeft = 0;
      this.#ticking = false;
    }
  };
}

/**
 * Makes room while nothing is asked of the log, so that who appends next finds it made: blocks that
 * the disk has given, zeros that are synced. Whoever is faster than the rests are long makes his own.
 *
 *     written --> REST_MS without a new record --> step, step, .. sync, step, .. until there is enough
 *
 * Invariants
 *  1. A step is short and in place; no zeros are in flight when a record is placed.
 *  2. A new record ends the work. What was filled stays.
 *  3. As much is made as was written since the log was opened, within a limit: small logs stay small.
 */
import type { Timer, Timers } from '@nendb/vfs';
import { AHEAD_BYTES_MAX, AHEAD_SYNC_BYTES, REST_MS } from './limits.js';
import type { Marks } from './marks.js';
import type { Space } from './space.js';
import type { Writer } from './writer.js';

export class Ahead {
  readonly #timers: Timers;
  readonly #marks: Marks;
  readonly #space: Space;
  readonly #writer: Writer;
  #waiting = false;
  #timer: Timer | undefined;
  #seenBytes = 0;
  #unsyncedBytes = 0;
  #stopped = false;

  constructor(timers: Timers, marks: Marks, space: Space, writer: Writer) {
    this.#timers = timers;
    this.#marks = marks;
    this.#space = space;
    this.#writer = writer;
  }

  /** Something was written: a rest may follow. */
  wrote(): void {
    if (this.#waiting || this.#stopped || !this.#space.lacks(this.#wantedBytes)) return;
    this.#wait();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  get #wantedBytes(): number {
    return Math.min(AHEAD_BYTES_MAX, this.#marks.writtenBytes);
  }

  #wait(): void {
    this.#waiting = true;
    this.#seenBytes = this.#marks.submittedBytes;
    this.#timer = this.#timers.after(REST_MS, this.#look, { background: true });
  }

  /** A plan that runs may be sealing the file: nothing may come behind its trailer. */
  get #rests(): boolean {
    const { submittedBytes, unwrittenBytes } = this.#marks;
    return this.#seenBytes === submittedBytes && unwrittenBytes === 0 && !this.#writer.flushing;
  }

  readonly #look = (): void => {
    this.#waiting = false;
    if (this.#stopped) return;
    if (this.#rests) this.#step();
    else this.#wait();
  };

  readonly #step = (): void => {
    if (this.#stopped) return;
    this.#waiting = true;
    if (!this.#rests) {
      this.#wait();
      return;
    }
    const bytes = this.#space.fillAhead(this.#wantedBytes);
    this.#unsyncedBytes += bytes;
    if (this.#unsyncedBytes === 0) {
      this.#waiting = false;
    } else if (bytes === 0 || this.#unsyncedBytes >= AHEAD_SYNC_BYTES) {
      if (this.#writer.syncReserved(this.#step)) this.#unsyncedBytes = 0;
      else this.#wait();
    } else {
      this.#timers.turnEnd(this.#step);
    }
  };
}

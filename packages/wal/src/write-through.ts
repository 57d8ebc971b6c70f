/**
 * Records that are with the operating system before the call returns: nothing derived from one can
 * outlive it while the machine runs (a mapped region, R17).
 *
 *     short, nothing under way   written by itself; synced with the others of its turn, at its end
 *     else                       submitted; everything pending is written, by policy synced, at once
 */
import type { Core } from './core.js';
import { checkPart } from './record-checks.js';

export class WriteThrough {
  readonly #core: Core;
  #scheduled = false;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Writes a record by itself; its LSN, or 0 where it must go the other way. */
  write(bytes: Uint8Array, from: number, to: number): number {
    this.#core.checkUsable();
    checkPart(bytes, from, to, this.#core.options.recordBytesMax);
    const lsn = this.#core.path.writer.appendAlone(bytes.subarray(from, to));
    if (lsn !== 0) this.#finish();
    return lsn;
  }

  /** Syncs, at the end of the turn, what was written so, and tells who listens. */
  #finish(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#core.options.vfs.timers.turnEnd(() => {
      this.#scheduled = false;
      // What is under way began after the last of them was written, and syncs them.
      this.#core.path.writer.flush();
    });
  }
}

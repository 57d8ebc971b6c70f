/** The real clock, timers and randomness. */
import { randomFillSync } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { TIMER_DELAY_MS_MAX } from '../limits.js';
import { stampUuid } from '../uuid.js';
import type { Clock, Randomness, Timer, Timers } from '../vfs.js';

export const nodeClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

export const nodeTimers: Timers = {
  after(delayMs, callback, options) {
    return new NodeTimer(delayMs, callback, options?.background === true);
  },
  turnEnd(callback) {
    setImmediate(callback);
  },
};

export const nodeRandom: Randomness = {
  fill(target) {
    randomFillSync(target);
  },
  uuid() {
    return stampUuid(randomFillSync(new Uint8Array(16)));
  },
};

/** A timer of any length: the platform's own fire at once beyond `TIMER_DELAY_MS_MAX`. */
class NodeTimer implements Timer {
  #handle: NodeJS.Timeout;

  constructor(delayMs: number, callback: () => void, background: boolean) {
    this.#handle = this.#arm(delayMs, callback, background);
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  #arm(delayMs: number, callback: () => void, background: boolean): NodeJS.Timeout {
    const step = Math.min(delayMs, TIMER_DELAY_MS_MAX);
    const handle = setTimeout(() => {
      if (delayMs > step) this.#handle = this.#arm(delayMs - step, callback, background);
      else callback();
    }, step);
    if (background) handle.unref();
    return handle;
  }
}

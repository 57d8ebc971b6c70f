/**
 * Virtual time, and who runs next.
 *
 * Asynchronous operations wait in a list until the scheduler picks one: at random from its seed, or
 * first come first served. Timers run when the clock reaches them, and the clock jumps to the next
 * one when nothing else is left. Between two steps every promise job runs, so one seed is one
 * interleaving.
 *
 * Background timers are timers like any other: a simulated program ends when its test does.
 *
 * Invariants
 *  1. One step does one thing: completes an operation, runs one timer, or runs the ends of a turn.
 *  2. An operation that stalls is not picked before its time; others overtake it.
 *  3. The monotonic clock never goes back; the wall clock may jump.
 *
 * Concurrency: any number of `run`s may be under way; each takes steps until its own work settles.
 */
import { hostPause, hostTurn } from '../node/host-turn.js';
import type { Clock, Timers } from '../vfs.js';
import type { Prng } from './prng.js';

/** A step per operation, in ms: the clock moves by up to this. Time between timers is their own. */
const STEP_MS_MAX = 0.25;

/** So many timers in a row without an operation between them: the program only counts the time. */
const TIMER_RUNS_MAX = 100_000;

/**
 * How long a program may wait for something outside the machine that the scheduler does not know of
 * (compression on the thread pool) before it counts as stuck: some real turns, then some pauses.
 */
const PATIENCE_TURNS = 20;
const PATIENCE_PAUSES = 40;
const PATIENCE_PAUSE_MS = 5;

interface Waiting {
  readonly describe: string;
  readonly readyMs: number;
  readonly complete: () => void;
}

interface PlannedTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

export type SimOrder = 'random' | 'fifo';

/** The program waits for something that will never happen. `code` is `SIM_DEADLOCK`. */
export class SimDeadlockError extends Error {
  override readonly name = 'SimDeadlockError';
  readonly code = 'SIM_DEADLOCK';
}

export class Scheduler {
  readonly #dice: Prng;
  readonly #order: SimOrder;
  #waiting: Waiting[] = [];
  readonly #timers = new Set<PlannedTimer>();
  #turnEnds: (() => void)[] = [];
  #timerCount = 0;
  #timerRuns = 0;
  #outside = 0;
  #nowMs = 0;
  #wallOffsetMs: number;

  constructor(dice: Prng, order: SimOrder, wallMs: number) {
    this.#dice = dice;
    this.#order = order;
    this.#wallOffsetMs = wallMs;
  }

  readonly clock: Clock = {
    wallMs: () => Math.floor(this.#nowMs + this.#wallOffsetMs),
    monotonicMs: () => this.#nowMs,
  };

  readonly timers: Timers = {
    after: (delayMs, callback) => {
      const timer: PlannedTimer = {
        dueMs: this.#nowMs + Math.max(delayMs, 0),
        order: this.#timerCount++,
        callback,
      };
      this.#timers.add(timer);
      return { cancel: () => void this.#timers.delete(timer) };
    },
    turnEnd: (callback) => {
      this.#turnEnds.push(callback);
    },
  };

  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** Time passes without anything happening: due timers run at the next steps. */
  elapse(ms: number): void {
    this.#nowMs += ms;
  }

  /** The time one operation takes. */
  tick(): void {
    this.#nowMs += (1 + this.#dice.below(255)) * (STEP_MS_MAX / 256);
  }

  /** Does `apply` at a moment of the scheduler's choice, not before `stallMs` have passed. */
  later<T>(describe: string, stallMs: number, apply: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        describe,
        readyMs: this.#nowMs + stallMs,
        complete: () => {
          try {
            resolve(apply());
          } catch (error) {
            reject(error);
          }
        },
      });
    });
  }

  /** Work that goes on outside the machine: no virtual time passes until it is done. */
  async outside<T>(work: Promise<T>): Promise<T> {
    this.#outside++;
    try {
      return await work;
    } finally {
      this.#outside--;
    }
  }

  /**
   * Takes steps until `work` settles. Rejects with `SimDeadlockError` (`SIM_DEADLOCK`) where nothing
   * is left to happen.
   */
  async run<T>(work: Promise<T> | (() => Promise<T>)): Promise<T> {
    const promise = typeof work === 'function' ? work() : work;
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    let idleTurns = 0;
    this.#timerRuns = 0;
    for (;;) {
      if (idleTurns <= PATIENCE_TURNS) await hostTurn();
      else await hostPause(PATIENCE_PAUSE_MS);
      if (settled) return promise;
      if (this.#outside > 0) continue;
      if (this.#step()) idleTurns = 0;
      else if (++idleTurns > PATIENCE_TURNS + PATIENCE_PAUSES) throw this.#stuck();
    }
  }

  /** Takes steps until only timers are left; with `ms`, until that much time has passed. */
  async settle(ms = 0): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await hostTurn();
      if (this.#outside > 0) continue;
      if (this.#turnEnds.length > 0 || this.#waiting.length > 0) {
        this.#step();
        continue;
      }
      const timer = this.#nextTimer();
      if (timer === undefined || timer.dueMs > untilMs) break;
      this.#fire(timer);
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #step(): boolean {
    const ready = this.#waiting.filter((waiting) => waiting.readyMs <= this.#nowMs);
    const timer = this.#nextTimer();
    const timerDue = timer !== undefined && timer.dueMs <= this.#nowMs;
    const options = ready.length + (timerDue ? 1 : 0) + (this.#turnEnds.length > 0 ? 1 : 0);
    if (options === 0) return this.#skip(timer);
    // Turn ends and due timers come first in order mode, as in an event loop that is on time.
    let pick = this.#order === 'random' ? this.#dice.below(options) : options - 1;
    if (pick < ready.length) {
      this.#complete(ready[this.#order === 'random' ? pick : 0]);
      return true;
    }
    pick -= ready.length;
    if (timerDue && pick === 0) this.#fire(timer);
    else this.#endTurn();
    return true;
  }

  /** Nothing can run now: on to the next timer, or to the end of the first stall. */
  #skip(timer: PlannedTimer | undefined): boolean {
    const stalledMs = this.#waiting.reduce((min, w) => Math.min(min, w.readyMs), Infinity);
    if (timer === undefined && stalledMs === Infinity) return false;
    if (timer !== undefined && timer.dueMs <= stalledMs) this.#fire(timer);
    else this.#nowMs = stalledMs;
    return this.#timerRuns <= TIMER_RUNS_MAX;
  }

  #complete(waiting: Waiting): void {
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
    this.#timerRuns = 0;
    this.tick();
    waiting.complete();
  }

  #fire(timer: PlannedTimer): void {
    this.#timers.delete(timer);
    this.#timerRuns++;
    this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
    timer.callback();
  }

  #endTurn(): void {
    const ends = this.#turnEnds;
    this.#turnEnds = [];
    for (const end of ends) end();
  }

  #nextTimer(): PlannedTimer | undefined {
    let next: PlannedTimer | undefined;
    for (const timer of this.#timers) {
      if (
        next === undefined ||
        timer.dueMs < next.dueMs ||
        (timer.dueMs === next.dueMs && timer.order < next.order)
      ) {
        next = timer;
      }
    }
    return next;
  }

  #stuck(): SimDeadlockError {
    const waiting = this.#waiting.map((w) => w.describe).join(', ') || 'none';
    return new SimDeadlockError(
      `expected the awaited promise to settle, but nothing is left that could settle it: operations waiting: ${waiting}; timers: ${this.#timers.size} (${this.#timerRuns} ran in a row); virtual time ${this.#nowMs.toFixed(3)} ms: look for a promise that nobody resolves`,
    );
  }
}

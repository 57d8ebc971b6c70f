/**
 * A loop that does one kind of job while there is any, and tries again after a failure.
 *
 * Invariants
 *  1. One job of the kind at a time.
 *  2. A job that failed is tried again with new files, after a pause that doubles up to 30 s: what it wrote
 *     before is never written over. A failure that trying again cannot mend stops the loop for good.
 *  3. No failure is silent: each is counted, kept as the last error, and told.
 */
import { errorCode, type Timer, type Timers } from '@nendb/vfs';
import { JobCancelled } from '../compaction/job-runner.js';
import { LsmError } from '../errors.js';
import { RETRY_MS_MAX, RETRY_MS_MIN } from '../limits.js';

export interface BackgroundWork {
  /** Does one job; resolves with false where there was none. */
  work(): Promise<boolean>;
  /** `retryMs`: when it is tried again; 0 for never. */
  onFailure(error: Error, retryMs: number): void;
}

export class Background {
  readonly #timers: Timers;
  readonly #work: BackgroundWork;
  #running: Promise<void> | undefined;
  #kicked = false;
  #retry: Timer | undefined;
  #retryMs = RETRY_MS_MIN;
  #stopped = false;
  #lastError: Error | undefined;

  constructor(timers: Timers, work: BackgroundWork) {
    this.#timers = timers;
    this.#work = work;
  }

  /** Why the last job failed; `undefined` once one has succeeded since. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** Why no work is begun any more, for good; `undefined` while some may be. */
  get finalError(): Error | undefined {
    return this.#stopped ? this.#lastError : undefined;
  }

  /** There may be work. */
  kick(): void {
    if (this.#stopped || this.#retry !== undefined) return;
    this.#kicked = true;
    this.#running ??= this.#run();
  }

  /** The same, without waiting for the pause after a failure to end. */
  kickNow(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    this.kick();
  }

  /** Resolves when nothing is being done. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Begins no more work; what runs is the owner's to cancel. */
  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  async #run(): Promise<void> {
    try {
      while (this.#kicked && !this.#stopped) {
        this.#kicked = false;
        while (!this.#stopped && (await this.#work.work())) {
          this.#retryMs = RETRY_MS_MIN;
          this.#lastError = undefined;
        }
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#running = undefined;
    }
  }

  #failed(thrown: unknown): void {
    if (thrown instanceof JobCancelled) return;
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.#lastError = error;
    if (this.#stopped || isFinal(error)) {
      this.#stopped = true;
      this.#work.onFailure(error, 0);
      return;
    }
    const retryMs = this.#retryMs;
    this.#retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
    this.#retry = this.#timers.after(
      retryMs,
      () => {
        this.#retry = undefined;
        this.kick();
      },
      { background: true },
    );
    this.#work.onFailure(error, retryMs);
  }
}

/** Damage, a wrong key or a dead log stay what they are; a disk may recover. */
function isFinal(error: Error): boolean {
  if (error instanceof LsmError) return error.code !== 'LSM_FULL' && error.code !== 'LSM_IO';
  return errorCode(error) === undefined;
}

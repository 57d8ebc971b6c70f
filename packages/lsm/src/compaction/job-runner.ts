/**
 * The core thread's half of flushes and compactions: sends a job to a task, grants it bytes by the rate limit,
 * and makes the names of what it wrote durable.
 *
 * Invariants
 *  1. When `run` resolves every output and its name are durable, so that a manifest may name it.
 *  2. When it rejects, outputs are unlinked unless that fails too; the next opening removes what is left.
 *
 * The task starts with the first job: a tree that is only read, or small, has no thread.
 */
import type { Task, Vfs } from '@nendb/vfs';
import { ioError } from '../io-error.js';
import { JOB_STEP_BYTES } from '../limits.js';
import type { Job, JobPlace, JobResult, JobStep } from './job.js';
import type { JobMethods } from './job-task.js';
import type { RateLimiter } from './rate-limiter.js';

/** What a job did, beside its files. */
export interface JobReport extends JobResult {
  readBytes: number;
  elapsedMs: number;
}

/** The job was given up because the tree is being closed. */
export class JobCancelled extends Error {
  override readonly name = 'JobCancelled';
}

export class JobRunner {
  readonly #vfs: Vfs;
  readonly #place: JobPlace;
  readonly #limiter: RateLimiter;
  readonly #syncNames: () => Promise<void>;
  #task: Promise<Task> | undefined;
  #cancelled = false;

  /** `syncNames` makes names in the directory durable. */
  constructor(vfs: Vfs, place: JobPlace, limiter: RateLimiter, syncNames: () => Promise<void>) {
    this.#syncNames = syncNames;
    this.#vfs = vfs;
    this.#place = place;
    this.#limiter = limiter;
  }

  /** Does `job`. One at a time. */
  async run(job: Job): Promise<JobReport> {
    const startedMs = this.#vfs.clock.monotonicMs();
    const task = await this.#start();
    const call = caller(task);
    let readBytes = 0;
    try {
      await call('begin', job);
      let step: JobStep;
      do {
        if (this.#cancelled) throw new JobCancelled('the tree is being closed');
        step = await call('step', JOB_STEP_BYTES);
        readBytes += step.readBytes;
        await this.#limiter.written(step.writtenBytes);
      } while (!step.done);
      await this.#syncNames();
    } catch (thrown) {
      // The first error is the one worth reporting; the next opening removes what this leaves.
      await call('abort', undefined).catch(() => this.#leave(task));
      throw jobError(thrown);
    }
    const result = await call('result', undefined);
    return { ...result, readBytes, elapsedMs: this.#vfs.clock.monotonicMs() - startedMs };
  }

  /** Gives up the job that runs, and refuses others. */
  cancel(): void {
    this.#cancelled = true;
  }

  /** Ends the thread. No job may be running. */
  async close(): Promise<void> {
    const task = await this.#task?.catch(() => undefined);
    this.#task = undefined;
    await task?.close();
  }

  /** A thread that does not even give up is dead: the next job gets another. */
  async #leave(task: Task): Promise<void> {
    this.#task = undefined;
    await task.close().catch(() => undefined);
  }

  #start(): Promise<Task> {
    this.#task ??= this.#vfs.executor
      .start(new URL('./job-task.js', import.meta.url), this.#place)
      .catch((error: unknown) => {
        this.#task = undefined;
        throw error;
      });
    return this.#task;
  }
}

/** The task's methods, typed, their failures as `LsmError`. */
function caller(task: Task) {
  return async <M extends keyof JobMethods>(
    method: M,
    input: Parameters<JobMethods[M]>[0],
  ): Promise<ReturnType<JobMethods[M]>> => {
    try {
      return (await task.call(method, input)) as ReturnType<JobMethods[M]>;
    } catch (error) {
      throw jobError(error);
    }
  };
}

/** What a job threw. */
function jobError(error: unknown): unknown {
  return ioError(error, 'a flush or compaction', 'nothing is lost, it is tried again');
}

/**
 * Flushes and compactions on a worker thread: reads, merges, compression, encryption, writes and syncs happen
 * here with synchronous calls, so that neither the core thread nor the thread pool that the log syncs in is
 * disturbed (R8).
 *
 * Concurrency: one job at a time; a job runs in steps, between which its owner may wait or give it up.
 */
import type { Vfs } from '@nendb/vfs';
import type { Job, JobPlace, JobResult, JobStep } from './job.js';
import { RunningJob } from './running-job.js';

/** What the task does; `job-runner.ts` calls these by name. */
export interface JobMethods {
  begin(job: Job): void;
  step(budgetBytes: number): JobStep;
  result(): JobResult;
  abort(): void;
}

export default function makeJobTask(place: JobPlace, vfs: Vfs) {
  let running: RunningJob | undefined;
  const started = (): RunningJob => {
    if (running === undefined) throw new Error('expected `begin` before this call, got none');
    return running;
  };
  return {
    begin(job) {
      running = new RunningJob(vfs, place, job);
    },
    step: (budgetBytes) => started().step(budgetBytes),
    result() {
      const result = started().result();
      running = undefined;
      return result;
    },
    abort() {
      running?.abort();
      running = undefined;
    },
  } satisfies JobMethods;
}

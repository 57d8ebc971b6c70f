/** Jobs as the core thread describes them: what is merged, and everything that the tree's options say. */
import type { Job } from '../compaction/job.js';
import type { JobReport, JobRunner } from '../compaction/job-runner.js';
import { JOB_FILES_SPARE, SYNC_STEP_BYTES, SYNC_STEP_RELAXED_BYTES } from '../limits.js';
import type { Core } from './core.js';

/** What is special about a job. */
export interface JobCase
  extends Pick<
    Job,
    | 'inputs'
    | 'memtable'
    | 'outputLevel'
    | 'outputRun'
    | 'older'
    | 'rewriteValueFiles'
    | 'tableBytes'
  > {
  /** All that is read, in bytes, values in the value log included. */
  inputBytes: number;
}

/** The job, with numbers reserved for its files. */
export function jobOf(core: Core, { inputBytes, ...special }: JobCase): Job {
  const { options, snapshots, clock, versions } = core;
  const nowMs = clock.nowMs();
  const fileBytes = Math.min(special.tableBytes, options.valueFileBytes);
  // Prefixes that were shared before may not be now: twice the input, and some.
  const filesMax = Math.ceil((inputBytes / fileBytes) * 4) + JOB_FILES_SPARE;
  return {
    ...special,
    snapshots: snapshots.sequences(),
    nowMs: snapshots.oldestTimeMs(nowMs),
    firstFile: versions.reserveFiles(filesMax),
    filesMax,
    createdMs: nowMs,
    blockBytes: options.blockBytes,
    filterBitsPerKey: options.filterBitsPerKey,
    compression: options.compression,
    syncStepBytes: syncStepBytes(core),
    valueThresholdBytes: options.valueThresholdBytes,
    valueFileBytes: options.valueFileBytes,
    keys: core.sentKeys(),
  };
}

/** Where nobody waits for syncs of the log, none is disturbed by longer ones of jobs. */
function syncStepBytes({ options }: Core): number {
  const nobodyWaits = options.externalLog === undefined && options.sync === 'os';
  return nobodyWaits ? SYNC_STEP_RELAXED_BYTES : SYNC_STEP_BYTES;
}

/** Has `job` done, and takes back the numbers that it did not need. */
export async function runJob(core: Core, runner: JobRunner, job: Job): Promise<JobReport> {
  const report = await runner.run(job);
  let next = job.firstFile;
  for (const { number } of [...report.tables, ...report.valueFiles]) {
    next = Math.max(next, number + 1);
  }
  core.versions.giveBackFiles(next, job.firstFile + job.filesMax);
  return report;
}

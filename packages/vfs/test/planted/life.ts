/** One life of a log on a simulated machine: what was asked of it, and what it has promised. */
import { errorCode } from '@nendb/vfs';
import { type Coverage, type SimImage, SimVfs } from '@nendb/vfs/sim';
import type { RecordLog } from './record-log.js';
import type { Subject } from './subject.js';

export interface Life {
  readonly sim: SimVfs;
  /** Everything that was appended, in order, whether that failed or not. */
  readonly submitted: string[];
  /** `acknowledged[i]` is where in the history text i was acknowledged; `undefined` where it was not. */
  readonly acknowledged: (number | undefined)[];
}

export interface Plan {
  seed: number;
  texts: number;
  /** What goes wrong on the machine. */
  faults?: (sim: SimVfs) => void;
  /** The disk that the machine boots on. */
  image?: SimImage;
  /** Whether the log is closed in the end. Default true. */
  close?: boolean;
  /** Called at each acknowledgement; an error ends the life. */
  check?: (sim: SimVfs, log: RecordLog, text: string) => void;
  coverage: Coverage;
}

/** Appends and rotates, goes on after errors, and closes. Never rejects for an error of the machine. */
export async function live(subject: Subject, plan: Plan): Promise<Life> {
  const { seed, coverage } = plan;
  const sim = new SimVfs({ seed, coverage }, plan.image);
  plan.faults?.(sim);
  const life: Life = { sim, submitted: [], acknowledged: [] };
  await sim.run(async () => {
    let log: RecordLog | undefined;
    try {
      log = await subject.write(sim);
      for (let i = 0; i < plan.texts; i++) {
        const text = `record ${i} of ${seed} ${'x'.repeat((i * 97) % 700)}`;
        if (await appendOne(life, log, text)) plan.check?.(sim, log, text);
        if (i % 4 === 3) await log.rotate();
      }
    } catch (error) {
      if (errorCode(error) === undefined && sim.violations.length === 0) throw error;
    }
    if (plan.close !== false) await log?.close().catch(() => undefined);
  });
  return life;
}

/** Whether the text was acknowledged. */
async function appendOne(
  { sim, submitted, acknowledged }: Life,
  log: RecordLog,
  text: string,
): Promise<boolean> {
  const index = submitted.push(text) - 1;
  try {
    await log.append(text);
    acknowledged[index] = sim.changeCount;
    return true;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}

/** What a log has when it is opened on `image`, or the error with which it refuses. */
export async function survivors(
  subject: Subject,
  image: SimImage,
  seed: number,
): Promise<{ machine: SimVfs; records?: string[]; refusal?: unknown }> {
  const machine = SimVfs.fromImage(image, { seed });
  try {
    const records = await machine.run(async () => {
      const log = await subject.recover(machine);
      await log.close();
      return log.records;
    });
    return { machine, records };
  } catch (refusal) {
    return { machine, refusal };
  }
}

/**
 * What is wrong with `records` after a crash at `at`; `undefined` if nothing is. What was not
 * acknowledged by then may be there or not; the order is that of submission.
 */
export function broken(life: Life, at: number, records: readonly string[]): string | undefined {
  let next = 0;
  for (const [i, text] of life.submitted.entries()) {
    if (records[next] === text) next++;
    else if ((life.acknowledged[i] ?? Number.POSITIVE_INFINITY) <= at)
      return `lost ${text.slice(0, 12)}`;
  }
  return next === records.length ? undefined : `invented ${records[next].slice(0, 12)}`;
}

/**
 * Crashes a recorded run at every change of its disk, in every way that the profile allows, opens
 * the database on what is left, and compares it with what the run had promised by then.
 *
 * For each image: the recovered state is the state after some commit, at or above the last
 * acknowledgement, and the epoch is one that was never written under. A share of the recoveries is
 * crashed in turn, at every change of theirs.
 */
import { type CrashKind, type SimImage, SimVfs } from '@nendb/vfs/sim';
import { Engine } from '../../src/engine.js';
import { stateOf } from './state.js';
import { engineOptions, runWorkload, type WorkloadOptions, type WorkloadRun } from './workload.js';

export interface SweepOptions {
  /** Stop after so many distinct images. */
  imagesMax: number;
  /** Stop at this moment, in ms of the process's clock. */
  untilMs?: number;
  /** One recovery out of so many is crashed in turn. Default 40. */
  nestEvery?: number;
}

export interface SweepResult {
  /** Distinct images, by hash of names and bytes, that were recovered and compared. */
  images: number;
  /** Of these, images left by crashes of a recovery. */
  nested: number;
  runs: number;
  rotations: number;
  snapshots: number;
  fromBak: number;
}

/** Images per crash point, besides all subsets of what is pending where they are few. */
const CHOICES = { subsetsMax: 16, samples: 6 };
const NESTED_CHOICES = { subsetsMax: 4, samples: 2 };

export class CrashSweep {
  readonly result: SweepResult = {
    images: 0,
    nested: 0,
    runs: 0,
    rotations: 0,
    snapshots: 0,
    fromBak: 0,
  };
  /** LSN that each image of this run recovered to, by hash. */
  #recovered = new Map<string, number>();
  readonly #options: SweepOptions;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  get done(): boolean {
    const { imagesMax, untilMs = Number.POSITIVE_INFINITY } = this.#options;
    return this.result.images >= imagesMax || performance.now() >= untilMs;
  }

  /** Makes one run and crashes it everywhere. */
  async run(workload: WorkloadOptions): Promise<void> {
    const run = await runWorkload(workload);
    this.#recovered = new Map();
    this.result.runs++;
    this.result.rotations += run.rotations;
    this.result.snapshots += run.snapshots;
    await this.#crashEverywhere(workload, run, 'power');
    if (workload.sync && workload.sync !== 'always') {
      await this.#crashEverywhere(workload, run, 'kill');
    }
  }

  async #crashEverywhere(
    workload: WorkloadOptions,
    run: WorkloadRun,
    kind: CrashKind,
  ): Promise<void> {
    for (const { at, image } of run.sim.crashImages({ kind, ...CHOICES })) {
      if (this.done) return;
      // After a kill the cache survives: what was written counts. After a power cut, what was synced.
      const synced = run.promisedAt(at, 'synced');
      const promised = kind === 'kill' ? run.promisedAt(at, 'durable') : synced;
      const where = `workload ${JSON.stringify(workload)}, ${image.label}`;
      const nest = this.result.images % (this.#options.nestEvery ?? 40) === 0;
      await this.#check(run, image, promised, where, nest ? synced : undefined);
    }
  }

  async #check(
    run: WorkloadRun,
    image: SimImage,
    promised: number,
    where: string,
    /** What must survive a power cut during the recovery; `undefined` where that is not tried. */
    nestedFloor: number | undefined,
  ): Promise<void> {
    const known = this.#recovered.get(image.hash());
    if (known !== undefined) {
      if (known < promised) throw new Error(`${where}: lost ${known + 1} to ${promised}`);
      return;
    }
    const sim = SimVfs.fromImage(image, { seed: 7 });
    const opened = await recover(sim, run, promised, where);
    this.result.images++;
    if (opened.fromBak) this.result.fromBak++;
    this.#recovered.set(image.hash(), opened.lsn);
    if (nestedFloor !== undefined) await this.#crashRecovery(run, sim, nestedFloor, opened, where);
  }

  /** Crashes a recovery at every change it made. Once it has served, what it served must stay. */
  async #crashRecovery(
    run: WorkloadRun,
    sim: SimVfs,
    promised: number,
    opened: Recovered,
    where: string,
  ): Promise<void> {
    for (const { at, image } of sim.crashImages({ ...NESTED_CHOICES, seen: new Set() })) {
      const floor = at >= opened.servedAt ? opened.lsn : promised;
      await this.#check(run, image, floor, `${where}; then ${image.label}`, undefined);
      this.result.nested++;
    }
  }
}

interface Recovered {
  lsn: number;
  fromBak: boolean;
  /** Changes of the disk before the database was open. */
  servedAt: number;
}

async function recover(
  sim: SimVfs,
  run: WorkloadRun,
  promised: number,
  where: string,
): Promise<Recovered> {
  try {
    return await sim.run(async () => {
      const engine = await Engine.open(engineOptions(sim, 'always', run.store));
      const servedAt = sim.changeCount;
      const lsn = engine.appliedLsn;
      const expected = run.states[lsn];
      if (lsn < promised) throw new Error(`lost ${lsn + 1} to ${promised}`);
      if (expected === undefined)
        throw new Error(`invented up to ${lsn}, written up to ${run.states.length - 1}`);
      const state = stateOf(engine);
      if (state !== expected) throw new Error(`at ${lsn} expected ${expected}, got ${state}`);
      const fromBak = engine.recovery.snapshot?.source === 'bak';
      await engine.close();
      sim.assertClean();
      return { lsn, fromBak, servedAt };
    });
  } catch (error) {
    throw new Error(`${where}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

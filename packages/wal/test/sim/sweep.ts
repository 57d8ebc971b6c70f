/**
 * Crashes lives of a log at every change of their disks, in every way that the profile allows, and
 * compares what an opening finds with what had been promised. A share of the openings dies, too.
 */
import { type SimImage, SimVfs } from '@nendb/vfs/sim';
import { openSim } from '../sim-log.js';
import { type Life, live } from './life.js';

export interface SweepLimits {
  imagesMax: number;
  /** In ms of the process's clock. */
  untilMs?: number;
  /** One opening out of so many dies in turn. */
  nestEvery: number;
}

const CHOICES = { subsetsMax: 12, samples: 4 };
const NESTED_CHOICES = { subsetsMax: 4, samples: 2 };

export class LogSweep {
  readonly result = { images: 0, nested: 0, lives: 0, rotations: 0, cutsBack: 0, tailed: 0 };
  readonly #limits: SweepLimits;
  /** Hashes of all images: each counts once. */
  readonly #seen = new Set<string>();

  constructor(limits: SweepLimits) {
    this.#limits = limits;
  }

  get done(): boolean {
    const { imagesMax, untilMs = Number.POSITIVE_INFINITY } = this.#limits;
    return this.result.images >= imagesMax || performance.now() >= untilMs;
  }

  async run(seed: number, steps: number): Promise<void> {
    const life = await live(seed, steps);
    const { result } = this;
    result.lives++;
    result.rotations += life.rotations;
    result.cutsBack += life.cutsBack;
    result.tailed += life.tailed;
    for (const kind of ['power', 'kill'] as const) {
      // After a kill the cache survives: what was written counts.
      const kept = kind === 'kill' || life.options.sync === 'always' ? 'durable' : 'synced';
      for (const { at, image } of life.sim.crashImages({ kind, ...CHOICES })) {
        if (this.done) return;
        if (!this.#isNew(image)) continue;
        const nest = result.images % this.#limits.nestEvery === 0;
        const after = await this.#check(life, image, at, kept, nest);
        if (!nest) continue;
        // What a cache showed to the first opening may be gone after a power cut.
        const synced = life.options.sync === 'always' ? 'durable' : 'synced';
        for (const nested of after.crashImages(NESTED_CHOICES)) {
          if (!this.#isNew(nested.image)) continue;
          result.nested++;
          await this.#check(life, nested.image, at, synced, false);
        }
      }
    }
  }

  #isNew(image: SimImage): boolean {
    const hash = image.hash();
    if (this.#seen.has(hash)) return false;
    this.#seen.add(hash);
    this.result.images++;
    return true;
  }

  async #check(
    life: Life,
    image: SimImage,
    at: number,
    kept: 'durable' | 'synced',
    record: boolean,
  ): Promise<SimVfs> {
    const sim = SimVfs.fromImage(image, { seed: 7, record });
    try {
      await sim.run(async () => {
        const { wal } = await openSim(sim, { ...life.options, lock: false });
        const records: string[] = [];
        const { firstLsn } = wal;
        await wal.replay(firstLsn, (_lsn, bytes, from, to) => {
          records.push(Buffer.from(bytes.subarray(from, to)).toString());
        });
        const problems = life.timelines.map((each) => each.problem(records, firstLsn, at, kept));
        if (!problems.includes(undefined)) throw new Error(problems.join('; '));
      });
      return sim;
    } catch (error) {
      throw new Error(
        `seed ${life.seed}, ${JSON.stringify(life.options)}, ${image.label}: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
  }
}

/**
 * Crashes lives of a log at every change of their disks, in every way that the profile allows, and
 * compares what an opening finds with what had been promised. A share of the openings dies, too; after
 * another share the log goes on, and is opened once more.
 *
 * Most images are opened as bare files: a machine that keeps its history, and a turn of the event loop
 * for each step, would take several times as long as the opening. One that dies is opened on a machine,
 * `promptly`; where the log goes on it has the machine as it is, with all its disorder.
 */
import { type SimImage, SimVfs } from '@nendb/vfs/sim';
import { Wal } from '@nendb/wal';
import { MemoryVfs } from '../memory-vfs.js';
import { DIR, openSim, SMALL } from '../sim-log.js';
import { type Life, live } from './life.js';
import { promptly } from './prompt-vfs.js';

export interface SweepLimits {
  imagesMax: number;
  /** In ms of the process's clock. */
  untilMs?: number;
  /** One opening out of so many dies in turn. */
  nestEvery: number;
}

const CHOICES = { subsetsMax: 12, samples: 4 };
const NESTED_CHOICES = { subsetsMax: 4, samples: 2 };
/** After one opening out of so many the log goes on. */
const GO_ON_EVERY = 16;

/** An image to be opened, and what must hold of it. */
interface Case {
  life: Life;
  image: SimImage;
  at: number;
  kept: 'durable' | 'synced' | 'written';
  /** What becomes of the opened log. */
  sequel: 'nothing' | 'dies' | 'goes on';
}

export class LogSweep {
  readonly result = {
    images: 0,
    nested: 0,
    wentOn: 0,
    lives: 0,
    rotations: 0,
    cutsBack: 0,
    tailed: 0,
  };
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
    for (const each of this.#cases(life)) {
      const after = await this.#check(each);
      if (!after) continue;
      for (const nested of this.#nestedCases(each, after)) await this.#check(nested);
    }
  }

  /** Every new image that a crash of `life` may leave. */
  *#cases(life: Life): Generator<Case> {
    for (const kind of ['power', 'kill'] as const) {
      // After a kill the cache survives: what was written counts.
      const kept = kind === 'kill' ? 'written' : keptByPower(life);
      for (const { at, image } of life.sim.crashImages({ kind, ...CHOICES })) {
        if (this.done) return;
        if (this.#isNew(image)) yield { life, image, at, kept, sequel: this.#sequel() };
      }
    }
  }

  /** The same of the opening of `each`, which ran on `after`. */
  *#nestedCases({ life, at }: Case, after: SimVfs): Generator<Case> {
    // What a cache showed to the first opening may be gone after a power cut.
    const kept = keptByPower(life);
    for (const { image } of after.crashImages(NESTED_CHOICES)) {
      if (!this.#isNew(image)) continue;
      this.result.nested++;
      yield { life, image, at, kept, sequel: 'nothing' };
    }
  }

  #isNew(image: SimImage): boolean {
    const hash = image.hash();
    if (this.#seen.has(hash)) return false;
    this.#seen.add(hash);
    this.result.images++;
    return true;
  }

  #sequel(): Case['sequel'] {
    if (this.result.images % this.#limits.nestEvery === 0) return 'dies';
    return this.result.images % GO_ON_EVERY === 1 ? 'goes on' : 'nothing';
  }

  /** The machine that was opened on, where it is to die. */
  async #check(each: Case): Promise<SimVfs | undefined> {
    const { life, image, sequel } = each;
    try {
      if (sequel === 'nothing') {
        await compare(await openFiles(each), each);
        return undefined;
      }
      const sim = SimVfs.fromImage(image, { seed: 7, record: sequel === 'dies' });
      if (sequel === 'dies') {
        const vfs = promptly(sim);
        const { wal } = await openSim(sim, { ...life.options, vfs, lock: false });
        await compare(wal, each);
        return sim;
      }
      await sim.run(() => goOn(sim, each));
      sim.assertClean();
      this.result.wentOn++;
      return undefined;
    } catch (error) {
      throw new Error(
        `seed ${life.seed}, ${JSON.stringify(life.options)}, ${image.label}, ${sequel}: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
  }
}

function keptByPower({ options }: Life): 'durable' | 'synced' {
  return options.sync === 'always' ? 'durable' : 'synced';
}

/** Opens what a program that boots on the image would find. */
async function openFiles({ life, image }: Case): Promise<Wal> {
  const files: [string, Uint8Array][] = [];
  for (const [path, bytes] of image.files()) files.push([path.slice(1), bytes]);
  const vfs = new MemoryVfs('', files);
  const { wal } = await Wal.open({ dir: DIR, vfs, ...SMALL, ...life.options, lock: false });
  return wal;
}

/** Throws unless the log holds what one of the life's timelines allows. */
async function compare(wal: Wal, { life, at, kept }: Case): Promise<void> {
  const records: string[] = [];
  const { firstLsn } = wal;
  await wal.replay(firstLsn, (_lsn, bytes, from, to) => {
    records.push(Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1'));
  });
  const problems = life.timelines.map((each) => each.problem(records, firstLsn, at, kept));
  if (!problems.includes(undefined)) throw new Error(problems.join('; '));
}

/** Opens, compares, appends, closes; then the log is clean and ends with what was appended. */
async function goOn(sim: SimVfs, each: Case): Promise<void> {
  const { wal, recovery } = await openSim(sim, each.life.options);
  await compare(wal, each);
  const { lsn } = await wal.append(Buffer.from('goes on'));
  if (lsn !== recovery.lastLsn + 1) throw new Error(`LSN ${lsn} behind ${recovery.lastLsn}`);
  await wal.close();
  const { wal: again, recovery: found } = await openSim(sim, each.life.options);
  const { verdict, lastLsn, epoch } = found;
  if (verdict !== 'clean' || lastLsn !== lsn || epoch !== recovery.epoch + 1) {
    throw new Error(`then ${verdict}, LSN ${lastLsn} for ${lsn}, epoch ${epoch}`);
  }
  const texts: string[] = [];
  for await (const { payload } of again.read({ from: lsn })) texts.push(`${Buffer.from(payload)}`);
  if (texts.join() !== 'goes on') throw new Error(`then ${texts.join()} at LSN ${lsn}`);
  await again.close();
}

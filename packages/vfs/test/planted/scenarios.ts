/**
 * Ways to look for a bug: each yields, image by image, what is wrong. The sound log passes all of them
 * to the end; each planted bug must be found by the one that is made for its kind.
 */
import {
  type Coverage,
  type CrashOptions,
  type Damage,
  damaged,
  damagedImages,
  type Failure,
  SECTOR_BYTES,
  type SimImage,
  type SimVfs,
} from '@nendb/vfs/sim';
import { broken, type Life, live, survivors } from './life.js';
import { encodeRecord, HEADER_BYTES, LogDamagedError } from './record-format.js';
import type { RecordLog } from './record-log.js';
import { DIR, type Subject } from './subject.js';

export interface Finding {
  /** The image, for people. */
  readonly label: string;
  readonly wrong: string | undefined;
}

export type Scenario = (subject: Subject, coverage: Coverage) => AsyncGenerator<Finding>;

const LIMITS = { subsetsMax: 16, samples: 8 };

async function* judgeCrashes(
  subject: Subject,
  life: Life,
  options: CrashOptions & { from?: number } = {},
): AsyncGenerator<Finding> {
  for (const { at, image } of life.sim.crashImages({ ...LIMITS, ...options })) {
    const { records, refusal } = await survivors(subject, image, at);
    const wrong = records === undefined ? `does not open: ${refusal}` : broken(life, at, records);
    yield { label: image.label, wrong };
  }
}

/** A power cut at every position of a calm run. */
export function powerCuts(options: CrashOptions = {}): Scenario {
  return async function* (subject, coverage) {
    const life = await live(subject, { seed: 1, texts: 12, coverage });
    yield* judgeCrashes(subject, life, options);
  };
}

/** The same, where every write is short. */
export const shortWrites: Scenario = async function* (subject, coverage) {
  const faults = (sim: SimVfs): void => sim.faults.limitEachWrite(200);
  const life = await live(subject, { seed: 2, texts: 9, faults, coverage });
  yield* judgeCrashes(subject, life);
};

/** One operation fails, at each of its turns; power goes at the end. */
export function failing(failure: Omit<Failure, 'nth'>): Scenario {
  return async function* (subject, coverage) {
    for (let nth = 1; ; nth++) {
      const faults = (sim: SimVfs): void => sim.faults.failAt({ ...failure, nth });
      const life = await live(subject, { seed: 3, texts: 10, faults, coverage });
      if (life.sim.coverage.times(`error:${failure.op}`) === 0) return;
      for await (const { label, wrong } of judgeCrashes(subject, life, {
        from: life.sim.changeCount,
      })) {
        yield { label: `${failure.error} at ${failure.op} ${nth}; ${label}`, wrong };
      }
    }
  };
}

/**
 * A sync fails, the process is killed, the next one goes on, and then the power goes: at the end, or
 * anywhere in its life.
 */
export function failedSyncThenRestart(power: 'at the end' | 'anywhere'): Scenario {
  return async function* (subject, coverage) {
    for (let nth = 1; ; nth++) {
      const faults = (sim: SimVfs): void => sim.faults.failAt({ op: 'sync', nth, error: 'EIO' });
      const first = await live(subject, { seed: 4, texts: 10, faults, close: false, coverage });
      if (first.sim.coverage.times('error:sync') === 0) return;
      const image = first.sim.crashImage({ kind: 'kill', choice: 'all' });
      const second = await live(subject, { seed: 5, texts: 3, image, coverage });
      const life = oneAfterTheOther(first, second);
      const from = power === 'anywhere' ? 0 : life.sim.changeCount;
      for await (const { label, wrong } of judgeCrashes(subject, life, { from })) {
        yield { label: `EIO at sync ${nth}, kill; ${label}`, wrong };
      }
    }
  };
}

/** What the first life has promised stands from the beginning of the second. */
function oneAfterTheOther(first: Life, second: Life): Life {
  const stands = first.submitted.map((_, i) =>
    first.acknowledged[i] === undefined ? undefined : 0,
  );
  return {
    sim: second.sim,
    submitted: [...first.submitted, ...second.submitted],
    acknowledged: [...stands, ...second.acknowledged],
  };
}

/**
 * The medium damages a log that was closed: it must be read whole, or refuse. Damage that reaches the
 * last record is left out: nothing behind it can vouch for it.
 */
export const damage: Scenario = async function* (subject, coverage) {
  const life = await live(subject, { seed: 6, texts: 11, coverage });
  const image = life.sim.crashImage({ choice: 'all' });
  const path = [...image.files().keys()].find((name) => name.startsWith(`${DIR}/log-`)) ?? '';
  const tail =
    (image.files().get(path)?.length ?? 0) - recordBytes(life, life.submitted.length - 1);
  for (const result of damages(life, image, path)) {
    if (reaches(result.damage, tail)) continue;
    const { records, refusal } = await survivors(subject, result.image, 1);
    const whole = records?.join() === life.submitted.join();
    const told = refusal instanceof LogDamagedError;
    const wrong = refusal === undefined ? 'lost or changed in silence' : `does not say: ${refusal}`;
    yield { label: result.image.label, wrong: whole || told ? undefined : wrong };
  }
};

const recordBytes = ({ submitted }: Life, i: number): number =>
  encodeRecord(submitted[i], i + 1, 0).length;

/** Every bit of the second record's header, and throws of dice for all of the file. */
function* damages(life: Life, image: SimImage, path: string) {
  const from = recordBytes(life, 0);
  for (let bit = 0; bit < HEADER_BYTES * 8; bit++) {
    const flip = { kind: 'bit-flip', path, byte: from + (bit >> 3), bit: bit & 7 } as const;
    yield { damage: flip, image: damaged(image, flip) };
  }
  const kinds = ['bit-flip', 'zeroed', 'lost', 'misdirected', 'deleted'] as const;
  yield* damagedImages(image, { kinds, path, samples: 30 });
}

function reaches(damage: Damage, tail: number): boolean {
  if (damage.kind === 'bit-flip') return damage.byte >= tail;
  const sectors = [
    ...('sector' in damage ? [damage.sector] : []),
    ...('toSector' in damage ? [damage.toSector] : []),
  ];
  return sectors.some((sector) => (sector + 1) * SECTOR_BYTES > tail);
}

/** What the machine itself has seen, without any crash. */
export const detectors: Scenario = async function* (subject, coverage) {
  const { sim } = await live(subject, { seed: 7, texts: 8, coverage });
  let wrong: string | undefined;
  try {
    sim.assertClean();
  } catch (error) {
    wrong = String(error);
  }
  yield { label: 'a calm run', wrong };
};

/** At each acknowledgement the machine is asked whether what it rests on is durable. */
export const acknowledgements: Scenario = async function* (subject, coverage) {
  const check = (sim: SimVfs, log: RecordLog, text: string): void =>
    sim.acknowledge(text.slice(0, 12), { path: log.currentPath });
  const { sim } = await live(subject, { seed: 8, texts: 6, check, coverage });
  const early = sim.violations.filter((violation) => violation.includes('acknowledged early'));
  yield { label: 'acknowledgements', wrong: early.at(0) };
};

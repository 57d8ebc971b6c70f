/**
 * A log that does everything right lives through each kind of fault that there is, and what it has
 * acknowledged survives a power cut: or, where no program could help it, the fault is told. A kind
 * that never fired fails the run.
 */
import { joinPath } from '@nendb/vfs';
import {
  COVERAGE_KINDS,
  Coverage,
  damagedImages,
  everything,
  ext4Ordered,
  nothingUnsynced,
  OP_KINDS,
  posixWeak,
  type SimVfs,
} from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';
import { acknowledgesBeforeSync } from './planted/acknowledges-before-sync.js';
import { closesInFlight } from './planted/closes-in-flight.js';
import { LeaksDescriptor } from './planted/leaks-descriptor.js';
import { broken, live, type Plan, survivors } from './planted/life.js';
import { reusesBufferInFlight } from './planted/reuses-buffer-in-flight.js';
import { acknowledgements, damage, detectors } from './planted/scenarios.js';
import { DIR, type Subject, sound, variant, wrapped } from './planted/subject.js';
import { SyncsAfterClose } from './planted/syncs-after-close.js';

const total = new Coverage();

/** The sound log, after a look around that uses the operations which it does not need. */
const thorough: Subject = {
  write: async (vfs) => {
    await vfs.mkdir(DIR);
    const lock = await vfs.lock(joinPath(DIR, 'LOCK'));
    await vfs.freeBytes(DIR);
    for (const path of ['/one', '/two', '/scratch']) await (await vfs.open(path, 'create')).close();
    const scratch = await vfs.open('/scratch', 'write');
    try {
      await scratch.truncate(100);
      await scratch.readAt(new Uint8Array(await scratch.size()), 0);
    } finally {
      await scratch.close();
    }
    for (let i = 0; i < 5; i++) await vfs.readdir('/');
    await lock.release();
    return sound.write(vfs);
  },
  recover: sound.recover,
};

/** Lives with a fault, and has its promises kept by every image of the end. */
async function livesThrough(plan: Omit<Plan, 'seed' | 'texts' | 'coverage'>): Promise<SimVfs> {
  const life = await live(thorough, { seed: 20, texts: 7, coverage: total, ...plan });
  const { sim } = life;
  const now = sim.changeCount;
  for (const { at, image } of sim.crashImages({ from: now, subsetsMax: 8, samples: 4 })) {
    const { records, refusal } = await survivors(sound, image, 1);
    const wrong = records === undefined ? `does not open: ${refusal}` : broken(life, at, records);
    expect(wrong, image.label).toBeUndefined();
  }
  return sim;
}

describe('the log lives through', () => {
  test.each(OP_KINDS)('an error of %s, early and late, landed and not', async (op) => {
    const before = total.times(`error:${op}`);
    for (const nth of [1, 2, 5]) {
      for (const takesEffect of [false, true]) {
        await livesThrough({
          faults: ({ faults }) => faults.failAt({ op, nth, error: 'EIO', takesEffect }),
        });
      }
    }
    expect(total.times(`error:${op}`)).toBeGreaterThan(before + 1);
  });

  test.each(['clean-new', 'clean-old', 'partial'] as const)(
    'a sync that fails %s',
    async (mode) => {
      for (const nth of [3, 4, 6]) {
        const sim = await livesThrough({
          faults: ({ faults }) =>
            faults.failAt({ op: 'sync', nth, error: 'EIO', syncFailure: mode }),
        });
        sim.faults.assertAllFired();
      }
    },
  );

  const plans: readonly [string, (sim: SimVfs) => void][] = [
    ['pages lost by writing back', ({ faults }) => faults.loseWritebackAt({ nth: 4 })],
    ['short writes', ({ faults }) => faults.limitEachWrite(33)],
    ['one short write', ({ faults }) => faults.shortWriteAt({ nth: 4, bytes: 1 })],
    ['a stall', ({ faults }) => faults.stallAt({ op: 'sync', nth: 3, stallMs: 700 })],
    ['a disk that is full after so many bytes', ({ faults }) => faults.limitWrites(700)],
    [
      'a disk that is small',
      ({ faults }) => {
        faults.diskBytesMax = 4096;
      },
    ],
    [
      'a bad place in the log',
      ({ faults }) => {
        const path = `${DIR}/log-`;
        faults.media.failRange({ path, from: 300, to: 400, op: 'write', sticky: true });
      },
    ],
    [
      'a lack of descriptors',
      ({ faults }) => {
        faults.resources.descriptorsMax = 1;
      },
    ],
    ['a lack of permission', ({ faults }) => faults.resources.deny({ path: DIR, to: 'write' })],
  ];
  test.each(plans)('%s', async (_, faults) => {
    await livesThrough({ faults });
  });

  test('a clock that jumps, and a file system that becomes read-only', async () => {
    const sim = await livesThrough({
      check: (machine, _, text) => {
        machine.jumpClock(text.length % 2 === 0 ? -3_600_000 : 7_200_000);
        machine.faults.resources.readOnly = text.startsWith('record 4');
      },
    });
    expect(sim.coverage.times('read-only')).toBeGreaterThan(0);
  });

  test('a recovery whose reads are short, or fail', async () => {
    const { sim, submitted } = await live(sound, { seed: 21, texts: 7, coverage: total });
    const image = sim.crashImage({ choice: 'all' });
    const faults = (machine: SimVfs): void => {
      machine.faults.limitEachRead(64);
      machine.faults.media.failRange({ path: '/log-', from: 500, to: 501, op: 'read' });
    };
    const failed = await live(sound, { seed: 22, texts: 1, image, faults, coverage: total });
    expect(failed.submitted).toEqual([]);
    const { records } = await survivors(sound, failed.sim.crashImage(), 1);
    expect(records).toEqual(submitted);
  });
});

describe('what no program can survive', () => {
  test('a sync that reports late is told, and the log stops', async () => {
    const { sim, acknowledged } = await live(sound, {
      seed: 23,
      texts: 7,
      coverage: total,
      faults: ({ faults }) =>
        faults.failAt({ op: 'sync', nth: 4, error: 'EIO', syncFailure: 'late' }),
    });
    expect(sim.coverage.times('sync:reported-late')).toBe(1);
    expect(acknowledged.filter((at) => at !== undefined).length).toBe(2);
  });

  test('a transfer to another place is seen by checksums, at the latest when it is read', async () => {
    const { sim, submitted } = await live(sound, {
      seed: 24,
      texts: 3,
      coverage: total,
      faults: ({ faults }) =>
        faults.media.misdirectWriteAt({ nth: 2, shiftBytes: 4096, path: '/log-' }),
    });
    const damagedLog = await survivors(sound, sim.crashImage({ choice: 'all' }), 1);
    expect(damagedLog.refusal).toMatchObject({ code: 'LOG_DAMAGED' });
    const reader = sim.openSync(`${DIR}/log-1`, 'read');
    sim.faults.media.misdirectReadAt({ nth: 1, shiftBytes: 1 });
    const head = Buffer.alloc(16);
    reader.readAtSync(head, 0);
    expect(head.readUInt32LE(0)).not.toBe(submitted[0].length);
    reader.closeSync();
  });
});

describe('damage of any kind to any file', () => {
  test('never invents a record: the log has a prefix, or says that it is damaged', async () => {
    const { sim, submitted } = await live(sound, { seed: 26, texts: 7, coverage: total });
    const now = sim.changeCount;
    let images = 0;
    for (const { image } of sim.crashImages({ from: now - 6, samples: 1, subsetsMax: 2 })) {
      for (const bad of damagedImages(image, { seed: now, samples: 3, path: DIR })) {
        const { records, refusal } = await survivors(sound, bad.image, 1);
        if (records === undefined) {
          expect(refusal, bad.image.label).toMatchObject({ code: 'LOG_DAMAGED' });
        } else {
          expect(records, bad.image.label).toEqual(submitted.slice(0, records.length));
        }
        images++;
      }
    }
    expect(images).toBeGreaterThan(100);
  });
});

test('every kind of fault, crash, damage and detector has fired', async () => {
  for (const profile of [posixWeak, ext4Ordered, nothingUnsynced, everything]) {
    const { sim } = await live(sound, { seed: 25, texts: 5, coverage: total });
    for (const { image } of sim.crashImages({ profile, samples: 4, subsetsMax: 8 })) image.hash();
    for (const { image } of sim.crashImages({ kind: 'kill' })) image.hash();
  }
  const wrong: unknown[] = [];
  const careless = [
    variant(LeaksDescriptor),
    variant(SyncsAfterClose),
    wrapped(reusesBufferInFlight),
    wrapped(closesInFlight),
  ];
  for (const subject of careless) {
    for await (const found of detectors(subject, total)) wrong.push(found.wrong);
  }
  for await (const found of acknowledgements(wrapped(acknowledgesBeforeSync), total)) {
    wrong.push(found.wrong);
  }
  expect(wrong.every((found) => typeof found === 'string')).toBe(true);
  for await (const found of damage(sound, total)) expect(found.wrong, found.label).toBeUndefined();
  total.assertComplete(COVERAGE_KINDS);
});

/**
 * The simulator is only worth something if it catches what it is there to catch. Four bugs are
 * planted around a correct little protocol; each must be found within a bounded number of crash
 * images, and the protocol itself must pass all of them.
 */
import type { Vfs } from '@nendb/vfs';
import { type SimImage, SimVfs } from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';
import { acknowledgesBeforeSync } from './planted/acknowledges-before-sync.js';
import { RecordLog } from './planted/record-log.js';
import { renamesBeforeSync } from './planted/renames-before-sync.js';
import { skipsDirectorySync } from './planted/skips-directory-sync.js';
import { skipsFileSync } from './planted/skips-file-sync.js';

const IMAGES_TO_CATCH_MAX = 300;

interface Recorded {
  sim: SimVfs;
  submitted: string[];
  /** `acknowledged[i]` is the position at which text i was acknowledged. */
  acknowledged: number[];
}

async function record(seed: number, wrap: (vfs: Vfs) => Vfs): Promise<Recorded> {
  const sim = new SimVfs({ seed });
  const submitted: string[] = [];
  const acknowledged: number[] = [];
  await sim.run(async () => {
    const log = await RecordLog.open(wrap(sim), '/db');
    for (let i = 0; i < 12; i++) {
      submitted.push(`record ${i} of ${seed} ${'x'.repeat((i * 97) % 700)}`);
      await log.append(submitted[i]);
      acknowledged.push(sim.changeCount);
      if (i % 4 === 3) await log.rotate();
    }
    await log.close();
  });
  return { sim, submitted, acknowledged };
}

/** What is wrong with the records that survived a crash at `at`; `undefined` if nothing is. */
async function judge(
  run: Recorded,
  at: number,
  image: SimImage,
): Promise<{ wrong: string | undefined; machine: SimVfs }> {
  const machine = SimVfs.fromImage(image, { seed: at });
  let records: string[];
  try {
    records = await machine.run(async () => {
      const log = await RecordLog.open(machine, '/db');
      await log.close();
      return log.records;
    });
  } catch (error) {
    return { wrong: `does not open: ${String(error)}`, machine };
  }
  const promised = run.acknowledged.filter((position) => position <= at).length;
  if (records.length < promised) return { wrong: `${promised - records.length} lost`, machine };
  if (records.some((text, i) => text !== run.submitted[i])) return { wrong: 'invented', machine };
  return { wrong: undefined, machine };
}

async function imagesUntilCaught(wrap: (vfs: Vfs) => Vfs): Promise<number> {
  const run = await record(1, wrap);
  let images = 0;
  for (const { at, image } of run.sim.crashImages({ subsetsMax: 16, samples: 8 })) {
    images++;
    if ((await judge(run, at, image)).wrong !== undefined) return images;
  }
  return Number.POSITIVE_INFINITY;
}

describe('planted bugs are caught', () => {
  test.each([
    ['a file sync that does nothing', skipsFileSync],
    ['a directory sync that does nothing', skipsDirectorySync],
    ['a rename before the sync', renamesBeforeSync],
    ['an acknowledgement before the sync', acknowledgesBeforeSync],
  ])('%s', async (_, wrap) => {
    const images = await imagesUntilCaught(wrap);
    expect(images).toBeLessThanOrEqual(IMAGES_TO_CATCH_MAX);
  });
});

describe('the protocol without them', () => {
  test('rule 3: keeps every acknowledged record at every crash point', async () => {
    const hashes = new Set<string>();
    for (const seed of [1, 2, 3]) {
      const run = await record(seed, (vfs) => vfs);
      run.sim.assertClean();
      for (const kind of ['power', 'kill'] as const) {
        for (const { at, image } of run.sim.crashImages({ kind, subsetsMax: 32, samples: 8 })) {
          const { wrong } = await judge(run, at, image);
          expect(wrong, image.label).toBeUndefined();
          hashes.add(image.hash());
        }
      }
    }
    expect(hashes.size).toBeGreaterThan(500);
  });

  test('rules 5 and 15: a power cut during the recovery from a kill loses nothing', async () => {
    const run = await record(4, (vfs) => vfs);
    let images = 0;
    for (const { at, image } of run.sim.crashImages({ kind: 'kill' })) {
      const first = await judge(run, at, image);
      expect(first.wrong, image.label).toBeUndefined();
      for (const second of first.machine.crashImages({ subsetsMax: 8, samples: 2 })) {
        const { wrong } = await judge(run, at, second.image);
        expect(wrong, `${image.label}; then ${second.image.label}`).toBeUndefined();
        images++;
      }
    }
    expect(images).toBeGreaterThan(500);
  });

  test('rules 4 and 7: any failing or short operation loses no acknowledged record', async () => {
    const calm = await record(5, (vfs) => vfs);
    for (const op of ['write', 'sync', 'create', 'rename', 'syncDir', 'unlink', 'open'] as const) {
      for (let nth = 1; nth <= calm.sim.counts[op]; nth++) {
        const sim = new SimVfs({ seed: 5 });
        sim.faults.failAt({ op, nth, error: 'EIO', takesEffect: nth % 2 === 0 });
        sim.faults.limitEachWrite(13);
        const run: Recorded = { sim, submitted: [], acknowledged: [] };
        await sim.run(() => stubborn(run, calm.submitted));
        for (const { at, image } of sim.crashImages({
          from: sim.changeCount,
          subsetsMax: 8,
          samples: 4,
        })) {
          const { wrong } = await judge(run, at, image);
          expect(wrong, `${op} ${nth}: ${image.label}`).toBeUndefined();
        }
      }
    }
  });
});

/** Appends until something fails; what failed may or may not be there. */
async function stubborn(run: Recorded, texts: readonly string[]): Promise<void> {
  try {
    const log = await RecordLog.open(run.sim, '/db');
    for (const text of texts) {
      run.submitted.push(text);
      await log.append(text);
      run.acknowledged.push(run.sim.changeCount);
      if (run.submitted.length % 4 === 0) await log.rotate();
    }
  } catch (error) {
    expect((error as { code?: string }).code).toBe('EIO');
  }
}

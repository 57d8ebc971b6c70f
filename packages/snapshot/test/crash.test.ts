import { Snapshot, type SnapshotWriteOptions } from '@nendb/snapshot';
import { type CrashKind, SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import {
  bytesOf,
  contents,
  DIR,
  header,
  loadedNumber,
  NEWEST,
  putFile,
  readFile,
  write,
} from './fixture.js';
import { MODES, type Mode } from './modes.js';
import { seeds } from './seeds.js';

/** What a machine has promised, by the number of disk changes at that moment. */
interface Promised {
  /** Image `n` was complete under its temporary name, and the log was told. */
  readyAt: number[];
  /** `write` of image `n` had resolved. */
  doneAt: number[];
}

/** Writes images `from` to `to` and says when each was promised. */
async function writeImages(
  sim: SimVfs,
  from: number,
  to: number,
  bytes = 40,
  options: Partial<SnapshotWriteOptions> = {},
): Promise<Promised> {
  const promised: Promised = { readyAt: [], doneAt: [] };
  for (let n = from; n <= to; n++) {
    await write(sim, n, {
      chunks: [contents(n, bytes)],
      ...options,
      beforePublish: async () => {
        promised.readyAt[n] = sim.changeCount;
      },
    });
    promised.doneAt[n] = sim.changeCount;
  }
  return promised;
}

/** The newest image that a list of moments covers at `at`; 0 for none. */
function newestAt(moments: readonly number[], at: number): number {
  let newest = 0;
  moments.forEach((moment, n) => {
    if (moment <= at) newest = n;
  });
  return newest;
}

interface Check {
  kind: CrashKind;
  from?: number;
  samples?: number;
  /** The image that is there where none was promised. */
  floor?: number;
  bytes?: number;
  mode?: Mode;
  /** Looks at the machine as well. */
  alsoCheck?: (after: SimVfs, done: number) => Promise<void>;
}

/** Boots every crash image of `sim` and checks what loading finds against what was promised. */
async function checkCrashes(
  sim: SimVfs,
  { readyAt, doneAt }: Promised,
  options: Check,
): Promise<number> {
  let images = 0;
  for (const { at, image } of sim.crashImages(options)) {
    images++;
    const after = SimVfs.fromImage(image, { seed: 7, record: false });
    const found = await after
      .run(async () => {
        await options.alsoCheck?.(after, newestAt(doneAt, at));
        return loadedNumber(after, options.bytes, options.mode?.read);
      })
      .catch((error) => {
        throw new Error(`${image.label}: ${error}`);
      });
    after.assertClean();
    expect(found, image.label).toBeGreaterThanOrEqual(newestAt(doneAt, at) || (options.floor ?? 0));
    expect(found, image.label).toBeLessThanOrEqual(newestAt(readyAt, at) || (options.floor ?? 0));
  }
  return images;
}

describe('a crash at any moment', () => {
  it.each(['power', 'kill'] as const)(
    'R3: leaves the old image or the new one, never one that the log was not told of (%s)',
    async (kind) => {
      const sim = new SimVfs();
      const promised = await sim.run(() => writeImages(sim, 1, 4));
      sim.assertClean();
      const images = await checkCrashes(sim, promised, { kind });
      expect(images).toBeGreaterThan(kind === 'power' ? 120 : 25);
    },
  );

  it('leaves a whole image of several blocks or none of it', async () => {
    const bytes = 300_000;
    const sim = new SimVfs();
    const promised = await sim.run(() => writeImages(sim, 1, 2, bytes));
    await checkCrashes(sim, promised, { kind: 'power', samples: 2, bytes });
  });

  it.each([
    ['deflated', 1000],
    ['deflated and encrypted', 1000],
  ] as const)(
    'R4: leaves whole images, %s, and with retention the two before the one being written',
    async (name, bytes) => {
      const mode = MODES[name];
      const sim = new SimVfs();
      const promised = await sim.run(() =>
        writeImages(sim, 1, 5, bytes, { ...mode.write, keep: 1 }),
      );
      sim.assertClean();
      let most = 0;
      const images = await checkCrashes(sim, promised, {
        ...{ kind: 'power', mode, bytes, samples: 2 },
        async alsoCheck(after, done) {
          const reports = await Snapshot.verify(DIR, { vfs: after, ...mode.read });
          for (const report of reports) expect(report).toMatchObject({ state: 'valid' });
          const lsns = reports.map(({ info }) => info?.header.lsn);
          if (done > 0) expect(lsns).toContain(done * 10);
          if (done > 1) expect(lsns).toContain(done * 10 - 10);
          most = Math.max(most, lsns.length);
        },
      });
      expect(images).toBeGreaterThan(60);
      // Two roles, one kept, one to be removed next, one whose removal was not on disk yet.
      expect(most).toBe(5);
    },
  );

  it('between the two renames leaves the image that was newest, and load says why', async () => {
    const sim = new SimVfs();
    await sim.run(() => writeImages(sim, 1, 2));
    const renames = sim.changes.flatMap(({ kind, path }, i) =>
      kind === 'rename' && path === NEWEST ? [i + 1] : [],
    );
    expect(renames).toHaveLength(1);
    const image = sim.crashImage({ at: renames[0], choice: 'all' });
    const after = SimVfs.fromImage(image, { seed: 2 });
    await after.run(async () => {
      const loaded = await Snapshot.load(DIR, { vfs: after });
      expect(loaded).toMatchObject({ source: 'bak', header: header(1) });
      expect(loaded?.reason).toBe('nendb.snapshot is missing');
      expect(await bytesOf(loaded!)).toEqual(contents(1));
      await write(after, 3);
      expect(await loadedNumber(after)).toBe(3);
      expect((await Snapshot.list(DIR, { vfs: after })).map(({ header }) => header.lsn)).toEqual([
        30, 10,
      ]);
    });
  });

  it('R4: with a damaged newest image never takes the .bak away', async () => {
    const sim = new SimVfs();
    let from = 0;
    const promised = await sim.run(async () => {
      await writeImages(sim, 1, 2);
      const bytes = await readFile(sim, NEWEST);
      bytes[bytes.length - 60] ^= 4;
      await putFile(sim, NEWEST, bytes);
      sim.flush();
      from = sim.changeCount;
      return writeImages(sim, 3, 4);
    });
    const images = await checkCrashes(sim, promised, { kind: 'power', from, floor: 1 });
    expect(images).toBeGreaterThan(50);
  });

  it.each(seeds)('and at any moment of the write that follows it (%s)', async (_name, seed) => {
    const sim = new SimVfs({ seed });
    const promised = await sim.run(() => writeImages(sim, 1, 3));
    let second = 0;
    const seen = new Set<string>();
    for (const { at, image } of sim.crashImages({ samples: 2, subsetsMax: 16, seen })) {
      const again = SimVfs.fromImage(image, { seed: seed + at });
      const floor = await again.run(() => loadedNumber(again));
      expect(floor).toBeGreaterThanOrEqual(newestAt(promised.doneAt, at));
      const from = again.changeCount;
      const next = await again.run(() => writeImages(again, 4, 4));
      const leftover = [...(await again.run(() => again.readdir(DIR)))];
      expect(
        leftover.filter((name) => name.endsWith('.tmp')),
        image.label,
      ).toEqual([]);
      second += await checkCrashes(again, next, { kind: 'power', from, floor, samples: 2 });
    }
    expect(second).toBeGreaterThan(500);
  });
});

describe('loading', () => {
  it('writes nothing', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      await writeImages(sim, 1, 2);
      const before = sim.changeCount;
      await loadedNumber(sim);
      await Snapshot.verify(DIR, { vfs: sim });
      await Snapshot.list(DIR, { vfs: sim });
      expect(sim.changeCount).toBe(before);
    });
  });
});

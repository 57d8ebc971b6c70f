import { SnapshotError, type SnapshotWriteOptions } from '@nendb/snapshot';
import {
  type FaultError,
  nothingUnsynced,
  type OpKind,
  SimVfs,
  type SyncFailure,
} from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { contents, DIR, loadedNumber, NEWEST, write } from './fixture.js';
import { encryption } from './modes.js';

const BYTES = 300_000;
const OPS: readonly OpKind[] = [
  'open',
  'create',
  'read',
  'write',
  'sync',
  'size',
  'rename',
  'unlink',
  'mkdir',
  'readdir',
  'stat',
  'syncDir',
  'freeBytes',
];

interface Plan {
  op: OpKind;
  error: FaultError;
  takesEffect?: boolean;
  syncFailure?: SyncFailure;
}

/** Makes the nth operation of a write fail, for every n, and checks what is left each time. */
async function sweep(
  plan: Plan,
  options: Partial<SnapshotWriteOptions> = {},
): Promise<{ runs: number; refused: number }> {
  const loaded = (sim: SimVfs) => loadedAny(sim, options);
  let refused = 0;
  for (let nth = 1; ; nth++) {
    const what = `${plan.error} at ${plan.op} ${nth}`;
    const sim = new SimVfs({ record: true, seed: nth });
    const done = await sim.run(async () => {
      for (const n of [0, 1, 2]) await write(sim, n, options);
      // Something for the clean-up to unlink.
      const stale = await sim.open(`${DIR}/nendb.snapshot.${'0'.repeat(32)}.tmp`, 'create');
      await stale.close();
      const before = sim.faults.coverage().get(`error:${plan.op}`) ?? 0;
      sim.faults.failAt({ ...plan, nth });
      let failed: unknown;
      const large = { ...options, chunks: [contents(3, BYTES)] };
      await write(sim, 3, large).catch((error: unknown) => {
        failed = error;
      });
      const fired = (sim.faults.coverage().get(`error:${plan.op}`) ?? 0) > before;
      sim.faults.clear();
      if (failed !== undefined) {
        refused++;
        expect(failed, what).toBeInstanceOf(SnapshotError);
        const { code, message, cause } = failed as SnapshotError;
        expect(code, what).toBe(plan.error === 'ENOSPC' ? 'SNAPSHOT_NO_SPACE' : 'SNAPSHOT_IO');
        expect(message, what).toContain('injected fault');
        expect(cause, what).toMatchObject({ code: plan.error });
      }
      const found = await loaded(sim);
      expect(failed === undefined ? [3] : [2, 3], what).toContain(found);
      const left = (await sim.readdir(DIR)).filter((name) => name.endsWith('.tmp'));
      if (plan.op !== 'unlink' && plan.op !== 'readdir') expect(left.length, what).toBeLessThan(2);

      const cut = SimVfs.fromImage(sim.crashImage({ profile: nothingUnsynced }));
      const survived = await cut.run(() => loaded(cut));
      expect(failed === undefined ? [3] : [2, 3], `${what}, power cut`).toContain(survived);

      await write(sim, 4, options);
      expect(await loaded(sim), what).toBe(4);
      expect(
        (await sim.readdir(DIR)).filter((name) => name.endsWith('.tmp')),
        what,
      ).toEqual([]);
      return !fired;
    });
    sim.assertClean();
    if (done) return { runs: nth - 1, refused };
  }
}

/** Images 3 are larger than the others. */
async function loadedAny(
  sim: SimVfs,
  { encryption: of }: Partial<SnapshotWriteOptions>,
): Promise<number> {
  const size = (await sim.stat(NEWEST))?.size ?? 0;
  return loadedNumber(sim, size > BYTES ? BYTES : undefined, of && { encryption: of });
}

describe('a failure of the system', () => {
  it.each(OPS)(
    'at any %s: the old image or the new one is there, and the next write succeeds',
    async (op) => {
      const { runs } = await sweep({ op, error: 'EIO' });
      if (op !== 'mkdir') expect(runs).toBeGreaterThan(0);
    },
  );

  it.each(['write', 'create', 'sync', 'rename', 'syncDir'] as const)(
    'ENOSPC at any %s is called that',
    async (op) => {
      const { runs, refused } = await sweep({ op, error: 'ENOSPC' });
      expect(runs).toBeGreaterThan(0);
      expect(refused).toBe(runs);
    },
  );

  it.each(['rename', 'unlink', 'syncDir'] as const)(
    'at any %s of an encrypted image with retention: the same',
    async (op) => {
      const { runs } = await sweep({ op, error: 'EIO' }, { encryption, keep: 1 });
      expect(runs).toBeGreaterThan(0);
      if (op === 'rename') expect(runs).toBe(3);
    },
  );

  it('at a rename or an unlink that took effect all the same', async () => {
    expect((await sweep({ op: 'rename', error: 'EIO', takesEffect: true })).runs).toBe(2);
    expect((await sweep({ op: 'unlink', error: 'EIO', takesEffect: true })).runs).toBe(1);
  });

  it.each(['clean-new', 'clean-old', 'partial'] as const)(
    'at any sync, the cache left %s: no image that was not synced is published',
    async (syncFailure) => {
      const { runs } = await sweep({ op: 'sync', error: 'EIO', syncFailure });
      expect(runs).toBeGreaterThan(1);
    },
  );

  it('short writes are written on, whatever their size', async () => {
    for (const bytes of [1, 7, 511, 4096]) {
      const sim = new SimVfs({ record: false });
      await sim.run(async () => {
        sim.faults.limitEachWrite(bytes);
        await write(sim, 1, { chunks: [contents(1, 1000)] });
        expect(await loadedNumber(sim, 1000)).toBe(1);
        sim.assertDurable(NEWEST);
      });
    }
  });

  it('a disk that fills up at any byte leaves the old image', async () => {
    for (let budget = 0; budget < 400; budget += 7) {
      const sim = new SimVfs({ record: false });
      await sim.run(async () => {
        await write(sim, 1);
        sim.faults.limitWrites(budget);
        const error = await write(sim, 2).catch((caught: unknown) => caught);
        sim.faults.clear();
        if (error instanceof SnapshotError) {
          expect(error.code).toBe('SNAPSHOT_NO_SPACE');
          expect(await sim.readdir(DIR)).toEqual(['nendb.snapshot']);
          expect(await loadedNumber(sim)).toBe(1);
        } else {
          expect(budget).toBeGreaterThanOrEqual(96 + 16 + 40 + 40);
          expect(await loadedNumber(sim)).toBe(2);
        }
      });
    }
  });
});

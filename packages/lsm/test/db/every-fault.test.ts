/**
 * Every call of the disk made to fail, one after the other: whoever waited hears a typed error, nothing that was
 * acknowledged is lost, nothing that was not begun appears, and the tree can be opened again.
 */
import { Lsm, LsmError, type LsmOptions } from '@nendb/lsm';
import {
  type FaultError,
  nothingUnsynced,
  type OpKind,
  SimVfs,
  type SyncFailure,
} from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { stateOf, Witness } from './crash-work.js';
import { openSim } from './sim-tree.js';

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
  'lock',
];

const OPTIONS: Partial<LsmOptions> = {
  memtableBytes: 1 << 14,
  blockBytes: 256,
  tableBytes: 1024,
  level0RunsCompact: 2,
  valueLog: { thresholdBytes: 60, fileBytes: 400 },
  manifestGrowthBytes: 500,
};

interface Plan {
  op: OpKind;
  error: FaultError;
  takesEffect?: boolean;
  syncFailure?: SyncFailure;
}

/** Writes, flushes, compacts, copies, checks, reopens. Errors are looked at and survived. */
async function work(sim: SimVfs, errors: unknown[], nth: number): Promise<Witness> {
  const attempt = async (task: () => Promise<unknown>): Promise<void> => {
    await task().catch((error: unknown) => errors.push(error));
  };
  const opened = await openSim(sim, OPTIONS).catch((error: unknown) => error);
  if (!(opened instanceof Lsm)) {
    errors.push(opened);
    return new Witness(sim);
  }
  const witness = new Witness(sim, opened);
  const long = 'long'.repeat(30);
  const writes = async (from: number): Promise<void> => {
    for (let i = from; i < from + 4; i++) {
      await attempt(() => witness.put(`k${i % 5}`, i % 2 === 0 ? `v${i}` : `${long}${i}`));
    }
  };
  await writes(0);
  await attempt(() => witness.db.flush());
  await writes(4);
  await attempt(() => witness.delete('k2'));
  await attempt(() => witness.db.flush());
  await attempt(() => witness.db.settle());
  await attempt(async () => stateOf(witness.db));
  await attempt(() => witness.putBoth('a', 'b', 'both'));
  await attempt(() => witness.db.compact());
  await attempt(() => witness.db.checkpoint(`/copy${nth}`));
  await attempt(() => witness.deleteRange('k0', 'k2'));
  await attempt(() => witness.db.close());
  return witness;
}

/** Makes the nth operation of a life fail, for every n. */
async function sweep(plan: Plan): Promise<number> {
  for (let nth = 1; ; nth++) {
    const what = `${plan.error} at ${plan.op} ${nth}`;
    const sim = new SimVfs({ seed: nth });
    const fired = await sim.run(async () => {
      sim.faults.failAt({ ...plan, nth });
      const errors: unknown[] = [];
      const witness = await work(sim, errors, nth).catch((error: unknown) => {
        throw new Error(`${what}: ${error}`, { cause: error });
      });
      const hit = (sim.faults.coverage().get(`error:${plan.op}`) ?? 0) > 0;
      sim.faults.clear();
      for (const error of errors) {
        expect(error, what).toBeInstanceOf(LsmError);
        expect((error as LsmError).code, what).toMatch(/^LSM_(IO|FULL|POISONED|CLOSED)$/);
      }
      const { from, to } = witness.allowedAt(sim.changeCount);
      const image = sim.crashImage({ profile: nothingUnsynced });
      const again = await openSim(sim, OPTIONS);
      const found = witness.states.lastIndexOf(stateOf(again), to);
      expect(found, `${what}: after opening again`).toBeGreaterThanOrEqual(from);
      expect(await again.verify(), what).toMatchObject({ ok: true });
      await again.close();
      const cut = SimVfs.fromImage(image, { seed: 3, record: false });
      await cut.run(async () => {
        const db = await openSim(cut, OPTIONS);
        const left = witness.states.lastIndexOf(stateOf(db), to);
        expect(left, `${what}: after a power cut`).toBeGreaterThanOrEqual(from);
        await db.close();
      });
      return hit;
    });
    sim.assertClean();
    if (!fired) return nth - 1;
  }
}

describe('a failure of the disk', () => {
  it.each(OPS)(
    'at any %s: a typed error, nothing acknowledged is lost, the tree opens again',
    async (op) => {
      const runs = await sweep({ op, error: 'EIO' });
      expect(runs).toBeGreaterThan(0);
    },
    120_000,
  );

  it.each(['create', 'write', 'sync', 'rename', 'syncDir'] as const)(
    'ENOSPC at any %s: the same',
    async (op) => {
      expect(await sweep({ op, error: 'ENOSPC' })).toBeGreaterThan(0);
    },
    120_000,
  );

  it.each(['clean-old', 'partial'] as const)(
    'at any sync that leaves the cache %s: nothing that was not synced counts',
    async (syncFailure) => {
      expect(await sweep({ op: 'sync', error: 'EIO', syncFailure })).toBeGreaterThan(0);
    },
    120_000,
  );
});

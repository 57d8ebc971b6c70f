/** R10: the first failed write or sync of log, manifest or directory is final: nothing more is written, reads go on. */
import { type Lsm, LsmError, type LsmOptions } from '@nendb/lsm';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { bytes, contents, openSim, text } from './sim-tree.js';

const BIG: Partial<LsmOptions> = { memtableBytes: 1 << 16 };

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'nothing';
  } catch (error) {
    expect(error).toBeInstanceOf(LsmError);
    return (error as LsmError).code;
  }
}

/** Everything that writes is refused, everything that reads works. */
async function expectPoisoned(db: Lsm): Promise<void> {
  const [k, v] = [bytes('k'), bytes('v')];
  const writes = [
    () => db.put(k, v),
    () => db.putSync(k, v),
    () => db.delete(k),
    () => db.deleteRange(k, v),
    () => db.batch().put(k, v).write(),
    () => db.transact((t) => t.put(k, v)),
    () => db.flush(),
    () => db.compact(),
    () => db.sync(),
  ];
  for (const write of writes) expect(await codeOf(write), `${write}`).toBe('LSM_POISONED');
  expect(db.health).toMatchObject({ healthy: false, poisoned: true });
  expect(text(db.get(bytes('before')))).toBe('1');
  expect(contents(db)[0]).toEqual(['before', '1']);
}

describe('R10: poisoned', () => {
  it.each(['write', 'sync'] as const)('by a failed %s of the log', async (op) => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const events: string[] = [];
      const options = { ...BIG, onEvent: ({ type }: { type: string }) => events.push(type) };
      const db = await openSim(sim, options);
      await db.put(bytes('before'), bytes('1'));
      sim.faults.failAt({ op, nth: 1, error: 'EIO' });
      const inFlight = [1, 2, 3].map((n) => db.put(bytes(`lost ${n}`), bytes('1')));
      for (const put of inFlight) expect(await codeOf(() => put)).toBe('LSM_POISONED');
      sim.faults.clear();
      await expectPoisoned(db);
      expect(events).toEqual(['poisoned']);
      await db.close().catch(() => undefined);
      const again = await openSim(sim, BIG);
      expect(text(again.get(bytes('before')))).toBe('1');
      await again.put(bytes('k'), bytes('again'));
      expect(again.health.healthy).toBe(true);
      await again.close();
    });
    sim.assertClean();
  });

  it('by a manifest that cannot be written, nor a new one', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const db = await openSim(sim, BIG);
      await db.put(bytes('before'), bytes('1'));
      sim.faults.failAt({ op: 'write', nth: 1, error: 'EIO', path: '/db/MANIFEST' });
      sim.faults.failAt({ op: 'rename', nth: 1, error: 'EIO' });
      expect(await codeOf(() => db.flush())).toBe('LSM_POISONED');
      sim.faults.clear();
      await expectPoisoned(db);
      await db.close();
      const again = await openSim(sim, BIG);
      expect(contents(again)).toEqual([['before', '1']]);
      await again.close();
    });
    sim.assertClean();
  });

  it('but not by a manifest that fails once: the state goes on in a new one', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const db = await openSim(sim, BIG);
      await db.put(bytes('before'), bytes('1'));
      sim.faults.failAt({ op: 'sync', nth: 1, error: 'EIO', path: '/db/MANIFEST' });
      await db.flush();
      expect(db.stats()).toMatchObject({ flushedSequence: 1, manifestRotations: 2 });
      expect(db.health.healthy).toBe(true);
      sim.faults.assertAllFired();
      sim.faults.clear();
      await db.put(bytes('after'), bytes('2'));
      await db.close();
      const again = await openSim(sim, BIG);
      expect(contents(again).map(([key]) => key)).toEqual(['after', 'before']);
      await again.close();
    });
    sim.assertClean();
  });

  it('nor by a flush that finds the disk full: it is tried again with new files', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const retries: number[] = [];
      const onEvent: LsmOptions['onEvent'] = (event) => {
        if (event.type === 'backgroundError') retries.push(event.retryMs);
      };
      const db = await openSim(sim, { ...BIG, onEvent });
      await db.put(bytes('before'), bytes('1'));
      sim.faults.failAt({ op: 'write', nth: 1, error: 'ENOSPC', path: '/db/00000001.table' });
      expect(await codeOf(() => db.flush())).toBe('LSM_FULL');
      sim.faults.clear();
      expect(db.health).toMatchObject({ healthy: false, poisoned: false, backgroundErrors: 1 });
      await db.put(bytes('k'), bytes('still written'));
      await sim.settle(500);
      expect(retries).toEqual([100]);
      expect(db.health).toMatchObject({ healthy: true, backgroundErrors: 1 });
      expect(db.flushedSequence).toBe(1);
      await db.close();
    });
    sim.assertClean();
  });
});

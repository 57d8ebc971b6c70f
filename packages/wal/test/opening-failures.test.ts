/**
 * Every operation of an opening fails once: the error comes out, no descriptor stays open, and the
 * next opening finds what was there.
 */
import { type OpKind, SimVfs } from '@nendb/vfs/sim';
import type { WalOptions } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { append, appendBatch, Oracle, openSim, verify } from './sim-log.js';

const OPS: OpKind[] = [
  'open',
  'create',
  'read',
  'write',
  'sync',
  'size',
  'rename',
  'unlink',
  'readdir',
  'stat',
  'syncDir',
  'lock',
];

/** A log that was cut, rotated and killed, so that opening it has everything to do. */
async function killed(options: Partial<WalOptions>): Promise<{ sim: SimVfs; oracle: Oracle }> {
  const sim = new SimVfs({ record: false });
  const oracle = new Oracle();
  await sim.run(async () => {
    const { wal } = await openSim(sim, { ...options, sync: 'os' });
    for (let i = 0; i < 6; i++) await append(wal, oracle, 1500);
    sim.faults.failAt({ op: 'unlink', nth: 1, error: 'EIO' });
    oracle.cuts.push({ at: 0, lsn: 3 });
    await wal.truncateBefore(3).catch(() => undefined);
    sim.faults.clear();
    await appendBatch(wal, oracle, [10, 20, 30]);
    const left = await sim.open('/log/0000000000000009.spare', 'create');
    await left.close();
  });
  return { sim, oracle };
}

describe.each(OPS)('when %s fails while the log is opened', (op) => {
  test.each(['EIO', 'ENOSPC'])('with %s, nothing is lost and nothing leaks', async (error) => {
    // With a reserve a full disk need not be noticed: full-disk.test.ts.
    const options = { preallocate: error !== 'ENOSPC' };
    const { sim: before, oracle } = await killed(options);
    const image = before.crashImage({ kind: 'kill' });
    let runs = 0;
    for (let nth = 1; ; nth++) {
      const what = `${error} at ${op} ${nth}`;
      const sim = SimVfs.fromImage(image, { record: false });
      const fired = await sim.run(async () => {
        sim.faults.failAt({ op, nth, error });
        const opened = await openSim(sim, options).catch((cause: unknown) => cause);
        const hit = (sim.faults.coverage().get(`error:${op}`) ?? 0) > 0;
        sim.faults.clear();
        if (!(opened instanceof Error)) {
          await (opened as Awaited<ReturnType<typeof openSim>>).wal.close();
          expect(hit, `${what} went unnoticed`).toBe(false);
        } else {
          expect(opened, what).toHaveProperty('code', error === 'ENOSPC' ? 'WAL_FULL' : error);
        }
        expect(sim.openFiles, what).toEqual([]);
        const { wal, recovery } = await openSim(sim);
        await verify(wal, recovery, oracle, 0, [{ at: 0, lsn: oracle.payloads.length }]);
        await wal.close();
        return hit;
      });
      sim.assertClean();
      if (!fired) break;
      runs++;
    }
    expect(runs).toBeGreaterThan(0);
  });
});

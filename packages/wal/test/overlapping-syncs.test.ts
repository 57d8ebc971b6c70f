/**
 * `appendSync` arrives while a sync of appends is in the pool. The kernel tells each open descriptor
 * of a failed write-back once: had both syncs one descriptor, one of them would succeed although the
 * data is gone, and a lost record would be acknowledged.
 */
import { SimVfs } from '@nendb/vfs/sim';
import { WalError } from '@nendb/wal';
import { expect, test } from 'vitest';
import { append, appendSync, Oracle, openSim, reboot, verify, watch } from './sim-log.js';

test.each(['always', { windowMs: 5 }, { every: 2 }] as const)(
  'R10: under %j a lost write-back is never acknowledged by a sync beside the one that failed',
  async (sync) => {
    let failures = 0;
    for (let nth = 1; nth < 40; nth++) {
      const sim = new SimVfs({ seed: nth });
      const oracle = new Oracle();
      await sim.run(async () => {
        const { wal } = await openSim(sim, { sync, segmentBytesMax: 1 << 16 });
        watch(sim, wal, oracle);
        sim.faults.loseWritebackAt({ nth });
        const pending = [1, 2, 3].map(() =>
          append(wal, oracle, 300).catch((error: unknown) => error),
        );
        // At the end of the turn the three are written, and their sync is in the pool.
        await new Promise<void>((resolve) => sim.timers.turnEnd(resolve));
        for (let i = 0; i < 3; i++) {
          try {
            appendSync(wal, oracle, 50);
          } catch (error) {
            if (!(error instanceof WalError)) throw error;
            failures++;
          }
        }
        await Promise.all(pending);
        await wal.sync().catch(() => undefined);
        if (!wal.health.poisoned) oracle.synced.push({ at: sim.changeCount, lsn: wal.syncedLsn });
        await wal.close().catch(() => undefined);
      });
      sim.assertClean();
      const promises = sync === 'always' ? oracle.durable : oracle.synced;
      const image = sim.crashImage({ kind: 'power', choice: 'none' });
      await reboot(image, {}, async (_sim, wal, recovery) => {
        await verify(wal, recovery, oracle, sim.changeCount, promises);
      });
    }
    if (sync === 'always') expect(failures).toBeGreaterThan(0);
  },
);

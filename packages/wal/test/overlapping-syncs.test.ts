/**
 * `appendSync` arrives while a sync of appends is in the pool. The kernel tells each open descriptor
 * of a failed write-back once: had both syncs one descriptor, one of them would succeed although the
 * data is gone, and a lost record would be acknowledged.
 */

import type { Vfs, VfsFile } from '@nendb/vfs';
import { SimVfs } from '@nendb/vfs/sim';
import { Wal, WalError } from '@nendb/wal';
import { expect, test } from 'vitest';
import { append, appendSync, DIR, Oracle, reboot, SMALL, verify, watch } from './sim-log.js';

/** The disk does a pooled sync at once; the program hears of it a little later, as from a pool. */
function slowPool(sim: SimVfs): Vfs {
  const wrap = (file: VfsFile): VfsFile =>
    new Proxy(file, {
      get(target, key) {
        if (key === 'sync') {
          return async (options?: { dataOnly?: boolean }): Promise<void> => {
            let failure: unknown;
            try {
              target.syncSync(options);
            } catch (error) {
              failure = error;
            }
            await new Promise<void>((resolve) => sim.timers.after(1, resolve));
            if (failure) throw failure;
          };
        }
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  return new Proxy<Vfs>(sim, {
    get(target, key) {
      if (key === 'open')
        return async (...of: Parameters<Vfs['open']>) => wrap(await target.open(...of));
      if (key === 'openSync')
        return (...of: Parameters<Vfs['openSync']>) => wrap(target.openSync(...of));
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test.each(['always', { windowMs: 5 }, { every: 2 }] as const)(
  'R10: under %j a lost write-back is never acknowledged by a sync beside the one that failed',
  async (sync) => {
    let failures = 0;
    for (let nth = 1; nth < 40; nth++) {
      const sim = new SimVfs({ seed: nth });
      const oracle = new Oracle();
      await sim.run(async () => {
        const { wal } = await Wal.open({
          ...SMALL,
          dir: DIR,
          vfs: slowPool(sim),
          sync,
          segmentBytesMax: 1 << 16,
        });
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

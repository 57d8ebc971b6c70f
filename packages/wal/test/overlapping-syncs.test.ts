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

/** When the disk does a pooled sync: when it is asked, as the first or third beside syncs in place, or last. */
type Pace = 'at once' | 'first' | 'third' | 'last';
const PACES: readonly Pace[] = ['at once', 'first', 'third', 'last'];

/**
 * The program hears of a pooled sync a little later, as from a pool: of the first one after `begin`
 * later than of all others that were begun meanwhile.
 */
function slowPool(sim: SimVfs, pace: Pace): { vfs: Vfs; begin: () => void } {
  let waiting: (() => void)[] = [];
  let delayMs = 1;
  let passedBy = { 'at once': 0, first: 0, third: 2, last: Infinity }[pace];
  const doWaiting = (): void => {
    const now = waiting;
    waiting = [];
    for (const work of now) work();
  };
  const wrap = (file: VfsFile): VfsFile =>
    new Proxy(file, {
      get(target, key) {
        if (key === 'sync') {
          return async (options?: { dataOnly?: boolean }): Promise<void> => {
            let failure: unknown;
            waiting.push(() => {
              try {
                target.syncSync(options);
              } catch (error) {
                failure = error;
              }
            });
            if (pace === 'at once') doWaiting();
            const ms = delayMs;
            delayMs = 1;
            await new Promise<void>((resolve) => sim.timers.after(ms, resolve));
            doWaiting();
            if (failure) throw failure;
          };
        }
        if (key === 'syncSync') {
          return (options?: { dataOnly?: boolean }): void => {
            if (passedBy === 0) doWaiting();
            else if (waiting.length > 0) passedBy--;
            target.syncSync(options);
          };
        }
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  const vfs = new Proxy<Vfs>(sim, {
    get(target, key) {
      if (key === 'open')
        return async (...of: Parameters<Vfs['open']>) => wrap(await target.open(...of));
      if (key === 'openSync')
        return (...of: Parameters<Vfs['openSync']>) => wrap(target.openSync(...of));
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const begin = (): void => {
    delayMs = 5;
  };
  return { vfs, begin };
}

const POLICIES = ['always', { windowMs: 5 }, { every: 2 }] as const;
const CASES = POLICIES.flatMap((sync) => PACES.map((pace) => [sync, pace] as const));

test.each(CASES)(
  'R10: under %j a lost write-back is never acknowledged by a sync beside the one that failed, %s',
  async (sync, pace) => {
    let failures = 0;
    for (let nth = 1; nth < 40; nth++) {
      const sim = new SimVfs({ seed: nth, order: 'fifo' });
      const oracle = new Oracle();
      const turn = () => new Promise<void>((resolve) => sim.timers.turnEnd(resolve));
      await sim.run(async () => {
        const { vfs, begin } = slowPool(sim, pace);
        const { wal } = await Wal.open({
          ...SMALL,
          dir: DIR,
          vfs,
          sync,
          segmentBytesMax: 1 << 16,
        });
        watch(sim, wal, oracle);
        begin();
        sim.faults.loseWritebackAt({ nth });
        const pending: Promise<unknown>[] = [];
        const submit = (): void => {
          pending.push(append(wal, oracle, 1500).catch((error: unknown) => error));
        };
        for (let i = 0; i < 3; i++) submit();
        // At the end of the turn they are written, and their sync is in the pool.
        await turn();
        for (let i = 0; i < 3; i++) {
          try {
            appendSync(wal, oracle, 1500);
          } catch (error) {
            if (!(error instanceof WalError)) throw error;
            failures++;
          }
        }
        // What comes now is synced in the pool again, which may still hold the overtaken sync.
        submit();
        await turn();
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

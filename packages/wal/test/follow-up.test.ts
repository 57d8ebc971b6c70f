/** A program that appends, waits and appends again is served at once; all others share syncs. */
import { SimVfs } from '@nendb/vfs/sim';
import type { Wal, WalOptions } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { FOLLOW_RUN_MAX } from '../src/limits.js';
import { DIR, openSim } from './sim-log.js';

const FAST: Partial<WalOptions> = {
  sync: 'always',
  segmentBytesMax: 64 << 20,
  preallocateBytes: 1 << 20,
  inlineSyncMsMax: 1,
};

const record = (bytes = 10) => Buffer.alloc(bytes, 'r');

async function onFastDisk(use: (wal: Wal, sim: SimVfs) => Promise<void>): Promise<void> {
  const sim = new SimVfs({ record: false, order: 'fifo' });
  await sim.run(async () => {
    const { wal } = await openSim(sim, FAST);
    await use(wal, sim);
    await wal.close().catch(() => undefined);
  });
  sim.assertClean();
}

/** Turns of the event loop until it is stopped. */
function countTurns(sim: SimVfs): { turns: number; stop: () => void } {
  let stopped = false;
  const stop = (): void => {
    stopped = true;
  };
  const count = { turns: 0, stop };
  const next = (): void => {
    if (stopped) return;
    count.turns++;
    sim.timers.turnEnd(next);
  };
  sim.timers.turnEnd(next);
  return count;
}

describe('a program that appends, waits, and appends again', () => {
  test('has a sync for each record, and hardly a turn of the event loop', () =>
    onFastDisk(async (wal, sim) => {
      await wal.append(record());
      const before = wal.stats.syncs;
      const count = countTurns(sim);
      for (let i = 0; i < 20; i++) {
        const { segment, offset } = await wal.append(record());
        sim.assertDurable(`${DIR}/${segment}`, { to: offset + 75 });
      }
      expect(count.turns).toBeLessThanOrEqual(2);
      expect(wal.stats.syncs - before).toBe(20);
      count.stop();
    }));

  test('does not starve the event loop', () =>
    onFastDisk(async (wal, sim) => {
      const count = countTurns(sim);
      for (let i = 0; i < 4 * FOLLOW_RUN_MAX; i++) await wal.append(record());
      expect(count.turns).toBeGreaterThanOrEqual(3);
      count.stop();
    }));

  test('is told of a failed write, and of a failed sync', async () => {
    for (const op of ['write', 'sync'] as const) {
      await onFastDisk(async (wal, sim) => {
        await wal.append(record());
        sim.faults.failAt({ op, nth: 1, error: 'EIO' });
        await expect(wal.append(record())).rejects.toMatchObject({ code: 'WAL_OUTCOME_UNKNOWN' });
        await expect(wal.append(record())).rejects.toMatchObject({ code: 'WAL_POISONED' });
        expect(wal.syncedLsn).toBe(1);
      });
    }
  });

  test('may close the log, sync it or append in place before it waits', () =>
    onFastDisk(async (wal) => {
      await wal.append(record());
      const second = wal.append(record());
      const third = wal.appendSync(record());
      expect(third.lsn).toBe(3);
      expect((await second).lsn).toBe(2);
      const fourth = wal.append(record());
      await wal.sync();
      expect(wal.syncedLsn).toBe(4);
      await fourth;
      const fifth = wal.append(record());
      await wal.close();
      expect((await fifth).lsn).toBe(5);
    }));
});

test('records that are appended together share a sync, also behind one that came alone', () =>
  onFastDisk(async (wal) => {
    await wal.append(record());
    const before = wal.stats.syncs;
    await Promise.all(Array.from({ length: 10 }, () => wal.append(record())));
    expect(wal.stats.syncs - before).toBe(1);
  }));

test('many writers share their syncs whenever they began', () =>
  onFastDisk(async (wal) => {
    const before = wal.stats.syncs;
    const writer = async (rounds: number) => {
      for (let i = 0; i < rounds; i++) await wal.append(record());
    };
    await Promise.all(Array.from({ length: 16 }, (_, i) => writer(20 + i)));
    // Twenty rounds of all, then one writer less each time, and the last ones alone.
    expect(wal.stats.syncs - before).toBeLessThanOrEqual(20 + 16);
  }));

test('appends in different callbacks of one turn share a sync', () =>
  onFastDisk(async (wal, sim) => {
    await wal.append(record());
    await new Promise<void>((resolve) => sim.timers.after(1, resolve));
    const before = wal.stats.syncs;
    const all: Promise<unknown>[] = [];
    await new Promise<void>((resolve) => {
      for (let i = 0; i < 5; i++) {
        sim.timers.turnEnd(() => {
          all.push(wal.append(record()));
          if (i === 4) resolve();
        });
      }
    });
    await Promise.all(all);
    expect(wal.stats.syncs - before).toBeLessThanOrEqual(2);
  }));

/**
 * On a fast disk everything these loops wait for was done between promise jobs: `sync` wrote and synced
 * in place, and each sync of an `appendSync` began another run of appends served at once. Timers and
 * sockets of such a program stood still for as long as it went on.
 */
describe.each<[string, (wal: Wal) => Promise<unknown>]>([
  [
    'submits and syncs',
    (wal) => {
      wal.submit(record());
      return wal.sync();
    },
  ],
  [
    'appends and syncs before it waits',
    (wal) => {
      const appended = wal.append(record());
      return wal.sync().then(() => appended);
    },
  ],
  [
    'appends a batch, and syncs',
    (wal) => Promise.all([wal.appendBatch([record(), record()]), wal.sync()]),
  ],
  [
    'appends, and appends a long record in place',
    async (wal) => {
      await wal.append(record());
      wal.appendSync(record(6000));
    },
  ],
])('a program that %s, over and over', (_what, round) => {
  test('does not starve the event loop', () =>
    onFastDisk(async (wal, sim) => {
      const count = countTurns(sim);
      for (let i = 0; i < 2 * FOLLOW_RUN_MAX; i++) await round(wal);
      expect(count.turns).toBeGreaterThanOrEqual(2);
      count.stop();
    }));
});

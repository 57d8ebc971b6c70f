/** The four policies on a virtual clock: when a record is durable, and when a sync comes. */
import { SimVfs } from '@nendb/vfs/sim';
import type { SyncPolicy, Wal, WalOptions } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { DIR, openSim } from './sim-log.js';

const BIG: Partial<WalOptions> = { segmentBytesMax: 64 << 20, preallocateBytes: 1 << 20 };

function run(
  sync: SyncPolicy,
  use: (wal: Wal, sim: SimVfs) => Promise<void>,
  options: Partial<WalOptions> = BIG,
): Promise<void> {
  const sim = new SimVfs({ record: false, order: 'fifo' });
  return sim
    .run(async () => {
      const { wal } = await openSim(sim, { sync, ...options });
      await use(wal, sim);
      await wal.close();
    })
    .then(() => sim.assertClean());
}

/** The same for tests of time: it stands still but for `settle`, and for what `act` waits for. */
async function timed(
  sync: SyncPolicy,
  use: (wal: Wal, sim: SimVfs, act: <T>(work: () => Promise<T>) => Promise<T>) => Promise<void>,
): Promise<void> {
  const sim = new SimVfs({ record: false, order: 'fifo' });
  const { wal } = await sim.run(() => openSim(sim, { sync, ...BIG }));
  await use(wal, sim, (work) => sim.run(work));
  await sim.run(() => wal.close());
  sim.assertClean();
}

const turn = (sim: SimVfs) => new Promise<void>((resolve) => sim.timers.turnEnd(resolve));
const record = (bytes: number) => Buffer.alloc(bytes, 'r');
const newest = (wal: Wal) => `${DIR}/${wal.position.segment}`;

describe('always', () => {
  test('R9: durable is synced, and an acknowledged record survives a power cut', () =>
    run('always', async (wal, sim) => {
      for (let i = 0; i < 5; i++) {
        const { segment, offset } = await wal.append(record(100));
        sim.assertDurable(`${DIR}/${segment}`, { from: offset, to: offset + 164 });
        expect(wal.durableLsn).toBe(wal.syncedLsn);
      }
    }));

  test('records of one turn share one write and one sync', () =>
    run('always', async (wal) => {
      const before = wal.stats;
      await Promise.all(Array.from({ length: 64 }, () => wal.append(record(100))));
      expect(wal.stats.writes - before.writes).toBe(1);
      expect(wal.stats.syncs - before.syncs).toBe(1);
    }));

  test('the next group gathers while a sync runs, and is not acknowledged by it', () =>
    run('always', async (wal, sim) => {
      const first = [wal.append(record(10)), wal.append(record(10))];
      await turn(sim);
      wal.submit(record(10));
      const late = wal.submit(record(10));
      expect(wal.syncedLsn).toBe(0);
      await Promise.all(first);
      expect(wal.durableLsn).toBe(2);
      await wal.whenDurable(late);
      expect(wal.stats.writes).toBe(2);
      expect(wal.stats.syncs).toBe(2);
    }));

  test('on a fast disk a group is synced before the turn is over', () =>
    run(
      'always',
      async (wal, sim) => {
        for (let i = 0; i < 3; i++) wal.submit(record(10));
        sim.timers.turnEnd(() => undefined);
        await turn(sim);
        expect(wal.syncedLsn).toBe(3);
      },
      { ...BIG, inlineSyncMsMax: 1 },
    ));

  test('appendSync returns with everything before it durable, also behind a running sync', () =>
    run('always', async (wal, sim) => {
      const earlier = [wal.append(record(10)), wal.append(record(70_000))];
      await turn(sim);
      const { lsn, segment, offset } = wal.appendSync(record(10));
      expect(lsn).toBe(3);
      expect(wal.durableLsn).toBe(3);
      sim.assertDurable(`${DIR}/${segment}`, { to: offset + 74 });
      await Promise.all(earlier);
    }));

  test('overhead is at most 16 bytes a record in groups of 64', () =>
    run('always', async (wal) => {
      const before = wal.position.offset;
      await Promise.all(Array.from({ length: 64 }, () => wal.append(record(100))));
      expect((wal.position.offset - before) / 64 - 100).toBeLessThanOrEqual(16);
    }));
});

describe('{ windowMs }', () => {
  test('resolves when written; a timer syncs without a further append', () =>
    timed({ windowMs: 10 }, async (wal, sim, act) => {
      await act(() => wal.append(record(100)));
      expect(wal.durableLsn).toBe(1);
      expect(wal.syncedLsn).toBe(0);
      await sim.settle(9);
      expect(wal.syncedLsn).toBe(0);
      await sim.settle(2);
      expect(wal.syncedLsn).toBe(1);
      sim.assertDurable(newest(wal), { to: wal.position.offset });
    }));

  test('no record waits longer than the window and one sync', () =>
    timed({ windowMs: 10 }, async (wal, sim, act) => {
      for (let i = 0; i < 50; i++) {
        await act(() => wal.append(record(10)));
        await sim.settle(1);
        expect(wal.lastLsn - wal.syncedLsn).toBeLessThanOrEqual(12);
      }
      expect(wal.stats.syncs).toBeLessThan(10);
    }));
});

test('a window that ends while a sync runs is synced right after it, without a further append', async () => {
  const sim = new SimVfs({ record: false, order: 'fifo' });
  const open = sim.open.bind(sim);
  sim.open = async (...of) => {
    const file = await open(...of);
    const sync = file.sync.bind(file);
    file.sync = async (options) => {
      await new Promise<void>((resolve) => sim.timers.after(30, resolve));
      await sync(options);
    };
    return file;
  };
  const { wal } = await sim.run(() => openSim(sim, { sync: { windowMs: 10 }, ...BIG }));
  wal.submit(record(10));
  await sim.settle(15);
  // The first window is over, its sync runs until 40 ms; the second one ends before that.
  wal.submit(record(10));
  await sim.settle(20);
  expect(wal.syncedLsn).toBe(0);
  await sim.settle(40);
  expect(wal.syncedLsn).toBe(2);
  await sim.run(() => wal.close());
  sim.assertClean();
});

describe('{ every }', () => {
  test('a sync starts with every n-th record', () =>
    run({ every: 4 }, async (wal, sim) => {
      for (let i = 1; i <= 12; i++) {
        await wal.append(record(10));
        await sim.settle();
        expect(wal.syncedLsn).toBe(i - (i % 4));
      }
    }));
});

/**
 * Syncs of the weaker policies run in the pool, and timers fire between turns of the event loop: a program
 * that appended in place without a pause got one sync, of its first records, however many followed.
 */
describe('a caller that blocks and never lets a turn end', () => {
  test('has never more than twice as many unsynced records as { every } says', () =>
    run({ every: 10 }, async (wal, sim) => {
      for (let i = 1; i <= 100; i++) {
        wal.appendSync(record(i % 3 === 0 ? 5000 : 10));
        expect(wal.lastLsn - wal.syncedLsn).toBeLessThan(20);
      }
      expect(wal.stats.syncs).toBeGreaterThanOrEqual(8);
      sim.assertDurable(newest(wal), { to: 20_000 });
    }));

  test('also where a sync was running when the turn began', () =>
    run({ every: 10 }, async (wal, sim) => {
      for (let i = 1; i <= 10; i++) wal.submit(record(10));
      await turn(sim);
      for (let i = 1; i <= 100; i++) wal.appendSync(record(10));
      expect(wal.lastLsn - wal.syncedLsn).toBeLessThan(20);
    }));

  test('has nothing unsynced for longer than two windows', async () => {
    const sim = new SimVfs({ record: false, order: 'fifo' });
    let nowMs = 0;
    sim.clock.monotonicMs = () => nowMs;
    await sim.run(async () => {
      const { wal } = await openSim(sim, { sync: { windowMs: 10 }, ...BIG });
      for (let i = 1; i <= 100; i++, nowMs++) {
        wal.appendSync(record(10));
        expect(wal.lastLsn - wal.syncedLsn).toBeLessThanOrEqual(20 + 1);
      }
      expect(wal.stats.syncs).toBeLessThan(12);
      await wal.close();
    });
    sim.assertClean();
  });

  test('is not made to sync under a policy that says nothing of when', () =>
    run('os', async (wal) => {
      for (let i = 1; i <= 20; i++) wal.appendSync(record(1 << 20));
      expect(wal.syncedLsn).toBe(0);
    }));
});

describe('os', () => {
  test('R15: nothing is synced but every 8 MiB', () =>
    run('os', async (wal, sim) => {
      const mebibyte = record(1 << 20);
      for (let i = 0; i < 7; i++) await wal.append(mebibyte);
      await sim.settle(1000);
      expect(wal.syncedLsn).toBe(0);
      await wal.append(mebibyte);
      await sim.settle(1000);
      expect(wal.syncedLsn).toBe(8);
    }));
});

describe.each<SyncPolicy>(['always', { windowMs: 1000 }, { every: 1000 }, 'os'])('%j', (sync) => {
  test('R3: sync() covers everything submitted before it', () =>
    run(sync, async (wal, sim) => {
      wal.submit(record(100));
      wal.submit(record(100_000));
      const lsn = wal.submit(record(5));
      const synced = wal.sync();
      wal.submit(record(5));
      await synced;
      expect(wal.syncedLsn).toBeGreaterThanOrEqual(lsn);
      sim.assertDurable(newest(wal), { to: 100_200 });
    }));

  test('onDurable hears each advance once, in order, and may append itself', () =>
    run(sync, async (wal, sim) => {
      const heard: number[] = [];
      const stop = wal.onDurable((lsn) => {
        heard.push(lsn);
        if (lsn === 1) wal.appendSync(record(1));
        if (lsn === 2) wal.submit(record(1));
      });
      await wal.append(record(10));
      await sim.settle();
      expect(heard).toEqual([1, 2, 3]);
      stop();
      await wal.append(record(10));
      expect(heard).toEqual([1, 2, 3]);
    }));

  test('appendSync tells the place of its own record, whatever listeners append meanwhile', () =>
    run(sync, async (wal) => {
      const stop = wal.onDurable(() => {
        stop();
        wal.submit(record(20));
      });
      const told = [10, 6000].map((bytes) => wal.appendSync(record(bytes)));
      await wal.sync();
      const found = new Map<number, number>();
      for await (const { lsn, position } of wal.read()) found.set(lsn, position.offset);
      expect(told.map(({ lsn }) => lsn)).toEqual([1, 3]);
      expect(told.map(({ offset }) => offset)).toEqual([found.get(1), found.get(3)]);
    }));

  test('the buffer is the caller’s again at once', () =>
    run(sync, async (wal) => {
      const bytes = Buffer.from('mine');
      const appended = wal.append(bytes);
      bytes.fill('x');
      await appended;
      for await (const { payload } of wal.read())
        expect(payload).toEqual(new Uint8Array(Buffer.from('mine')));
    }));

  test('close() syncs what is pending and settles every promise', () =>
    run(sync, async (wal, sim) => {
      const pending = [wal.append(record(10)), wal.appendBatch([record(1), record(2)]), wal.sync()];
      const closed = wal.close();
      await expect(wal.append(record(1))).rejects.toMatchObject({ code: 'WAL_CLOSED' });
      await Promise.all([...pending, closed]);
      expect(wal.syncedLsn).toBe(3);
      sim.assertDurable(newest(wal));
    }));

  test('R13: a log that goes idle after a sync is marked, once', () =>
    timed(sync, async (wal, sim, act) => {
      await act(() => wal.append(record(10)));
      await act(() => wal.sync());
      const { offset } = wal.position;
      await sim.settle(150);
      expect(wal.position.offset).toBe(offset);
      await sim.settle(100);
      expect(wal.position.offset).toBe(offset + 64);
      sim.assertDurable(newest(wal), { to: offset + 64 });
      await sim.settle(5000);
      expect(wal.position.offset).toBe(offset + 64);
      await act(() => wal.append(record(10)));
    }));
});

test('pressure: too much waits for the disk, and onDurable tells when it no longer does', () =>
  run(
    'os',
    async (wal, sim) => {
      let told = 0;
      wal.onDurable(() => told++);
      await wal.append(record(3000));
      expect(wal.pressure).toBe(true);
      expect(told).toBe(1);
      await wal.sync();
      await sim.settle();
      expect(wal.pressure).toBe(false);
      expect(told).toBe(2);
    },
    { ...BIG, pendingBytesMax: 2000 },
  ));

test('what is written while a sync runs still counts as pressure when it has ended', () =>
  run(
    'os',
    async (wal, sim) => {
      await wal.append(record(3000));
      const synced = wal.sync();
      await turn(sim);
      wal.submit(record(3000));
      await synced;
      expect(wal.syncedLsn).toBe(1);
      expect(wal.pressure).toBe(true);
      await wal.sync();
      expect(wal.pressure).toBe(false);
    },
    { ...BIG, pendingBytesMax: 2000 },
  ));

test('what a listener throws does not stop the log', async () => {
  const sim = new SimVfs({ record: false });
  await sim.run(async () => {
    const thrown: unknown[] = [];
    const turnEnd = sim.timers.turnEnd;
    sim.timers.turnEnd = (callback) =>
      turnEnd.call(sim.timers, () => {
        try {
          callback();
        } catch (error) {
          thrown.push(error);
        }
      });
    const { wal } = await openSim(sim);
    wal.onDurable(() => {
      throw new Error('mine');
    });
    await wal.append(record(1));
    await wal.append(record(1));
    await wal.close();
    expect(thrown).toEqual([new Error('mine'), new Error('mine')]);
  });
});

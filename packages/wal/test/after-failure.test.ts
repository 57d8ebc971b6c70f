/** A log that has failed, or was closed, or hears its own listeners throw: what each call says then. */
import { SimVfs } from '@nendb/vfs/sim';
import type { Wal } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { append, contents, Oracle, openSim } from './sim-log.js';

type End = 'a failed write' | 'a failed sync' | 'a failed rename' | 'close';

/** Ten records on disk, then the end; what was in the middle of it is in nobody's way. */
async function ended(sim: SimVfs, end: End, oracle: Oracle): Promise<Wal> {
  const { wal } = await openSim(sim, { sync: end === 'a failed sync' ? 'os' : 'always' });
  for (let i = 0; i < 10; i++) await append(wal, oracle, 900);
  await wal.sync();
  if (end === 'close') {
    await wal.close();
    return wal;
  }
  const op = ({ write: 'write', sync: 'sync', rename: 'rename' } as const)[
    end.slice('a failed '.length) as 'write' | 'sync' | 'rename'
  ];
  sim.faults.failAt({ op, nth: 1, error: 'EIO' });
  while (!wal.health.poisoned) {
    await Promise.allSettled([append(wal, oracle, 900), wal.sync()]);
  }
  sim.faults.clear();
  return wal;
}

describe.each<End>(['a failed write', 'a failed sync', 'a failed rename', 'close'])(
  'R10: after %s',
  (end) => {
    const code = end === 'close' ? 'WAL_CLOSED' : 'WAL_POISONED';
    const refused = expect.objectContaining({ name: 'WalError', code });

    test('everything that changes something is refused, at once, and changes nothing', async () => {
      const sim = new SimVfs();
      const oracle = new Oracle();
      await sim.run(async () => {
        const wal = await ended(sim, end, oracle);
        // What was in flight ends.
        await sim.settle(10);
        const changes = sim.changeCount;
        const bytes = Buffer.from('no');
        for (let round = 0; round < 2; round++) {
          await expect(wal.append(bytes)).rejects.toEqual(refused);
          await expect(wal.appendBatch([bytes, bytes])).rejects.toEqual(refused);
          expect(() => wal.appendSync(bytes)).toThrow(refused);
          expect(() => wal.submit(bytes)).toThrow(refused);
          expect(() => wal.submitWritten(bytes)).toThrow(refused);
          expect(() => wal.admit(2)).toThrow(refused);
          expect(() => wal.retain(5)).toThrow(refused);
          await expect(wal.truncateBefore(5)).rejects.toEqual(refused);
          await expect(wal.truncateAfter(5)).rejects.toEqual(refused);
        }
        await sim.settle(1000);
        expect(sim.changeCount).toBe(changes);
        await wal.close();
      });
      sim.assertClean();
    });

    test('what is on the disk can still be read and followed to its end', async () => {
      const sim = new SimVfs();
      const oracle = new Oracle();
      await sim.run(async () => {
        const wal = await ended(sim, end, oracle);
        const texts = oracle.payloads.slice(0, wal.durableLsn);
        expect(texts.length).toBeGreaterThanOrEqual(10);
        expect((await contents(wal)).slice(0, texts.length).map(([, text]) => text)).toEqual(texts);
        const followed: string[] = [];
        const following = (async () => {
          for await (const { payload } of wal.tail({ from: 1 })) followed.push(`${payload}`);
        })();
        if (end === 'close') await following;
        else await expect(following).rejects.toEqual(refused);
        expect(followed.length).toBe(texts.length);
        await wal.whenDurable(wal.durableLsn);
        expect(wal.health.healthy).toBe(false);
        expect(wal.stats).toMatchObject({ leases: 0, durableLsn: texts.length });
        expect(wal.position.lsn).toBe(wal.lastLsn);
        await wal.close();
        await wal.close();
      });
      sim.assertClean();
    });

    test('a lease that was held lets go without a word', async () => {
      const sim = new SimVfs();
      await sim.run(async () => {
        const { wal } = await openSim(sim);
        const oracle = new Oracle();
        for (let i = 0; i < 9; i++) await append(wal, oracle, 900);
        const lease = wal.retain(2);
        await wal.truncateBefore(8);
        if (end !== 'close') sim.faults.failAt({ op: 'write', nth: 1, error: 'EIO' });
        await (end === 'close' ? wal.close() : append(wal, oracle, 5).catch(() => undefined));
        sim.faults.clear();
        lease.advance(6);
        lease.release();
        lease.release();
        await sim.settle(100);
        expect(wal.firstLsn).toBeLessThanOrEqual(2);
        await wal.close();
      });
      sim.assertClean();
    });
  },
);

/** What is thrown at the end of turns, instead of a crash of the process. */
function catchTurnEnds(sim: SimVfs): unknown[] {
  const thrown: unknown[] = [];
  const { turnEnd } = sim.timers;
  sim.timers.turnEnd = (callback) =>
    turnEnd.call(sim.timers, () => {
      try {
        callback();
      } catch (error) {
        thrown.push(error);
      }
    });
  return thrown;
}

test('what a listener throws is an uncaught error of its own, and does not stop the log', async () => {
  const sim = new SimVfs();
  const thrown = catchTurnEnds(sim);
  await sim.run(async () => {
    const oracle = new Oracle();
    const heard: string[] = [];
    const { wal } = await openSim(sim, {
      onEvent: ({ type }) => {
        heard.push(type);
        throw new Error(type);
      },
    });
    wal.onDurable(() => {
      throw new Error('durable');
    });
    const lsns: number[] = [];
    wal.onDurable((lsn) => lsns.push(lsn));
    for (let i = 0; i < 12; i++) await append(wal, oracle, 900);
    const lost = wal.retain(3, {
      bytesMax: 0,
      onLost: () => {
        throw new Error('lost');
      },
    });
    await wal.truncateBefore(9);
    await wal.truncateAfter(11);
    expect(lost.lost).toBe(true);
    expect((await contents(wal)).at(-1)).toEqual([11, oracle.payloads[10]]);
    await append(wal, oracle, 5);
    await wal.close();
    await sim.settle(10);
    expect(lsns).toContain(12);
    expect(new Set(heard)).toEqual(new Set(['synced', 'rotated', 'leaseLost', 'truncated', 'cut']));
    const told = thrown.map((error) => (error as Error).message);
    expect(new Set(told)).toEqual(new Set([...heard, 'durable', 'lost']));
    expect(told.filter((text) => text === 'rotated').length).toBe(
      heard.filter((type) => type === 'rotated').length,
    );
  });
  sim.assertClean();
});

test('a listener that closes the log from its news leaves nothing waiting', async () => {
  for (const news of ['synced', 'rotated', 'truncated', 'cut'] as const) {
    const sim = new SimVfs();
    await sim.run(async () => {
      const oracle = new Oracle();
      let closing: Promise<void> | undefined;
      const { wal } = await openSim(sim, {
        onEvent: ({ type }) => {
          if (type === news) closing ??= wal.close();
        },
      });
      const tail = (async () => {
        for await (const _ of wal.tail({ from: 1 }));
      })();
      const results = await Promise.allSettled([
        ...Array.from({ length: 12 }, () => append(wal, oracle, 900)),
        wal.truncateBefore(8),
        wal.truncateAfter(9),
      ]);
      for (const result of results) {
        if (result.status === 'fulfilled') continue;
        expect(result.reason).toMatchObject({ code: expect.stringMatching(/WAL_(CLOSED|BUSY)/) });
      }
      await closing;
      await wal.close();
      await tail.catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'WAL_TRUNCATED_AWAY' });
      });
      const { wal: again, recovery } = await openSim(sim);
      expect(recovery.verdict).toBe('clean');
      await again.close();
    });
    sim.assertClean();
  }
});

test('R7: what throws in the middle of a write, though it is no I/O, leaves nobody waiting', async () => {
  const sim = new SimVfs();
  await sim.run(async () => {
    const { wal } = await openSim(sim);
    sim.random.uuid = () => {
      throw new Error('no randomness');
    };
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => wal.append(Buffer.alloc(900))),
    );
    const codes = results.map((each) => each.status === 'rejected' && each.reason.code);
    expect(codes).toContain('WAL_POISONED');
    expect(wal.health).toMatchObject({ poisoned: true, lastError: 'no randomness' });
    expect(() => wal.appendSync(Buffer.alloc(1))).toThrow('no randomness');
    await wal.close();
  });
  sim.assertClean();
});

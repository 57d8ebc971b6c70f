/** Following a log while it is written: order, the durable end, many tails, and every way to end. */
import { SimVfs } from '@nendb/vfs/sim';
import type { SyncPolicy, Wal, WalEntry } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { append, appendBatch, Oracle, openSim } from './sim-log.js';

function simulated(use: (sim: SimVfs, oracle: Oracle) => Promise<void>): Promise<void> {
  const sim = new SimVfs({ seed: 4 });
  return sim.run(() => use(sim, new Oracle())).then(() => sim.assertClean());
}

/** Collects what `tail` yields; `done` resolves or rejects as it ends. */
function collect(tail: AsyncGenerator<WalEntry, void>, look?: (entry: WalEntry) => void) {
  const entries: [number, string][] = [];
  const done = (async () => {
    for await (const entry of tail) {
      look?.(entry);
      entries.push([entry.lsn, Buffer.from(entry.payload).toString()]);
    }
  })();
  return { entries, done };
}

const whole = (oracle: Oracle, from = 1): [number, string][] =>
  oracle.payloads.map((text, i): [number, string] => [i + 1, text]).slice(from - 1);

async function write(wal: Wal, oracle: Oracle, records: number): Promise<void> {
  for (let i = 0; i < records; i++) {
    if (i % 5 === 4) await appendBatch(wal, oracle, [10, 700, 0]);
    else if (i % 3 === 1) await append(wal, oracle, 1200);
    else await Promise.all([append(wal, oracle, 30), append(wal, oracle, 300)]);
  }
}

describe('a tail', () => {
  test.each<SyncPolicy>(['always', 'os', { every: 4 }, { windowMs: 5 }])(
    'R9: under %j yields each record once, in order, never beyond durableLsn, over rotations',
    (sync) =>
      simulated(async (sim, oracle) => {
        const { wal } = await openSim(sim, { sync });
        const early = collect(wal.tail({ from: 1 }), ({ lsn }) => {
          expect(lsn).toBeLessThanOrEqual(wal.durableLsn);
        });
        await write(wal, oracle, 12);
        const late = collect(wal.tail({ from: 7 }));
        const next = collect(wal.tail());
        const from = wal.lastLsn + 1;
        await write(wal, oracle, 25);
        expect(wal.stats.rotations).toBeGreaterThan(4);
        await sim.settle(1000);
        expect(early.entries).toEqual(whole(oracle));
        expect(late.entries).toEqual(whole(oracle, 7));
        expect(next.entries).toEqual(whole(oracle, from));
        await append(wal, oracle, 5);
        await wal.close();
        await Promise.all([early.done, late.done, next.done]);
        expect(early.entries).toEqual(whole(oracle));
        expect(next.entries).toEqual(whole(oracle, from));
      }),
  );

  test('waits without a timer or a descriptor moving, and ends when its signal aborts', () =>
    simulated(async (sim, oracle) => {
      const { wal } = await openSim(sim);
      await append(wal, oracle, 10);
      const abort = new AbortController();
      const tail = collect(wal.tail({ from: 1, signal: abort.signal }));
      await sim.settle(1000);
      const before = { ...sim.counts };
      await sim.settle(100_000);
      expect(sim.counts).toEqual(before);
      expect(wal.stats.leases).toBe(1);
      abort.abort();
      await tail.done;
      expect(tail.entries).toEqual(whole(oracle));
      expect(wal.stats.leases).toBe(0);
      await collect(wal.tail({ from: 1, signal: abort.signal })).done;
      await wal.close();
    }));

  test('that is left in the middle lets go of its file and its lease', () =>
    simulated(async (sim, oracle) => {
      const { wal } = await openSim(sim);
      await write(wal, oracle, 8);
      for await (const { lsn } of wal.tail({ from: 1 })) if (lsn === 3) break;
      expect(wal.stats.leases).toBe(0);
      await wal.close();
    }));

  test('answers return while it waits', () =>
    simulated(async (sim, oracle) => {
      const { wal } = await openSim(sim);
      await append(wal, oracle, 10);
      const tail = wal.tail({ from: 2 });
      const next = tail.next();
      await sim.settle(10);
      await tail.return();
      expect(await next).toEqual({ done: true, value: undefined });
      expect(wal.stats.leases).toBe(0);
      await wal.close();
    }));

  test('of a log that fails yields what is durable, then says why', () =>
    simulated(async (sim, oracle) => {
      const { wal } = await openSim(sim);
      const tail = collect(wal.tail({ from: 1 }));
      await append(wal, oracle, 10);
      sim.faults.failAt({ op: 'sync', nth: 1, error: 'EIO' });
      const lost = append(wal, oracle, 20);
      await expect(lost).rejects.toMatchObject({ code: 'WAL_OUTCOME_UNKNOWN' });
      await expect(tail.done).rejects.toMatchObject({ code: 'WAL_POISONED' });
      expect(tail.entries).toEqual(whole(oracle).slice(0, 1));
      sim.faults.clear();
      await wal.close();
    }));

  test('from a place before the log is told where it begins', () =>
    simulated(async (sim, oracle) => {
      const { wal } = await openSim(sim);
      await write(wal, oracle, 12);
      await wal.truncateBefore(wal.lastLsn);
      expect(wal.firstLsn).toBeGreaterThan(1);
      await expect(collect(wal.tail({ from: 1 })).done).rejects.toMatchObject({
        code: 'WAL_TRUNCATED_AWAY',
      });
      expect(() => wal.tail({ from: 0 })).toThrow(
        expect.objectContaining({ code: 'WAL_BAD_OPTION' }),
      );
      await wal.close();
    }));
});

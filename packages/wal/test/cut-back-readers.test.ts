/** Readers and tails while `truncateAfter` takes what they read: told at once, and never of damage. */
import { SimVfs } from '@nendb/vfs/sim';
import type { Wal } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { append, appendBatch, contents, Oracle, openSim } from './sim-log.js';

function simulated(
  use: (sim: SimVfs, wal: Wal, oracle: Oracle) => Promise<void>,
  options: Parameters<typeof openSim>[1] = {},
): Promise<void> {
  const sim = new SimVfs({ seed: 4 });
  return sim
    .run(async () => {
      const { wal } = await openSim(sim, options);
      await use(sim, wal, new Oracle());
      await wal.close();
    })
    .then(() => sim.assertClean());
}

const text = (payload: Uint8Array): string => Buffer.from(payload).toString();

/** Ten small records that share one frame. */
async function frameOfTen(wal: Wal, oracle: Oracle): Promise<void> {
  await Promise.all(Array.from({ length: 10 }, () => append(wal, oracle, 20)));
}

describe('R9: a tail', () => {
  /*
   * The records of a frame were handed out from memory whatever became of the log: beyond a cut they
   * came all the same, and then the tail's own lease threw `WAL_BAD_OPTION`.
   */
  test('that is inside of a frame when it is cut yields nothing that was cut off', () =>
    simulated(async (_sim, wal, oracle) => {
      await frameOfTen(wal, oracle);
      const tail = wal.tail({ from: 1 });
      for (let lsn = 1; lsn <= 3; lsn++) expect((await tail.next()).value?.lsn).toBe(lsn);
      await wal.truncateAfter(5);
      await wal.append(Buffer.from('new'));
      const found: [number, string][] = [];
      for await (const { lsn, payload } of tail) {
        found.push([lsn, text(payload)]);
        if (lsn === 6) break;
      }
      expect(found).toEqual([
        [4, oracle.payloads[3]],
        [5, oracle.payloads[4]],
        [6, 'new'],
      ]);
    }));

  test('that has yielded more than is left is told, whatever else it has in memory', () =>
    simulated(async (_sim, wal, oracle) => {
      await frameOfTen(wal, oracle);
      const tail = wal.tail({ from: 1 });
      for (let lsn = 1; lsn <= 7; lsn++) await tail.next();
      await wal.truncateAfter(5);
      await expect(tail.next()).rejects.toMatchObject({ code: 'WAL_TRUNCATED_AWAY' });
    }));

  test('that was asked for before a cut and begins behind it is told, too', () =>
    simulated(async (_sim, wal, oracle) => {
      await frameOfTen(wal, oracle);
      const tail = wal.tail();
      const other = wal.tail({ from: 4 });
      await wal.truncateAfter(5);
      await expect(tail.next()).rejects.toMatchObject({ code: 'WAL_TRUNCATED_AWAY' });
      expect((await other.next()).value?.lsn).toBe(4);
      await other.return();
    }));

  test('goes on in the middle of its frame where a cut is refused', () =>
    simulated(async (_sim, wal, oracle) => {
      await frameOfTen(wal, oracle);
      await appendBatch(wal, oracle, [5, 5]);
      const tail = wal.tail({ from: 1 });
      await tail.next();
      const cut = wal.truncateAfter(11);
      const next = tail.next();
      await expect(cut).rejects.toMatchObject({ code: 'WAL_BAD_OPTION' });
      expect((await next).value?.lsn).toBe(2);
      for (let lsn = 3; lsn <= 12; lsn++) expect((await tail.next()).value?.lsn).toBe(lsn);
      await tail.return();
    }));

  /* An `AbortSignal` that has aborted does not say so again: the tail slept until the next record. */
  test.each(['abort', 'return'])('ends by %s in the turn in which it begins to wait', (how) =>
    simulated(async (_sim, wal, oracle) => {
      await append(wal, oracle, 5);
      const stop = new AbortController();
      const tail = wal.tail({ signal: stop.signal });
      const next = tail.next();
      if (how === 'abort') stop.abort();
      else void tail.return();
      expect(await next).toEqual({ done: true, value: undefined });
      expect(wal.stats.leases).toBe(0);
    }),
  );
});

describe('R9: a reader', () => {
  test.each([3, 12])(
    'that is before LSN %i when the log is cut behind it sees none beyond',
    (lsn) =>
      simulated(async (_sim, wal, oracle) => {
        await frameOfTen(wal, oracle);
        await appendBatch(wal, oracle, [700, 900]);
        for (let i = 0; i < 6; i++) await append(wal, oracle, 900);
        const reader = wal.read();
        await reader.next();
        await reader.next();
        await wal.truncateAfter(lsn);
        const rest = (async () => {
          let last = 2;
          for await (const entry of reader) {
            last = entry.lsn;
            expect(last).toBeLessThanOrEqual(lsn);
          }
        })();
        await expect(rest).rejects.toMatchObject({ code: 'WAL_TRUNCATED_AWAY' });
        expect(wal.stats.leases).toBe(0);
      }),
  );

  test('of what is left does not notice', () =>
    simulated(async (_sim, wal, oracle) => {
      await frameOfTen(wal, oracle);
      const reader = wal.read({ to: 5 });
      await reader.next();
      await wal.truncateAfter(5);
      for (let lsn = 2; lsn <= 5; lsn++) expect((await reader.next()).value?.lsn).toBe(lsn);
      expect((await reader.next()).done).toBe(true);
    }));

  /*
   * Between the moment at which a cut counts and its end the new segment takes the name of an old one.
   * Who came to it then, by a list made before, was told that the log is damaged.
   */
  test('that begins, or goes on, at any step of a cut is never told of damage', async () => {
    let told = 0;
    let began = 0;
    for (let step = 0; step < 40; step++) {
      await simulated(async (sim, wal, oracle) => {
        for (let i = 0; i < 12; i++) await append(wal, oracle, 900);
        const early = wal.read({ from: 2 });
        for (let i = 0; i < 3; i++) await early.next();
        const cut = wal.truncateAfter(6);
        for (let turn = 0; turn < step; turn++) {
          await new Promise<void>((resolve) => sim.timers.turnEnd(resolve));
        }
        const rest = (async () => {
          for await (const { lsn, payload } of early) expect(text(payload)).toContain(`${lsn}a|`);
        })().catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'WAL_TRUNCATED_AWAY' });
          told++;
        });
        const late: number[] = [];
        for await (const { lsn } of wal.read()) late.push(lsn);
        expect([6, 12]).toContain(late.length);
        began++;
        let visited = 0;
        await wal.replay(1, () => visited++);
        expect([6, 12]).toContain(visited);
        await Promise.all([cut, rest]);
        expect((await contents(wal)).length).toBe(6);
      });
    }
    expect(told).toBeGreaterThan(5);
    expect(began).toBe(40);
  });

  test('R10: of a log whose cut failed half-way is told of the failure, not of damage', async () => {
    let halfWay = 0;
    for (const op of ['rename', 'syncDir', 'open', 'write', 'sync'] as const) {
      for (let nth = 1; nth < 12; nth++) {
        const sim = new SimVfs({ record: false });
        await sim.run(async () => {
          const oracle = new Oracle();
          const { wal } = await openSim(sim);
          for (let i = 0; i < 12; i++) await append(wal, oracle, 900);
          const early = wal.read({ from: 2 });
          await early.next();
          const tail = wal.tail({ from: 3 });
          await tail.next();
          sim.faults.failAt({ op, nth, error: 'EIO' });
          await wal.truncateAfter(6).catch(() => undefined);
          sim.faults.clear();
          const codes = ['WAL_TRUNCATED_AWAY', 'WAL_POISONED'];
          const look = async (work: Promise<unknown>): Promise<void> => {
            await work.catch((error: { code?: string }) => {
              expect(codes).toContain(error.code);
              if (error.code === 'WAL_POISONED') halfWay++;
            });
          };
          await look(contents(wal));
          await look(wal.replay(1, () => undefined));
          await look(early.next().then(() => early.return()));
          if (wal.health.poisoned) {
            await look(
              (async () => {
                for await (const _ of tail);
              })(),
            );
          }
          await tail.return();
          await wal.close();
        });
        sim.assertClean();
      }
    }
    expect(halfWay).toBeGreaterThan(5);
  });
});

test('what the log counts does not go back when it is cut', () =>
  simulated(
    async (_sim, wal, oracle) => {
      for (let i = 0; i < 12; i++) await append(wal, oracle, 900);
      await wal.sync();
      const { writes, syncs, rotations, appends } = wal.stats;
      expect(Math.min(writes, syncs, rotations)).toBeGreaterThan(0);
      await wal.truncateAfter(6);
      const after = wal.stats;
      expect(after.writes).toBeGreaterThanOrEqual(writes);
      expect(after.syncs).toBeGreaterThanOrEqual(syncs);
      expect(after).toMatchObject({ rotations, appends, lastLsn: 6 });
      await append(wal, oracle, 900);
      expect(wal.stats.writes).toBeGreaterThan(writes);
    },
    { sync: 'os' },
  ));

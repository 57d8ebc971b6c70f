/** `truncateAfter`: what stays, what is set aside, the new epoch; and a crash at every step of it. */
import { SimVfs } from '@nendb/vfs/sim';
import { Wal, WalError, type WalEvent } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import {
  append,
  appendBatch,
  contents,
  DIR,
  Oracle,
  openSim,
  reboot,
  replayed,
  SMALL,
} from './sim-log.js';

async function fill(wal: Wal, oracle: Oracle): Promise<void> {
  for (let i = 0; i < 6; i++) await append(wal, oracle, 1000);
  await appendBatch(wal, oracle, [10, 20, 30]);
  for (let i = 0; i < 6; i++) await append(wal, oracle, 900);
}

const LAST = 15;

const texts = (records: readonly [number, string][]): string[] => records.map(([, text]) => text);

describe('truncateAfter', () => {
  // In the first, a middle and the last segment, at their ends, and nothing or everything.
  test.each([0, 1, 2, 3, 5, 6, 9, 10, 12, 14, 15])(
    'R2: at LSN %i keeps exactly what is before it, under a new epoch, and goes on',
    async (lsn) => {
      const sim = new SimVfs();
      await sim.run(async () => {
        const oracle = new Oracle();
        const events: WalEvent[] = [];
        const { wal } = await openSim(sim, { onEvent: (event) => events.push(event) });
        await fill(wal, oracle);
        const { epoch } = wal;
        const cut = await wal.truncateAfter(lsn);
        expect(cut).toMatchObject({ epoch: epoch + 1, lastLsn: lsn });
        expect(wal).toMatchObject({
          epoch: epoch + 1,
          lastLsn: lsn,
          durableLsn: lsn,
          syncedLsn: lsn,
        });
        expect(events.at(-1)).toMatchObject({ type: 'cut', lastLsn: lsn });
        expect(cut.aside.length > 0).toBe(lsn < LAST);
        for (const name of cut.aside) expect(await sim.stat(`${DIR}/${name}`)).toBeDefined();
        expect(texts(await contents(wal))).toEqual(oracle.payloads.slice(0, lsn));
        oracle.payloads.length = lsn;
        const position = await append(wal, oracle, 500);
        expect(position).toMatchObject({ lsn: lsn + 1, epoch: epoch + 1 });
        for (let i = 0; i < 6; i++) await append(wal, oracle, 1000);
        expect(texts(await contents(wal))).toEqual(oracle.payloads);
        await wal.close();
        const { wal: again, recovery } = await openSim(sim);
        expect(recovery).toMatchObject({ verdict: 'clean', lastLsn: lsn + 7, epoch: epoch + 2 });
        expect(texts(await replayed(again))).toEqual(oracle.payloads);
        expect(again.epochs.filter(({ firstLsn }) => firstLsn === lsn + 1)).toEqual([
          { epoch: epoch + 1, firstLsn: lsn + 1 },
        ]);
        await again.close();
        for (const name of cut.aside) expect(await sim.stat(`${DIR}/${name}`)).toBeDefined();
      });
      sim.assertClean();
    },
  );

  test('keeps every byte that it cut off', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const oracle = new Oracle();
      const { wal } = await openSim(sim);
      await fill(wal, oracle);
      const { aside } = await wal.truncateAfter(2);
      let kept = '';
      for (const name of aside) {
        const file = await sim.open(`${DIR}/${name}`, 'read');
        const bytes = Buffer.alloc(await file.size());
        await file.readAt(bytes, 0);
        await file.close();
        kept += bytes.toString('latin1');
      }
      for (const text of oracle.payloads.slice(2)) expect(kept).toContain(text);
      await wal.close();
    });
    sim.assertClean();
  });

  test('refuses places inside a batch, beyond and before the log, and changes nothing', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const oracle = new Oracle();
      const { wal } = await openSim(sim);
      await fill(wal, oracle);
      const names = (await sim.readdir(DIR)).sort();
      for (const lsn of [7, 8, 16, -1, 1.5]) {
        await expect(wal.truncateAfter(lsn)).rejects.toMatchObject({ code: 'WAL_BAD_OPTION' });
      }
      expect((await sim.readdir(DIR)).sort()).toEqual(names);
      await append(wal, oracle, 10);
      await wal.truncateBefore(12);
      await expect(wal.truncateAfter(1)).rejects.toMatchObject({ code: 'WAL_TRUNCATED_AWAY' });
      sim.faults.limitWrites(100);
      await expect(wal.truncateAfter(13)).rejects.toMatchObject({ code: 'WAL_FULL' });
      sim.faults.clear();
      sim.faults.limitWrites(Number.POSITIVE_INFINITY);
      await append(wal, oracle, 10);
      expect(texts(await contents(wal)).at(-1)).toBe(oracle.payloads.at(-1));
      await wal.close();
    });
    sim.assertClean();
  });

  test('refuses appends while it lasts; what was submitted before is cut or kept by its LSN', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const oracle = new Oracle();
      const { wal } = await openSim(sim);
      await append(wal, oracle, 10);
      const pending = append(wal, oracle, 20);
      const cutting = wal.truncateAfter(1);
      await Promise.resolve();
      await expect(wal.append(Buffer.from('no'))).rejects.toMatchObject({ code: 'WAL_BUSY' });
      await cutting;
      await pending;
      expect((await wal.append(Buffer.from('yes'))).lsn).toBe(2);
      await wal.close();
    });
    sim.assertClean();
  });

  test('tells tails, readers and leases beyond it, and lets the others go on', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const oracle = new Oracle();
      const { wal } = await openSim(sim);
      await fill(wal, oracle);
      const reader = wal.read();
      await reader.next();
      const behind = wal.tail({ from: 2 });
      await behind.next();
      const atEnd = wal.tail({ from: LAST });
      await atEnd.next();
      const kept = wal.retain(4);
      const lost = wal.retain(12);
      await wal.truncateAfter(5);
      expect([kept.lost, lost.lost]).toEqual([false, true]);
      await expect(atEnd.next()).rejects.toMatchObject({ code: 'WAL_TRUNCATED_AWAY' });
      const rest = (async () => {
        for await (const _ of reader);
      })();
      await expect(rest).rejects.toMatchObject({ code: 'WAL_TRUNCATED_AWAY' });
      await wal.append(Buffer.from('new'));
      const found: string[] = [];
      for await (const { lsn, payload } of behind) {
        found.push(Buffer.from(payload).toString());
        if (lsn === 6) break;
      }
      expect(found).toEqual([...oracle.payloads.slice(2, 5), 'new']);
      kept.release();
      await wal.close();
    });
    sim.assertClean();
  });

  test.each([0, 5, 13])(
    'R2, R14: at LSN %i, with a crash at any step, leaves the log as it was or cut',
    async (lsn) => {
      const sim = new SimVfs({ seed: lsn });
      const oracle = new Oracle();
      let from = 0;
      let done = 0;
      await sim.run(async () => {
        const { wal } = await openSim(sim);
        await fill(wal, oracle);
        from = sim.changeCount;
        await wal.truncateAfter(lsn);
        done = sim.changeCount;
        await wal.append(Buffer.from('after'));
        await wal.close();
      });
      const outcomes = new Set<string>();
      for (const kind of ['power', 'kill'] as const) {
        const seen = new Set<string>();
        for (const { at, image } of sim.crashImages({ kind, from, samples: 1, subsetsMax: 2 })) {
          const after = await reboot(
            image,
            {},
            async (_sim, wal, recovery) => {
              const found = texts(await replayed(wal));
              const cut = recovery.lastLsn <= lsn + 1;
              outcomes.add(cut ? 'cut' : 'whole');
              if (cut)
                expect(found).toEqual(
                  [...oracle.payloads.slice(0, lsn), 'after'].slice(0, found.length),
                );
              else expect(found).toEqual(oracle.payloads);
              if (at >= done) expect(cut).toBe(true);
              if (cut) expect(found.length).toBeGreaterThanOrEqual(lsn);
              expect(recovery.epoch).toBeGreaterThan(cut ? 2 : 1);
            },
            at % 5 === 0,
          );
          if (at % 5 !== 0) continue;
          for (const nested of after.crashImages({ kind, samples: 1, subsetsMax: 1, seen })) {
            await reboot(nested.image, {}, async (_sim, wal) => {
              const found = texts(await replayed(wal));
              const whole = found.join() === oracle.payloads.join();
              const expected = [...oracle.payloads.slice(0, lsn), 'after'];
              expect(whole || found.join() === expected.slice(0, found.length).join()).toBe(true);
            });
          }
        }
      }
      expect([...outcomes].sort()).toEqual(['cut', 'whole']);
    },
  );

  test('R10: with any step failing, leaves a log that opens as it was or cut', async () => {
    for (const op of ['write', 'sync', 'rename', 'syncDir', 'open', 'unlink'] as const) {
      for (let nth = 1; nth < 100; nth++) {
        const sim = new SimVfs({ record: false });
        const oracle = new Oracle();
        const fired = await sim.run(async () => {
          const { wal } = await openSim(sim);
          await fill(wal, oracle);
          sim.faults.failAt({ op, nth, error: 'EIO' });
          let failed = false;
          try {
            await wal.truncateAfter(4);
          } catch (error) {
            failed = true;
            if (!(error instanceof Error)) throw error;
            if (error instanceof WalError) expect(error.code).toMatch(/^WAL_/);
          }
          const hit = (sim.faults.coverage().get(`error:${op}`) ?? 0) > 0;
          sim.faults.clear();
          if (!wal.health.poisoned) await wal.append(Buffer.from('on'));
          await wal.close();
          expect(hit || !failed).toBe(true);
          return hit;
        });
        sim.assertClean();
        if (!fired) break;
        await sim.run(async () => {
          const { wal } = await Wal.open({ dir: DIR, vfs: sim, ...SMALL });
          const found = texts(await replayed(wal));
          const cut = [...oracle.payloads.slice(0, 4), 'on'].slice(0, found.length);
          const whole = [...oracle.payloads, 'on'].slice(0, found.length);
          expect([cut.join(), whole.join()]).toContain(found.join());
          expect([4, 5, LAST, LAST + 1]).toContain(found.length);
          await wal.close();
        });
      }
    }
  });
});

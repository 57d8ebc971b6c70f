/** Leases: what they keep, what they cost at most, and who hears when one is lost (R4). */
import { SimVfs } from '@nendb/vfs/sim';
import type { WalEvent } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { append, contents, Oracle, openSim, SMALL } from './sim-log.js';

function simulated(use: (sim: SimVfs, oracle: Oracle) => Promise<void>): Promise<void> {
  const sim = new SimVfs();
  return sim.run(() => use(sim, new Oracle())).then(() => sim.assertClean());
}

async function fill(
  wal: Awaited<ReturnType<typeof openSim>>['wal'],
  oracle: Oracle,
  records = 20,
): Promise<void> {
  for (let i = 0; i < records; i++) await append(wal, oracle, 1000);
}

describe('R4: a lease', () => {
  test('keeps its records, and what it held back goes when it moves or is released', () =>
    simulated(async (sim, oracle) => {
      const { wal } = await openSim(sim);
      await fill(wal, oracle);
      const lease = wal.retain(5);
      const other = wal.retain(12);
      await wal.truncateBefore(18);
      expect(wal.firstLsn).toBeLessThanOrEqual(5);
      const held = wal.firstLsn;
      expect((await contents(wal)).map(([, text]) => text)).toEqual(
        oracle.payloads.slice(held - 1),
      );
      lease.advance(11);
      await sim.settle();
      expect(wal.firstLsn).toBeGreaterThan(held);
      expect(wal.firstLsn).toBeLessThanOrEqual(11);
      lease.release();
      lease.release();
      await sim.settle();
      expect(wal.firstLsn).toBeLessThanOrEqual(12);
      other.release();
      await sim.settle();
      expect(wal.firstLsn).toBeGreaterThan(12);
      expect(wal.firstLsn).toBeLessThanOrEqual(18);
      expect(wal.stats.leases).toBe(0);
      await wal.close();
    }));

  test('of a dead reader costs at most its limit: it is lost, and its holder told', () =>
    simulated(async (sim, oracle) => {
      const events: WalEvent[] = [];
      const { wal } = await openSim(sim, { onEvent: (event) => events.push(event) });
      await fill(wal, oracle, 3);
      let told = 0;
      const dead = wal.retain(1, { bytesMax: 3 * SMALL.segmentBytesMax!, onLost: () => told++ });
      const alive = wal.retain(2);
      for (let i = 0; i < 10; i++) {
        await fill(wal, oracle, 3);
        if (!alive.lost) alive.advance(wal.lastLsn);
        await wal.truncateBefore(wal.lastLsn);
        expect(wal.stats.bytes).toBeLessThanOrEqual(6 * SMALL.segmentBytesMax!);
      }
      expect(dead.lost).toBe(true);
      expect(alive.lost).toBe(false);
      expect(told).toBe(1);
      expect(events.filter(({ type }) => type === 'leaseLost')).toHaveLength(1);
      expect(() => dead.advance(9)).toThrow(expect.objectContaining({ code: 'WAL_LEASE_LOST' }));
      dead.release();
      expect(wal.firstLsn).toBeGreaterThan(20);
      await wal.close();
    }));

  test('refuses what is gone, what is to come, and going back', () =>
    simulated(async (sim, oracle) => {
      const { wal } = await openSim(sim);
      await fill(wal, oracle);
      await wal.truncateBefore(10);
      const code = (code: string) => expect.objectContaining({ code });
      expect(() => wal.retain(1)).toThrow(code('WAL_TRUNCATED_AWAY'));
      expect(() => wal.retain(wal.lastLsn + 2)).toThrow(code('WAL_BAD_OPTION'));
      expect(() => wal.retain(15, { bytesMax: -1 })).toThrow(code('WAL_BAD_OPTION'));
      const lease = wal.retain(wal.lastLsn + 1);
      expect(() => lease.advance(3)).toThrow(code('WAL_BAD_OPTION'));
      lease.release();
      expect(() => lease.advance(wal.lastLsn + 1)).toThrow(code('WAL_LEASE_LOST'));
      await wal.close();
    }));

  test('is held by readers and tails: a truncation does not pull the log from under them', () =>
    simulated(async (sim, oracle) => {
      const { wal } = await openSim(sim);
      await fill(wal, oracle);
      const reader = wal.read({ from: 2 });
      const tail = wal.tail({ from: 3 });
      expect((await reader.next()).value?.lsn).toBe(2);
      expect((await tail.next()).value?.lsn).toBe(3);
      await wal.truncateBefore(19);
      expect(wal.firstLsn).toBe(1);
      let lsn = 2;
      for await (const entry of reader) expect(entry.lsn).toBe(++lsn);
      expect(lsn).toBe(20);
      await sim.settle();
      expect(wal.firstLsn).toBeLessThanOrEqual(3);
      for (let at = 4; at <= 20; at++) expect((await tail.next()).value?.lsn).toBe(at);
      await append(wal, oracle, 5);
      expect((await tail.next()).value?.lsn).toBe(21);
      await sim.settle();
      expect(wal.firstLsn).toBeGreaterThan(15);
      await tail.return();
      await wal.close();
    }));

  test('of a tail that is too slow is lost; it hears when it needs what is gone', () =>
    simulated(async (sim, oracle) => {
      const { wal } = await openSim(sim, { leaseBytesMax: 5000 });
      await fill(wal, oracle);
      const tail = wal.tail({ from: 1 });
      await tail.next();
      await wal.truncateBefore(19);
      expect(wal.firstLsn).toBeGreaterThan(10);
      const rest = (async () => {
        for await (const { lsn } of tail) expect(lsn).toBeLessThan(5);
      })();
      await expect(rest).rejects.toMatchObject({ code: 'WAL_TRUNCATED_AWAY' });
      await wal.close();
    }));
});

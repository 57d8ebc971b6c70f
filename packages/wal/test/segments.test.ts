/** Rotation, truncation, epochs: what a log's files do while it lives. */
import { SimVfs } from '@nendb/vfs/sim';
import type { WalEvent } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { append, contents, DIR, Oracle, openSim } from './sim-log.js';

function simulated(use: (sim: SimVfs, oracle: Oracle) => Promise<void>): Promise<void> {
  const sim = new SimVfs();
  return sim.run(() => use(sim, new Oracle())).then(() => sim.assertClean());
}

const files = async (sim: SimVfs, suffix: string) =>
  (await sim.readdir(DIR)).filter((name) => name.endsWith(suffix)).sort();

const segment = (n: number) => `${String(n).padStart(16, '0')}.wal`;

describe('rotation', () => {
  test('R15: successor named and synced, then the synced trailer, then a frame in the successor', () =>
    simulated(async (sim, oracle) => {
      const { wal } = await openSim(sim, { inlineSyncMsMax: 1 });
      await append(wal, oracle, 2000);
      const from = sim.changeCount;
      await append(wal, oracle, 2000);
      expect(wal.stats.rotations).toBe(1);
      const steps = sim.changes
        .slice(from)
        .map(({ kind, path }) => `${kind} ${path.slice(DIR.length + 1)}`);
      // A descriptor is called by the name it was opened under; syncs in place have their own.
      const old = segment(1).replace('.wal', '.tmp');
      const spare = segment(2).replace('.wal', '.spare');
      const at = (step: string, after = -1) => steps.findIndex((s, i) => i > after && s === step);
      const renamed = steps.findIndex((step) => step.startsWith('rename'));
      expect(at(`sync ${spare}`)).toBeGreaterThan(-1);
      expect(at(`sync ${spare}`)).toBeLessThan(renamed);
      const named = steps.findIndex((step) => step.startsWith('syncDir'));
      expect(named).toBeGreaterThan(renamed);
      const trailer = at(`write ${old}`, named);
      expect(trailer).toBeGreaterThan(named);
      const sealed = at(`sync ${segment(1)}`, trailer);
      expect(sealed).toBeGreaterThan(trailer);
      const lastWrite = steps.findLastIndex((step) => step.startsWith('write'));
      expect(lastWrite).toBeGreaterThan(sealed);
      await wal.close();
    }));

  test('a segment is sealed before it grows beyond its limit, and the next one is built ahead', () =>
    simulated(async (sim, oracle) => {
      const { wal } = await openSim(sim);
      for (let i = 0; i < 40; i++) await append(wal, oracle, 50 + ((i * 97) % 1500));
      expect((await files(sim, '.spare')).length).toBeLessThanOrEqual(1);
      await wal.close();
      const names = await files(sim, '.wal');
      expect(names.length).toBeGreaterThan(8);
      for (const name of names) {
        expect((await sim.stat(`${DIR}/${name}`))?.size).toBeLessThanOrEqual(4096);
      }
      expect(await files(sim, '.spare')).toEqual([]);
    }));

  test('several rotations queue up in one turn and keep the order', () =>
    simulated(async (sim, oracle) => {
      const { wal } = await openSim(sim);
      const positions = await Promise.all(
        Array.from({ length: 60 }, (_, i) => append(wal, oracle, 300 + i * 20)),
      );
      expect(positions.map(({ lsn }) => lsn)).toEqual(positions.map((_, i) => i + 1));
      expect(wal.stats.rotations).toBeGreaterThan(8);
      expect((await contents(wal)).map(([, text]) => text)).toEqual(oracle.payloads);
      for await (const { lsn, position } of wal.read()) {
        expect(position).toMatchObject({ lsn });
        const told = positions[lsn - 1];
        expect([position.segment, position.offset]).toEqual([told.segment, told.offset]);
      }
      await wal.close();
    }));

  test('appendSync finishes a rotation that has begun in the pool', () =>
    simulated(async (sim, oracle) => {
      const { wal } = await openSim(sim);
      const pending = Array.from({ length: 12 }, () => append(wal, oracle, 1500));
      for (let turns = 0; turns < 6; turns++) {
        await new Promise<void>((resolve) => sim.timers.turnEnd(resolve));
        const position = wal.appendSync(oracle.send(700));
        oracle.sent(wal);
        expect(wal.syncedLsn).toBe(position.lsn);
        sim.assertDurable(`${DIR}/${position.segment}`, { to: position.offset + 700 });
      }
      await Promise.all(pending);
      await wal.close();
      const { wal: again, recovery } = await openSim(sim);
      expect(recovery.verdict).toBe('clean');
      expect((await contents(again)).map(([, text]) => text)).toEqual(oracle.payloads);
      await again.close();
    }));
});

describe('truncation', () => {
  test('R4: whole segments go, oldest first, never one with a record that is kept', () =>
    simulated(async (sim, oracle) => {
      const events: WalEvent[] = [];
      const { wal } = await openSim(sim, { onEvent: (event) => events.push(event) });
      for (let i = 0; i < 10; i++) await append(wal, oracle, 1500);
      const before = await files(sim, '.wal');
      expect(before).toEqual([1, 2, 3, 4, 5].map(segment));
      await wal.truncateBefore(6);
      expect(await files(sim, '.wal')).toEqual([3, 4, 5].map(segment));
      expect(wal.firstLsn).toBe(5);
      expect(events.at(-1)).toEqual({
        type: 'truncated',
        segments: [1, 2].map(segment),
        firstLsn: 5,
      });
      await wal.truncateBefore(6);
      await wal.truncateBefore(1_000_000);
      expect(await files(sim, '.wal')).toEqual([segment(5)]);
      expect(wal.firstLsn).toBe(9);
      await expect(wal.read({ from: 8 }).next()).rejects.toMatchObject({
        code: 'WAL_TRUNCATED_AWAY',
      });
      await expect(wal.replay(8, () => undefined)).rejects.toMatchObject({
        code: 'WAL_TRUNCATED_AWAY',
      });
      expect((await contents(wal)).map(([lsn]) => lsn)).toEqual([9, 10]);
      await wal.close();
    }));

  test('R4: a reader that is overtaken hears so', () =>
    simulated(async (sim, oracle) => {
      const { wal } = await openSim(sim, { leaseBytesMax: 0 });
      for (let i = 0; i < 10; i++) await append(wal, oracle, 1500);
      const reader = wal.read();
      expect((await reader.next()).value?.lsn).toBe(1);
      await wal.truncateBefore(9);
      const rest = async () => {
        for await (const entry of reader) expect(entry.lsn).toBeLessThan(9);
      };
      await expect(rest()).rejects.toMatchObject({ code: 'WAL_TRUNCATED_AWAY' });
      await wal.close();
    }));

  test('R4: files that a crash left below the first segment are removed by the next opening', () =>
    simulated(async (sim, oracle) => {
      const { wal } = await openSim(sim);
      for (let i = 0; i < 6; i++) await append(wal, oracle, 1500);
      sim.faults.failAt({ op: 'unlink', nth: 1, error: 'EIO', sticky: true });
      await expect(wal.truncateBefore(5)).rejects.toMatchObject({ code: 'EIO' });
      expect(wal.health.healthy).toBe(true);
      sim.faults.clear();
      await wal.close();
      expect(await files(sim, '.wal')).toEqual([1, 2, 3].map(segment));
      const { wal: again, recovery } = await openSim(sim);
      expect(recovery.firstLsn).toBe(5);
      expect(await files(sim, '.wal')).toEqual([3, 4].map(segment));
      await again.close();
    }));
});

describe('epochs', () => {
  test('R2: every opening has a later one, whether or not it writes; LSNs go on', () =>
    simulated(async (sim, oracle) => {
      for (let life = 1; life <= 6; life++) {
        const { wal, recovery } = await openSim(sim);
        expect(recovery.epoch).toBe(life);
        expect(wal.epoch).toBe(life);
        if (life % 2 === 0) {
          const { lsn, epoch } = await append(wal, oracle, 10);
          expect([lsn, epoch]).toEqual([life / 2, life]);
        }
        await wal.close();
      }
      // Openings that wrote nothing leave no file behind.
      expect(await files(sim, '.wal')).toEqual([1, 2, 3].map(segment));
    }));

  test('R2: the history survives truncation, and names the epoch of every record', () =>
    simulated(async (sim, oracle) => {
      for (let life = 1; life <= 4; life++) {
        const { wal } = await openSim(sim);
        await append(wal, oracle, 1500);
        await append(wal, oracle, 1500);
        await append(wal, oracle, 1500);
        await wal.close();
      }
      const { wal } = await openSim(sim);
      await wal.truncateBefore(12);
      const expected = [1, 2, 3, 4, 5].map((epoch) => ({ epoch, firstLsn: epoch * 3 - 2 }));
      expect(wal.epochs).toEqual(expected);
      for await (const { lsn, position } of wal.read()) {
        expect(position.epoch).toBe(Math.ceil(lsn / 3));
      }
      await wal.close();
      const { wal: again } = await openSim(sim);
      expect(again.epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 6]);
      await again.close();
    }));

  test('R2: epochMin is obeyed, and never goes back', () =>
    simulated(async (sim) => {
      for (const [epochMin, expected] of [
        [1, 1],
        [10, 10],
        [5, 11],
        [12, 12],
      ]) {
        const { wal, recovery } = await openSim(sim, { epochMin });
        expect(recovery.epoch).toBe(expected);
        await wal.close();
      }
    }));

  test('R12: database time never goes back, not even over a restart with an earlier clock', async () => {
    let sim = new SimVfs();
    let newest = 0;
    for (let life = 0; life < 3; life++) {
      await sim.run(async () => {
        const { wal, recovery } = await openSim(sim);
        expect(recovery.databaseTimeMs).toBe(newest);
        await wal.append(Buffer.from('x'));
        for await (const { databaseTimeMs } of wal.read({ from: wal.lastLsn })) {
          expect(databaseTimeMs).toBeGreaterThanOrEqual(newest);
          newest = databaseTimeMs;
        }
      });
      sim = SimVfs.fromImage(sim.crashImage({ kind: 'kill' }), { wallMs: 1_000_000 });
    }
    expect(newest).toBeGreaterThan(Date.UTC(2025, 0, 1));
  });
});

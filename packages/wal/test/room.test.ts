/** Who makes room on the disk, and when: the one who appends only where nobody could do it before. */
import { SimVfs } from '@nendb/vfs/sim';
import type { Wal } from '@nendb/wal';
import { expect, test } from 'vitest';
import { AHEAD_BYTES_MAX, IDLE_MARK_MS, REST_MS } from '../src/limits.js';
import { DIR, openSim } from './sim-log.js';

const MiB = 1024 * 1024;

async function withRoom(
  use: (wal: Wal, sim: SimVfs) => Promise<void>,
  preallocateBytes = 64 * 1024,
): Promise<void> {
  const sim = new SimVfs({ record: false, order: 'fifo' });
  await sim.run(async () => {
    const { wal } = await openSim(sim, { segmentBytesMax: 4 * MiB, preallocateBytes });
    await use(wal, sim);
    await wal.close().catch(() => undefined);
  });
  sim.assertClean();
}

const rest = (sim: SimVfs) =>
  new Promise<void>((resolve) => sim.timers.after(2 * IDLE_MARK_MS, resolve));
const record = () => Buffer.alloc(10_000, 'r');
const sizeOf = async (sim: SimVfs, wal: Wal): Promise<number> =>
  (await sim.stat(`${DIR}/${wal.position.segment}`))?.size ?? 0;

test('while the log rests as much is reserved as was written, and synced', () =>
  withRoom(async (wal, sim) => {
    for (let i = 0; i < 50; i++) await wal.append(record());
    await rest(sim);
    const { segment, offset } = wal.position;
    const size = await sizeOf(sim, wal);
    expect(size - offset).toBeGreaterThanOrEqual(500_000);
    expect(size - offset).toBeLessThan(700_000);
    expect(500_000).toBeLessThan(AHEAD_BYTES_MAX);
    sim.assertDurable(`${DIR}/${segment}`, { to: size });
  }));

test('a burst after a rest writes records and nothing else', () =>
  withRoom(async (wal, sim) => {
    for (let i = 0; i < 50; i++) await wal.append(record());
    await rest(sim);
    const before = sim.counts.write;
    for (let i = 0; i < 40; i++) await wal.append(record());
    expect(sim.counts.write - before).toBe(40);
  }));

test('a rest in an empty or small log reserves little', () =>
  withRoom(async (wal, sim) => {
    await rest(sim);
    await wal.append(Buffer.from('one'));
    await rest(sim);
    expect(await sizeOf(sim, wal)).toBeLessThanOrEqual(2 * 64 * 1024);
  }));

test('a log that is closed while it makes room ends with its trailer', async () => {
  for (let turns = 0; turns < 12; turns++) {
    const sim = new SimVfs({ record: false, seed: turns });
    await sim.run(async () => {
      const { wal } = await openSim(sim, { segmentBytesMax: 4 * MiB, preallocateBytes: 64 * 1024 });
      for (let i = 0; i < 50; i++) await wal.append(record());
      await new Promise<void>((resolve) => sim.timers.after(REST_MS, resolve));
      for (let i = 0; i < turns; i++) {
        await new Promise<void>((resolve) => sim.timers.turnEnd(resolve));
      }
      const { segment, offset } = wal.position;
      await wal.close();
      const { size } = (await sim.stat(`${DIR}/${segment}`)) ?? { size: 0 };
      expect(size).toBeGreaterThan(offset);
      expect(size - offset).toBeLessThan(1000);
    });
    sim.assertClean();
  }
});

test('the successor is filled while the segment is, and is ready when it is full', () =>
  withRoom(async (wal, sim) => {
    while (wal.position.offset < 3.9 * MiB) await wal.append(record());
    const spare = (await sim.readdir(DIR)).find((name) => name.endsWith('.spare'));
    expect((await sim.stat(`${DIR}/${spare}`))?.size).toBeGreaterThan(3 * MiB);
    while (wal.stats.rotations === 0) await wal.append(record());
    const before = sim.counts.write;
    // Up to the middle of the segment, where the next successor begins.
    for (let i = 0; i < 100; i++) await wal.append(record());
    expect(sim.counts.write - before).toBe(100);
  }));

test('R7: a disk that fails half-way through a reservation refuses the record before it has an LSN', () =>
  withRoom(async (wal, sim) => {
    await wal.append(record());
    sim.faults.failAt({ op: 'write', nth: 2, error: 'EIO' });
    // A little more than what is left: the first piece would be room enough.
    expect(() => wal.admit(MiB - record().length)).toThrow(
      expect.objectContaining({ code: 'WAL_POISONED' }),
    );
    expect(wal.lastLsn).toBe(1);
  }, 1 * MiB));

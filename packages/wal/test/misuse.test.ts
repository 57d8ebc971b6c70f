import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { Wal, type WalOptions } from '../src/index.js';

const bytes = (text: string) => Buffer.from(text);

async function withLog(
  options: Partial<WalOptions>,
  body: (wal: Wal, sim: SimVfs) => Promise<void>,
): Promise<void> {
  const sim = new SimVfs({ seed: 5 });
  await sim.run(async () => {
    const { wal } = await Wal.open({ dir: '/log', vfs: sim, ...options });
    await body(wal, sim);
    await wal.close();
  });
}

describe('what is no record', () => {
  const wrong = [
    'hello',
    new Uint16Array([300, 301]),
    [1, 2],
    5,
    new ArrayBuffer(3),
    undefined,
    null,
  ];

  it('is refused by every way to append, and takes no LSN', async () => {
    await withLog({}, async (wal) => {
      for (const value of wrong) {
        const record = value as unknown as Uint8Array;
        const refusal = expect.objectContaining({
          code: 'WAL_BAD_OPTION',
          message: expect.stringMatching(/Uint8Array/),
        });
        await expect(wal.append(record)).rejects.toEqual(refusal);
        await expect(wal.appendBatch([bytes('a'), record])).rejects.toEqual(refusal);
        expect(() => wal.appendSync(record)).toThrow(refusal);
        expect(() => wal.submit(record)).toThrow(refusal);
      }
      await expect(wal.appendBatch(bytes('a') as never)).rejects.toMatchObject({
        code: 'WAL_BAD_OPTION',
      });
      expect(wal.lastLsn).toBe(0);
    });
  });

  it('options that are none are refused with a code', async () => {
    for (const options of [
      undefined,
      { dir: '/log', onEvent: 5 },
      { dir: '/log', databaseUuid: 'a'.repeat(16) },
    ]) {
      await expect(Wal.open(options as never)).rejects.toMatchObject({ code: 'WAL_BAD_OPTION' });
    }
  });
});

describe('an LSN that is none', () => {
  it('is refused by truncateBefore, read and a lease, which go on working', async () => {
    await withLog({ segmentBytesMax: 4096, preallocateBytes: 512 }, async (wal) => {
      for (let i = 0; i < 50; i++) await wal.append(Buffer.alloc(500));
      const lease = wal.retain(10);
      for (const value of [Number.NaN, undefined, 'a', {}, -1, 1.5]) {
        const lsn = value as unknown as number;
        await expect(wal.truncateBefore(lsn)).rejects.toMatchObject({ code: 'WAL_BAD_OPTION' });
        expect(() => lease.advance(lsn)).toThrow(
          expect.objectContaining({ code: 'WAL_BAD_OPTION' }),
        );
      }
      expect(() => lease.advance(52)).toThrow(expect.objectContaining({ code: 'WAL_BAD_OPTION' }));
      lease.advance(51);
      await expect(wal.read({ from: Number.NaN }).next()).rejects.toMatchObject({
        code: 'WAL_BAD_OPTION',
      });
      await wal.truncateBefore(40);
      expect(wal.firstLsn).toBeGreaterThan(30);
    });
  });
});

describe('truncateAfter', () => {
  it('forgets that records it has cut were to go: those in their place stay', async () => {
    await withLog({ segmentBytesMax: 4096, preallocateBytes: 512 }, async (wal) => {
      for (let i = 0; i < 60; i++) await wal.append(Buffer.alloc(500));
      const lease = wal.retain(1);
      await wal.truncateBefore(61);
      await wal.truncateAfter(10);
      for (let i = 0; i < 60; i++) await wal.append(Buffer.alloc(500));
      lease.release();
      await wal.sync();
      await wal.truncateBefore(0);
      expect(wal.firstLsn).toBeLessThanOrEqual(11);
    });
  });

  it('refuses what is appended behind it in the same turn', async () => {
    await withLog({}, async (wal) => {
      for (let i = 0; i < 10; i++) await wal.append(bytes(`${i}`));
      const cut = wal.truncateAfter(5);
      await expect(wal.append(bytes('late'))).rejects.toMatchObject({ code: 'WAL_BUSY' });
      await cut;
      expect((await wal.append(bytes('next'))).lsn).toBe(6);
    });
  });

  it('waits for a truncateBefore of the same turn, which it does not disturb', async () => {
    await withLog({ segmentBytesMax: 4096, preallocateBytes: 512 }, async (wal) => {
      for (let i = 0; i < 60; i++) await wal.append(Buffer.alloc(500));
      const [, cut] = await Promise.all([wal.truncateBefore(20), wal.truncateAfter(40)]);
      expect(cut.lastLsn).toBe(40);
      expect(wal.firstLsn).toBeGreaterThan(10);
    });
  });
});

/*
 * Under `always`, a sync in the pool that had to wait for an earlier one was started even though
 * `appendSync` had overtaken it, rotated, and closed the file it was for: EBADF poisoned a healthy log.
 */
describe('appendSync between appends', () => {
  it('never syncs a file that a rotation has closed', async () => {
    let rotations = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const sim = new SimVfs({ seed, record: false });
      await sim.run(async () => {
        const { wal } = await Wal.open({
          dir: '/log',
          vfs: sim,
          segmentBytesMax: 4096,
          preallocateBytes: 512,
        });
        const pending: Promise<unknown>[] = [];
        for (let i = 0; i < 120; i++) {
          if (i % 7 === 3) wal.appendSync(Buffer.alloc(150, i));
          else pending.push(wal.append(Buffer.alloc(150, i)));
          if (i % 5 === 0) await new Promise<void>((resolve) => sim.timers.turnEnd(resolve));
        }
        await Promise.all(pending);
        expect(wal.health).toMatchObject({ healthy: true });
        rotations += wal.stats.rotations;
        await wal.close();
      });
      sim.assertClean();
    }
    expect(rotations).toBeGreaterThan(200);
  });
});

/** Records that are with the operating system when they are submitted: what a mapped region asks for (R17). */
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { type SyncPolicy, Wal } from '../src/index.js';

const DIR = '/log';
const POLICIES: SyncPolicy[] = ['always', 'os', { every: 3 }, { windowMs: 50 }];

const record = (i: number) => Buffer.from(`record ${i} ${'x'.repeat(i === 4 ? 9_000 : i)}`);

/** What a log holds whose machine went on while its process was killed. */
async function survivors(sim: SimVfs): Promise<string[]> {
  const found: string[] = [];
  const vfs = new SimVfs({ seed: 4 }, sim.crashImage({ choice: 'all' }));
  await vfs.run(async () => {
    const onRecord = (_lsn: number, bytes: Uint8Array, start: number, end: number) => {
      found.push(Buffer.from(bytes.subarray(start, end)).toString());
    };
    const { wal } = await Wal.open({ dir: DIR, vfs, recover: { from: 1 as never, onRecord } });
    await wal.close();
  });
  return found;
}

describe.each(POLICIES)('a record submitted to be written, under %j', (sync) => {
  it('R17: outlives the process from the call on, and becomes durable as others do', async () => {
    const sim = new SimVfs({ seed: 3 });
    await sim.run(async () => {
      const { wal } = await Wal.open({ dir: DIR, vfs: sim, sync, segmentBytesMax: 16 * 1024 });
      const expected: string[] = [];
      const heard: number[] = [];
      wal.onDurable((lsn) => heard.push(lsn));
      for (let i = 0; i < 12; i++) {
        const around = Buffer.concat([Buffer.from('<<'), record(i), Buffer.from('>')]);
        const lsn = wal.submitWritten(around, 2, around.length - 1);
        expect(lsn).toBe(i + 1);
        expected.push(record(i).toString());
        if (i % 3 === 0) expect(await survivors(sim)).toEqual(expected);
        if (i % 5 === 4) await wal.whenDurable(lsn);
      }
      wal.submit(record(12));
      expected.push(record(12).toString());
      wal.submitWritten(record(13));
      expected.push(record(13).toString());
      expect(await survivors(sim)).toEqual(expected);
      await wal.whenDurable(wal.lastLsn);
      expect(heard.at(-1)).toBe(14);
      if (sync === 'always') expect(wal.syncedLsn).toBe(14);
      expect(wal.stats).toMatchObject({ appends: 14, lastLsn: 14 });
      await wal.close();
    });
  });

  it('shares one sync with the others of its turn', async () => {
    const sim = new SimVfs({ seed: 3 });
    await sim.run(async () => {
      const { wal } = await Wal.open({ dir: DIR, vfs: sim, sync });
      wal.submitWritten(record(0));
      await wal.sync();
      const before = wal.stats.syncs;
      for (let i = 1; i < 4; i++) wal.submitWritten(record(i));
      expect(wal.stats.syncs).toBe(before);
      await wal.whenDurable(wal.lastLsn);
      if (sync === 'always') expect(wal.stats.syncs).toBe(before + 1);
      await wal.close();
    });
  });

  it('is synced in the pool where no sync may hold up the event loop', async () => {
    const sim = new SimVfs({ seed: 3 });
    await sim.run(async () => {
      const { wal } = await Wal.open({ dir: DIR, vfs: sim, sync, inlineSyncMsMax: 0 });
      for (let round = 1; round <= 3; round++) {
        const before = wal.syncedLsn;
        const lsn = wal.submitWritten(record(round));
        // The turn's end begins the sync; nothing has waited for it when the next callback runs.
        await new Promise<void>((resolve) => sim.timers.turnEnd(resolve));
        expect(wal.syncedLsn).toBe(before);
        await wal.whenDurable(lsn);
        expect(wal.durableLsn).toBe(round);
      }
      await wal.close();
    });
    sim.assertClean();
  });

  it('poisons the log where the write fails', async () => {
    const sim = new SimVfs({ seed: 3 });
    await sim.run(async () => {
      const events: string[] = [];
      const onEvent = ({ type }: { type: string }) => events.push(type);
      const { wal } = await Wal.open({ dir: DIR, vfs: sim, sync, preallocate: false, onEvent });
      sim.faults.failAt({ op: 'write', nth: 1, error: 'EIO' });
      wal.submitWritten(record(0));
      expect(wal.health).toMatchObject({ poisoned: true, failure: 'write' });
      expect(events).toContain('poisoned');
      expect(() => wal.submitWritten(record(1))).toThrow(
        expect.objectContaining({ code: 'WAL_POISONED' }),
      );
      await wal.close().catch(() => undefined);
    });
  });
});

/**
 * Every write, sync, rename and truncation of a workload fails once, each way: the log takes nothing
 * more and says why, nobody waits for ever, no acknowledged record is lost, no LSN given twice.
 */
import { nothingUnsynced, type OpKind, SimVfs, type SyncFailure } from '@nendb/vfs/sim';
import { type SyncPolicy, Wal, WalError } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import {
  append,
  appendBatch,
  appendSync,
  DIR,
  Oracle,
  openSim,
  reboot,
  verify,
  watch,
} from './sim-log.js';

interface Fault {
  op: OpKind;
  error: 'EIO' | 'ENOSPC';
  takesEffect?: boolean;
  syncFailure?: SyncFailure;
}

const FAULTS: Fault[] = [
  { op: 'write', error: 'EIO' },
  { op: 'write', error: 'EIO', takesEffect: true },
  { op: 'write', error: 'ENOSPC' },
  { op: 'sync', error: 'EIO', syncFailure: 'clean-new' },
  { op: 'sync', error: 'EIO', syncFailure: 'clean-old' },
  { op: 'sync', error: 'EIO', syncFailure: 'partial' },
  { op: 'syncDir', error: 'EIO' },
  { op: 'rename', error: 'EIO' },
  { op: 'truncate', error: 'EIO' },
];

const CODES = ['WAL_POISONED', 'WAL_OUTCOME_UNKNOWN', 'WAL_FULL'];

/** The workload, with every rejection looked at; returns the codes that came. */
async function work(sim: SimVfs, wal: Wal, oracle: Oracle): Promise<string[]> {
  const codes: string[] = [];
  const look = async (work: Promise<unknown> | (() => unknown)): Promise<void> => {
    try {
      await (typeof work === 'function' ? work() : work);
    } catch (error) {
      if (!(error instanceof WalError)) throw error;
      codes.push(error.code);
    }
  };
  await look(append(wal, oracle, 20));
  await Promise.all([500, 900, 40].map((bytes) => look(append(wal, oracle, bytes))));
  await look(appendBatch(wal, oracle, [10, 600, 900]));
  await look(() => appendSync(wal, oracle, 33));
  await sim.settle(300);
  await Promise.all([900, 900, 2000].map((bytes) => look(append(wal, oracle, bytes))));
  await look(wal.sync());
  await look(append(wal, oracle, 1200));
  await look(wal.close());
  return codes;
}

describe.each<[SyncPolicy, string, number]>([
  ['always', 'in the pool', 0],
  ['always', 'in place', 1],
  [{ windowMs: 5 }, 'in the pool', 0],
])('R10: under %j, with syncs %s', (sync, _where, inlineSyncMsMax) => {
  test.each(FAULTS)(
    'a failing $op ($error $syncFailure) is final, wherever it comes',
    async (fault) => {
      let runs = 0;
      for (let nth = 1; ; nth++) {
        const what = `${JSON.stringify(fault)} ${nth}`;
        const sim = new SimVfs({ seed: nth, record: false });
        const oracle = new Oracle();
        const fired = await sim.run(async () => {
          const { wal } = await openSim(sim, { sync, inlineSyncMsMax });
          watch(sim, wal, oracle);
          sim.faults.failAt({ ...fault, nth });
          const codes = await work(sim, wal, oracle);
          const hit = (sim.faults.coverage().get(`error:${fault.op}`) ?? 0) > 0;
          if (!hit) {
            expect(codes, what).toEqual([]);
            return false;
          }
          for (const code of codes) expect(CODES, what).toContain(code);
          if (codes.includes('WAL_FULL') && !wal.health.poisoned) return true;
          expect(wal.health.healthy, what).toBe(false);
          await expect(wal.append(Buffer.from('no'))).rejects.toMatchObject({
            code: wal.health.poisoned ? 'WAL_POISONED' : 'WAL_CLOSED',
          });
          if (wal.health.poisoned) {
            const kind = fault.op === 'sync' || fault.op === 'syncDir' ? 'sync' : 'write';
            expect(wal.health, what).toMatchObject({ failure: kind, ioErrorCount: 1 });
            expect(wal.health.lastError, what).toContain('injected fault');
          }
          return true;
        });
        sim.assertClean();
        if (!fired) break;
        runs++;
        sim.faults.clear();
        const promises = sync === 'always' ? oracle.durable : [];
        for (const [profile, kind] of [
          [nothingUnsynced, 'power'],
          [undefined, 'kill'],
        ] as const) {
          const image = sim.crashImage({ kind, profile, choice: 'all' });
          // What a failed sync took from the cache is damage that must not pass for a log.
          const lost = fault.syncFailure === 'clean-old' && kind === 'kill';
          if (lost && (await refuses(image))) continue;
          await reboot(image, { sync }, async (_sim, wal, recovery) => {
            await verify(wal, recovery, oracle, sim.changeCount, promises);
            expect(wal.epoch).toBe(2);
          });
        }
      }
      expect(runs, 'the fault never happened').toBeGreaterThan(fault.op === 'write' ? 10 : 0);
    },
  );
});

async function refuses(image: Parameters<typeof SimVfs.fromImage>[0]): Promise<boolean> {
  const sim = SimVfs.fromImage(image, { record: false });
  return sim.run(async () => {
    try {
      const { wal } = await openSim(sim, {});
      await wal.close();
      return false;
    } catch (error) {
      expect(error).toMatchObject({ code: 'WAL_CORRUPT' });
      return true;
    }
  });
}

test('R10: short writes are continued, wherever they are cut', async () => {
  const sim = new SimVfs({ record: false });
  const oracle = new Oracle();
  await sim.run(async () => {
    const { wal } = await openSim(sim);
    sim.faults.limitEachWrite(100);
    expect(await work(sim, wal, oracle)).toEqual([]);
    sim.faults.clear();
    const { wal: again, recovery } = await openSim(sim);
    await verify(again, recovery, oracle, 0, [{ at: 0, lsn: oracle.payloads.length }]);
    await again.close();
  });
  sim.assertClean();
});

test('R10: a failed background sync under a weak policy still lets reads go on', async () => {
  const sim = new SimVfs({ record: false });
  const oracle = new Oracle();
  await sim.run(async () => {
    const events: string[] = [];
    const onEvent = ({ type }: { type: string }) => events.push(type);
    const { wal } = await openSim(sim, { sync: { windowMs: 5 }, onEvent });
    await append(wal, oracle, 20);
    sim.faults.failAt({ op: 'sync', nth: 1, error: 'EIO' });
    await sim.settle(50);
    expect(wal.health).toMatchObject({ poisoned: true, failure: 'sync', healthy: false });
    expect(events).toEqual(['poisoned']);
    await expect(append(wal, oracle, 5)).rejects.toMatchObject({ code: 'WAL_POISONED' });
    expect(() => wal.admit(5)).toThrow(expect.objectContaining({ code: 'WAL_POISONED' }));
    const payloads: string[] = [];
    for await (const { payload } of wal.read()) payloads.push(Buffer.from(payload).toString());
    expect(payloads).toEqual(oracle.payloads);
    await wal.close();
  });
  sim.assertClean();
});

test('R10: who waits when a write fails hears that the outcome is unknown; who was only queued, that it was refused', async () => {
  const sim = new SimVfs({ record: false });
  await sim.run(async () => {
    const { wal } = await openSim(sim, { segmentBytesMax: 1 << 22 });
    // Large enough for the thread pool: what comes next queues up behind it.
    const large = wal.append(Buffer.alloc(1_200_000, 'x'));
    const outcome = expect(large).rejects.toMatchObject({ code: 'WAL_OUTCOME_UNKNOWN' });
    sim.faults.failAt({ op: 'write', nth: 1, error: 'EIO' });
    await new Promise<void>((resolve) => sim.timers.turnEnd(resolve));
    const lsn = wal.submit(Buffer.from('queued'));
    const queued = expect(wal.whenDurable(lsn)).rejects.toMatchObject({ code: 'WAL_POISONED' });
    await Promise.all([outcome, queued]);
    await expect(wal.whenDurable(lsn)).rejects.toMatchObject({ code: 'WAL_POISONED' });
    await wal.close();
  });
  sim.assertClean();
});

describe('R7: a full disk', () => {
  test('refuses before an LSN is assigned, and takes records again when there is room', async () => {
    const sim = new SimVfs({ record: false });
    const oracle = new Oracle();
    await sim.run(async () => {
      const { wal } = await openSim(sim);
      sim.faults.diskBytesMax = 64 * 1024;
      let refused = 0;
      let fresh: number[] = [];
      for (let i = 0; i < 120; i++) {
        const before = wal.lastLsn;
        try {
          wal.admit(900);
        } catch (error) {
          expect(error).toMatchObject({ code: 'WAL_FULL' });
          refused++;
          expect(wal.lastLsn).toBe(before);
          expect(wal.health.healthy).toBe(true);
          // Truncation works on a full disk, and makes room.
          await wal.sync();
          await wal.truncateBefore(wal.lastLsn);
          fresh = [];
          continue;
        }
        const lsn = wal.submit(oracle.send(900));
        oracle.sent(wal);
        fresh.push(lsn);
        await wal.whenDurable(lsn);
      }
      expect(refused).toBeGreaterThan(1);
      expect(fresh.length).toBeGreaterThan(0);
      await wal.close();
      sim.faults.clear();
      const { wal: again, recovery } = await openSim(sim);
      expect(recovery.verdict).toBe('clean');
      expect(recovery.lastLsn).toBe(oracle.payloads.length);
      await again.close();
    });
    sim.assertClean();
  });

  test.each([900, 3000, 100_000])(
    'at any byte, %i bytes that were admitted are written',
    async (bytes) => {
      for (let room = 0; room < 12; room++) {
        const sim = new SimVfs({ record: false });
        await sim.run(async () => {
          const { wal } = await openSim(sim);
          const used = (await sim.readdir(DIR)).length * 4096;
          sim.faults.diskBytesMax = used + room * bytes;
          let acked = 0;
          for (let i = 0; i < 20; i++) {
            try {
              wal.admit(bytes);
            } catch (error) {
              expect(error).toMatchObject({ code: 'WAL_FULL' });
              break;
            }
            acked = wal.submit(Buffer.alloc(bytes, i));
            await wal.whenDurable(wal.lastLsn);
          }
          expect(wal.health.poisoned).toBe(false);
          await wal.close();
          sim.faults.clear();
          const { wal: again, recovery } = await openSim(sim);
          expect(recovery).toMatchObject({ verdict: 'clean', lastLsn: acked });
          await again.close();
        });
        sim.assertClean();
      }
    },
  );

  test('refuses to open with WAL_FULL, and leaves the log as it was', async () => {
    const sim = new SimVfs({ record: false });
    await sim.run(async () => {
      const { wal } = await openSim(sim);
      await wal.append(Buffer.from('kept'));
      await wal.close();
      sim.faults.diskBytesMax = 0;
      await expect(openSim(sim)).rejects.toMatchObject({ code: 'WAL_FULL' });
      sim.faults.clear();
      const { wal: again, recovery } = await Wal.open({ dir: DIR, vfs: sim });
      expect(recovery.lastLsn).toBe(1);
      await again.close();
    });
    sim.assertClean();
  });
});

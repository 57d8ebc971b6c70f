/**
 * The machine dies at every operation of a workload: what comes back is a prefix of whole units, at
 * least as long as what was acknowledged, in a later epoch, and can be written to again. A few images
 * for each place; `sim/` goes through them by the ten thousand.
 */
import { type CrashKind, SimVfs } from '@nendb/vfs/sim';
import type { SyncPolicy, Wal } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import {
  append,
  appendBatch,
  appendSync,
  contents,
  DIR,
  Oracle,
  openSim,
  reboot,
  sync,
  verify,
  watch,
} from './sim-log.js';

/** Appends of all kinds, rotation, truncation, a quiet time; the log is left open. */
async function work(sim: SimVfs, wal: Wal, oracle: Oracle, always: boolean): Promise<void> {
  await append(wal, oracle, 20);
  await Promise.all([100, 700, 40].map((bytes) => append(wal, oracle, bytes)));
  await appendBatch(wal, oracle, [10, 600, 900]);
  appendSync(wal, oracle, 33);
  await sim.settle(500);
  await Promise.all([900, 900, 900].map((bytes) => append(wal, oracle, bytes)));
  await appendBatch(wal, oracle, [1500, 800, 1, 0, 300]);
  if (!always) await sync(sim, wal, oracle);
  await append(wal, oracle, 1200);
  await append(wal, oracle, 1400);
  oracle.cuts.push({ at: sim.changeCount, lsn: 6 });
  await wal.truncateBefore(6);
  await append(wal, oracle, 15);
  await append(wal, oracle, 900);
}

async function live(sync: SyncPolicy, seed: number, close: boolean, inlineSyncMsMax = 0) {
  const sim = new SimVfs({ seed });
  const oracle = new Oracle();
  await sim.run(async () => {
    const { wal } = await openSim(sim, { sync, inlineSyncMsMax });
    watch(sim, wal, oracle);
    await work(sim, wal, oracle, sync === 'always');
    if (close) await wal.close();
  });
  return { sim, oracle };
}

describe.each<{ sync: SyncPolicy; kind: CrashKind; inlineSyncMsMax?: number }>([
  { sync: 'always', kind: 'power' },
  { sync: 'always', kind: 'power', inlineSyncMsMax: 1 },
  { sync: 'always', kind: 'kill' },
  { sync: 'os', kind: 'kill' },
  { sync: { windowMs: 5 }, kind: 'kill' },
  { sync: 'os', kind: 'power' },
  { sync: { every: 3 }, kind: 'power' },
])('R13, R14: a $kind crash under $sync ($inlineSyncMsMax)', ({ sync, kind, inlineSyncMsMax }) => {
  test('at every operation leaves a prefix of whole units beyond the last promise', async () => {
    const { sim, oracle } = await live(sync, 1, true, inlineSyncMsMax);
    const promises = kind === 'kill' || sync === 'always' ? oracle.durable : oracle.synced;
    let images = 0;
    for (const { at, image } of sim.crashImages({ kind, samples: 1, subsetsMax: 3 })) {
      images++;
      let lastLsn = 0;
      let epoch = 0;
      const after = await reboot(image, { sync }, async (again, wal, recovery) => {
        await verify(wal, recovery, oracle, at, promises);
        if (recovery.lastLsn > 0) expect(recovery.epoch).toBeGreaterThan(oracle.epoch);
        epoch = recovery.epoch;
        lastLsn = recovery.lastLsn + 1;
        expect((await wal.append(Buffer.from(`more ${again.seed}`))).lsn).toBe(lastLsn);
      });
      await after.run(async () => {
        const { wal, recovery } = await openSim(after, { sync });
        expect(recovery).toMatchObject({ verdict: 'clean', lastLsn, epoch: epoch + 1 });
        const found = await contents(wal);
        expect(found.at(-1)).toEqual([lastLsn, 'more 7']);
        await wal.close();
      });
    }
    expect(images).toBeGreaterThan(100);
  });
});

describe('R7: a record or batch of many fragments', () => {
  test.each([[1_100_000], [600_000, 500_000, 100_000]])(
    'that loses the power half-way is there whole or not at all (%i ...)',
    async (...sizes) => {
      const options = { segmentBytesMax: 1 << 24, preallocateBytes: 1 << 20 };
      const sim = new SimVfs();
      const oracle = new Oracle();
      await sim.run(async () => {
        const { wal } = await openSim(sim, options);
        watch(sim, wal, oracle);
        await append(wal, oracle, 100);
        await appendBatch(wal, oracle, sizes);
      });
      const outcomes = new Set<number>();
      const from = oracle.durable[0].at;
      for (const { at, image } of sim.crashImages({ from, samples: 2, subsetsMax: 1 })) {
        await reboot(image, options, async (_sim, wal, recovery) => {
          await verify(wal, recovery, oracle, at, oracle.durable);
          outcomes.add(recovery.lastLsn);
        });
      }
      expect([...outcomes].sort()).toEqual([1, 1 + sizes.length]);
    },
  );
});

describe('R14: recovery that dies itself', () => {
  test.each(['power', 'kill'] as const)(
    'after a %s crash, at every operation, loses nothing more',
    async (kind) => {
      const { sim, oracle } = await live('always', 3, false);
      let images = 0;
      const seen = new Set<string>();
      for (const { at, image } of sim.crashImages({ kind, samples: 1, subsetsMax: 1 })) {
        if (at % 9 !== 0) continue;
        let first = { lastLsn: 0, epoch: 0 };
        const after = await reboot(
          image,
          {},
          async (_again, wal, recovery) => {
            await verify(wal, recovery, oracle, at, oracle.durable);
            first = recovery;
          },
          true,
        );
        const floor = { at: 0, lsn: Oracle.promised(oracle.durable, at) };
        for (const nested of after.crashImages({ samples: 1, subsetsMax: 2, seen })) {
          images++;
          await reboot(nested.image, {}, async (_third, wal, recovery) => {
            await verify(wal, recovery, oracle, 0, [floor]);
            expect(recovery.lastLsn).toBeLessThanOrEqual(oracle.payloads.length);
            expect(recovery.epoch).toBeLessThanOrEqual(first.epoch + 1);
          });
        }
      }
      expect(images).toBeGreaterThan(100);
    },
  );
});

/**
 * A crash tore one slot of HEAD. The next opening began with the other, the only valid one, and died
 * as well: no slot was left, and a whole log could not be opened.
 */
test.each([0, 4096])(
  'R14: HEAD with its slot at %i torn outlives a crash while it is mended',
  async (at) => {
    const before = new SimVfs({ record: false });
    await before.run(async () => {
      const { wal } = await openSim(before);
      await wal.append(Buffer.from('kept'));
      await wal.close();
      const head = await before.open(`${DIR}/HEAD`, 'write');
      await head.writeAt(Buffer.alloc(512, 'torn'), at);
      await head.sync();
      await head.close();
    });
    const sim = SimVfs.fromImage(before.crashImage());
    await sim.run(async () => {
      const { wal } = await openSim(sim);
      await wal.close();
    });
    for (const kind of ['power', 'kill'] as const) {
      for (const { image } of sim.crashImages({ kind })) {
        await reboot(image, {}, async (_sim, _wal, recovery) => {
          expect(recovery.lastLsn).toBe(1);
        });
      }
    }
  },
);

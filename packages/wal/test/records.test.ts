/** Records of every size, alone and in batches, against a plain array. */
import { SimVfs } from '@nendb/vfs/sim';
import type { SyncPolicy, Wal } from '@nendb/wal';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { propertySeeds } from './seeds.js';
import { openSim } from './sim-log.js';

async function payloads(wal: Wal): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for await (const { lsn, payload } of wal.read()) {
    expect(lsn).toBe(found.length + 1);
    found.push(payload);
  }
  return found;
}

function filled(bytes: number, seed: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i++) buffer[i] = (i * 31 + seed * 17 + (i >> 8)) & 0xff;
  return buffer;
}

function same(found: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
  expect(found.length).toBe(expected.length);
  found.forEach((bytes, i) => {
    expect(Buffer.compare(bytes, expected[i]), `record ${i + 1}`).toBe(0);
  });
}

describe('R7: a record larger than a frame', () => {
  const frame = 1024 * 1024 - 64;
  test.each([
    0,
    1,
    127,
    128,
    65_535,
    frame - 4,
    frame - 3,
    frame - 2,
    frame,
    frame + 1,
    2 * frame - 4,
    2 * frame - 3,
    3_500_000,
  ])('of %i bytes comes back whole, after a restart too', async (bytes) => {
    const sim = new SimVfs({ record: false });
    const records = [filled(3, 1), filled(bytes, 2), filled(5, 3)];
    await sim.run(async () => {
      const { wal } = await openSim(sim, { segmentBytesMax: 1 << 21 });
      for (const record of records) await wal.append(record);
      same(await payloads(wal), records);
      await wal.close();
      const { wal: again } = await openSim(sim, { segmentBytesMax: 1 << 21 });
      same(await payloads(again), records);
      await again.close();
    });
    sim.assertClean();
  });

  test('without its last fragment it is not there, nor is a batch', async () => {
    for (const batch of [false, true]) {
      const sim = new SimVfs();
      await sim.run(async () => {
        const { wal } = await openSim(sim, { sync: 'os', segmentBytesMax: 1 << 24 });
        await wal.append(filled(10, 1));
        if (batch) await wal.appendBatch([filled(1_500_000, 2), filled(1_500_000, 3)]);
        else await wal.append(filled(3_000_000, 2));
        const { segment } = wal.position;
        await wal.append(filled(10, 4));
        const file = await sim.open(`/log/${segment}`, 'write');
        await file.writeAt(new Uint8Array(8), 512 + 80 + 2 * 1024 * 1024);
        await file.close();
      });
      const after = SimVfs.fromImage(sim.crashImage({ kind: 'kill' }));
      await after.run(async () => {
        const { wal, recovery } = await openSim(after);
        expect(recovery).toMatchObject({ verdict: 'torn', lastLsn: 1 });
        expect(recovery.truncated?.offset).toBe(592);
        same(await payloads(wal), [filled(10, 1)]);
        await wal.close();
      });
    }
  });

  test('beyond the limit it is refused before anything happens', async () => {
    const sim = new SimVfs({ record: false });
    await sim.run(async () => {
      const { wal } = await openSim(sim, { recordBytesMax: 1000 });
      const refused = { code: 'WAL_RECORD_TOO_LARGE' };
      expect(() => wal.admit(1001)).toThrow(expect.objectContaining(refused));
      await expect(wal.append(filled(1001, 1))).rejects.toMatchObject(refused);
      await expect(wal.appendBatch([filled(1, 1), filled(1001, 1)])).rejects.toMatchObject(refused);
      expect(() => wal.appendSync(filled(1001, 1))).toThrow(expect.objectContaining(refused));
      await expect(wal.appendBatch([])).rejects.toMatchObject({ code: 'WAL_BAD_OPTION' });
      expect(wal.lastLsn).toBe(0);
      expect((await wal.append(filled(1000, 1))).lsn).toBe(1);
      await wal.close();
    });
    sim.assertClean();
  });
});

type Action =
  | { do: 'append' | 'appendSync' | 'submit'; bytes: number }
  | { do: 'batch'; sizes: number[] }
  | { do: 'sync' | 'turn' | 'reopen' | 'kill' | 'idle' };

const size = fc.oneof(
  { weight: 8, arbitrary: fc.nat(300) },
  { weight: 3, arbitrary: fc.nat(6000) },
  { weight: 1, arbitrary: fc.nat(90_000) },
);
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: fc.constantFrom('append', 'appendSync', 'submit'), bytes: size }),
  fc.record({
    do: fc.constant('batch' as const),
    sizes: fc.array(size, { minLength: 1, maxLength: 6 }),
  }),
  fc.record({ do: fc.constantFrom('sync', 'turn', 'reopen', 'kill', 'idle') }),
);
const policy: fc.Arbitrary<SyncPolicy> = fc.constantFrom(
  'always' as const,
  'os' as const,
  { windowMs: 3 },
  { every: 5 },
);

describe('a log behaves as a plain array', () => {
  test.each(propertySeeds('wal records'))('under any actions, seed %i', async (seed) => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), policy, async (actions, sync) => {
        let sim = new SimVfs({ seed: 3, record: false });
        const model: Buffer[] = [];
        let { wal } = await sim.run(() => openSim(sim, { sync }));
        const next = (bytes: number) => {
          const record = filled(bytes, model.length);
          model.push(record);
          return record;
        };
        const act = async (step: Action): Promise<void> => {
          if (step.do === 'append') await wal.append(next(step.bytes));
          else if (step.do === 'appendSync') wal.appendSync(next(step.bytes));
          else if (step.do === 'submit') wal.submit(next(step.bytes));
          else if (step.do === 'batch') await wal.appendBatch(step.sizes.map(next));
          else if (step.do === 'sync') await wal.sync();
          else if (step.do === 'turn') await new Promise<void>((go) => sim.timers.turnEnd(go));
          else if (step.do === 'idle') await sim.settle(250);
          else if (step.do === 'reopen') {
            await wal.close();
            ({ wal } = await openSim(sim, { sync }));
          }
          expect(wal.lastLsn).toBe(model.length);
        };
        for (const step of actions) {
          if (step.do === 'kill') {
            await sim.run(() => wal.whenDurable(wal.lastLsn));
            sim = SimVfs.fromImage(sim.crashImage({ kind: 'kill' }), { seed: 4, record: false });
            ({ wal } = await sim.run(() => openSim(sim, { sync })));
          } else {
            await sim.run(() => act(step));
          }
        }
        await sim.run(async () => {
          await wal.sync();
          same(await payloads(wal), model);
          await wal.close();
          const { wal: again, recovery } = await openSim(sim, { sync });
          expect(recovery).toMatchObject({ verdict: 'clean', lastLsn: model.length });
          same(await payloads(again), model);
          await again.close();
        });
        sim.assertClean();
      }),
      { seed, numRuns: 25 },
    );
  });
});

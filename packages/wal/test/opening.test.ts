/** What opening accepts, refuses and leaves alone. */
import { lsn, putPreamble } from '@nendb/codec';
import { SimVfs } from '@nendb/vfs/sim';
import { Wal, type WalOptions } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { append, contents, DIR, Oracle, openSim } from './sim-log.js';

const uuid = (byte: number) => new Uint8Array(16).fill(byte);

function simulated(use: (sim: SimVfs) => Promise<void>): Promise<void> {
  const sim = new SimVfs({ record: false });
  return sim.run(() => use(sim)).then(() => sim.assertClean());
}

test('a second opener is refused while the first lives, and the owner is named', () =>
  simulated(async (sim) => {
    const { wal } = await openSim(sim);
    await expect(openSim(sim)).rejects.toMatchObject({ code: 'WAL_LOCKED' });
    await expect(openSim(sim)).rejects.toThrow(/process \d+ on sim/);
    await wal.close();
    const { wal: next } = await openSim(sim);
    await next.close();
  }));

test('R5: a log of another database is refused; a log keeps the uuid it was given', () =>
  simulated(async (sim) => {
    const { wal, recovery } = await openSim(sim, { databaseUuid: uuid(7) });
    expect(recovery.databaseUuid).toEqual(uuid(7));
    await wal.close();
    await expect(openSim(sim, { databaseUuid: uuid(8) })).rejects.toMatchObject({
      code: 'WAL_WRONG_DATABASE',
    });
    const { wal: again, recovery: found } = await openSim(sim);
    expect(found.databaseUuid).toEqual(uuid(7));
    await again.close();
  }));

describe('R6: a newer log', () => {
  test.each([
    { version: 2, incompat: 0, readOnlyCompat: 0 },
    { version: 1, incompat: 4, readOnlyCompat: 0 },
    { version: 1, incompat: 0, readOnlyCompat: 4 },
  ])('with %j is refused, clearly', (newer) =>
    simulated(async (sim) => {
      const { wal } = await openSim(sim);
      await wal.close();
      const file = await sim.open(`${DIR}/0000000000000001.wal`, 'write');
      const bytes = new Uint8Array(48);
      putPreamble(bytes, 0, { magic: 'NENDBWAL', compat: 0, databaseUuid: uuid(1), ...newer });
      await file.writeAt(bytes, 0);
      await file.close();
      await expect(openSim(sim)).rejects.toMatchObject({ code: 'WAL_TOO_NEW' });
      await expect(openSim(sim)).rejects.toThrow(/use a newer release/);
    }),
  );
});

describe('mustExist', () => {
  test.each(['no directory', 'an empty one'])('refuses %s as missing', (what) =>
    simulated(async (sim) => {
      if (what === 'an empty one') await sim.mkdir(DIR);
      await expect(openSim(sim, { mustExist: true })).rejects.toMatchObject({
        code: 'WAL_MISSING',
        verdict: 'missing',
      });
      if (what === 'no directory') expect(await sim.stat(DIR)).toBeUndefined();
    }),
  );

  test('accepts a log without records', () =>
    simulated(async (sim) => {
      await (await openSim(sim)).wal.close();
      const { wal, recovery } = await openSim(sim, { mustExist: true });
      expect(recovery).toMatchObject({ verdict: 'clean', records: 0, firstLsn: 1, lastLsn: 0 });
      await wal.close();
    }));
});

describe('recover', () => {
  test('delivers the records from a place on, before anything is written', () =>
    simulated(async (sim) => {
      const oracle = new Oracle();
      const { wal } = await openSim(sim);
      for (let i = 0; i < 9; i++) await append(wal, oracle, 900);
      await wal.close();
      const found: string[] = [];
      const { wal: again } = await openSim(sim, {
        recover: {
          from: lsn(4),
          onRecord: (at, bytes, from, to) => {
            expect(at).toBe(found.length + 4);
            found.push(Buffer.from(bytes.subarray(from, to)).toString());
          },
        },
      });
      expect(found).toEqual(oracle.payloads.slice(3));
      await again.close();
    }));

  test('R3: refuses a log that ends before what the caller knows, or begins behind it', () =>
    simulated(async (sim) => {
      const oracle = new Oracle();
      const { wal } = await openSim(sim);
      for (let i = 0; i < 6; i++) await append(wal, oracle, 1500);
      await wal.truncateBefore(5);
      await wal.close();
      const from = (n: number): Partial<WalOptions> => ({
        recover: { from: lsn(n), onRecord: () => undefined },
      });
      await expect(openSim(sim, from(8))).rejects.toMatchObject({ code: 'WAL_BEHIND' });
      await expect(openSim(sim, from(2))).rejects.toMatchObject({ code: 'WAL_TRUNCATED_AWAY' });
      const { wal: again } = await openSim(sim, from(7));
      expect(again.epoch).toBe(2);
      await again.close();
    }));
});

test('R14: spares, temporaries and strangers: leftovers go, the rest stays', () =>
  simulated(async (sim) => {
    await (await openSim(sim)).wal.close();
    const leftovers = ['0000000000000002.spare', '0000000000000002.tmp', 'HEAD.tmp'];
    const strangers = ['notes.txt', '1.wal', 'snapshot.tmp'];
    for (const name of [...leftovers, ...strangers]) {
      const file = await sim.open(`${DIR}/${name}`, 'create');
      await file.writeAt(Buffer.from('left'), 0);
      await file.close();
    }
    const { wal } = await openSim(sim);
    await wal.append(Buffer.from('x'));
    await wal.close();
    expect((await sim.readdir(DIR)).sort()).toEqual(
      [...strangers, '0000000000000001.wal', 'HEAD', 'LOCK', 'RESERVE'].sort(),
    );
  }));

describe('reading', () => {
  test('from and to are inclusive; beyond the end there is nothing', () =>
    simulated(async (sim) => {
      const oracle = new Oracle();
      const { wal } = await openSim(sim);
      for (let i = 0; i < 9; i++) await append(wal, oracle, 700);
      const lsns = async (range: Parameters<Wal['read']>[0]) => {
        const found: number[] = [];
        for await (const entry of wal.read(range)) found.push(entry.lsn);
        return found;
      };
      expect(await lsns({ from: 3, to: 5 })).toEqual([3, 4, 5]);
      expect(await lsns({ from: 9 })).toEqual([9]);
      expect(await lsns({ from: 10 })).toEqual([]);
      expect(await lsns({ to: 2 })).toEqual([1, 2]);
      await expect(lsns({ from: 0 })).rejects.toMatchObject({ code: 'WAL_TRUNCATED_AWAY' });
      await wal.close();
    }));

  test('goes on over rotations that happen meanwhile, up to what was written when it began', () =>
    simulated(async (sim) => {
      const oracle = new Oracle();
      const { wal } = await openSim(sim);
      for (let i = 0; i < 5; i++) await append(wal, oracle, 900);
      const found: string[] = [];
      for await (const { payload } of wal.read()) {
        found.push(Buffer.from(payload).toString());
        await append(wal, oracle, 900);
      }
      expect(found).toEqual(oracle.payloads.slice(0, 5));
      expect((await contents(wal)).length).toBe(10);
      await wal.close();
    }));

  test('a position prints its LSN as a decimal string', () =>
    simulated(async (sim) => {
      const { wal } = await openSim(sim);
      const position = await wal.append(Buffer.from('x'));
      expect(JSON.parse(JSON.stringify(position))).toEqual({
        epoch: 1,
        lsn: '1',
        segment: '0000000000000001.wal',
        offset: 512,
      });
      await wal.close();
    }));
});

test.each<[string, Partial<WalOptions>]>([
  ['dir', { dir: '' }],
  ['segmentBytesMax', { segmentBytesMax: 100 }],
  ['sync.windowMs', { sync: { windowMs: 0 } }],
  ['sync.every', { sync: { every: 1.5 } }],
  ['databaseUuid', { databaseUuid: new Uint8Array(3) }],
  ['recordBytesMax', { recordBytesMax: -1 }],
  ['epochMin', { epochMin: 0 }],
])('%s out of its range is refused by name', async (name, options) => {
  const opening = Wal.open({ dir: DIR, vfs: new SimVfs(), ...options });
  await expect(opening).rejects.toMatchObject({ code: 'WAL_BAD_OPTION' });
  await expect(opening).rejects.toThrow(new RegExp(`expected ${name} to be .*, got `));
});

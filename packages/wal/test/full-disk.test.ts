/** A disk that fills up: refused early, cut all the same, opened all the same, and used again. */
import { SimVfs } from '@nendb/vfs/sim';
import { WalError } from '@nendb/wal';
import { expect, test } from 'vitest';
import { append, contents, DIR, Oracle, openSim } from './sim-log.js';

const usedBytes = (sim: SimVfs): number =>
  [...sim.crashImage({ kind: 'kill' }).files().values()].reduce(
    (sum, bytes) => sum + Math.ceil(bytes.length / 512) * 512,
    0,
  );

test('R7: a log that died on a full disk is opened with its reserve, cut, and goes on', async () => {
  const sim = new SimVfs();
  const oracle = new Oracle();
  await sim.run(async () => {
    const { wal } = await openSim(sim);
    expect(await sim.stat(`${DIR}/RESERVE`)).toMatchObject({ size: 4096 });
    for (let i = 0; i < 12; i++) await append(wal, oracle, 900);
    sim.faults.diskBytesMax = usedBytes(sim);
    const refusals: unknown[] = [];
    for (let i = 0; i < 8; i++)
      await append(wal, oracle, 900).catch((e: unknown) => refusals.push(e));
    expect(refusals.length).toBeGreaterThan(0);
    for (const error of refusals) expect(error).toMatchObject({ code: 'WAL_FULL' });
    expect(wal.health.healthy).toBe(true);
  });
  const again = SimVfs.fromImage(sim.crashImage({ kind: 'kill' }));
  again.faults.diskBytesMax = usedBytes(again);
  await again.run(async () => {
    const { wal, recovery } = await openSim(again);
    expect(recovery.lastLsn).toBe(oracle.payloads.length);
    expect(await again.stat(`${DIR}/RESERVE`)).toBe(undefined);
    expect((await contents(wal)).map(([, text]) => text)).toEqual(oracle.payloads);
    await wal.truncateBefore(wal.lastLsn);
    expect(wal.firstLsn).toBeGreaterThan(8);
    expect(await again.stat(`${DIR}/RESERVE`)).toMatchObject({ size: 4096 });
    await append(wal, oracle, 900);
    expect((await contents(wal)).at(-1)).toEqual([oracle.payloads.length, oracle.payloads.at(-1)]);
    await wal.close();
  });
  again.assertClean();
});

test('R7: with a disk that is full at any moment no admitted record fails, and all that was acknowledged stays', async () => {
  for (let spare = 0; spare < 12_000; spare += 700) {
    const sim = new SimVfs({ record: false });
    const oracle = new Oracle();
    await sim.run(async () => {
      const { wal } = await openSim(sim);
      sim.faults.diskBytesMax = usedBytes(sim) + spare;
      for (let i = 0; i < 20; i++) {
        await append(wal, oracle, 700).catch((error: unknown) => {
          if (!(error instanceof WalError) || error.code !== 'WAL_FULL') throw error;
        });
        if (i % 6 === 5) await wal.truncateBefore(wal.lastLsn);
      }
      expect(wal.health.healthy).toBe(true);
      const { firstLsn } = wal;
      expect((await contents(wal)).map(([, text]) => text)).toEqual(
        oracle.payloads.slice(firstLsn - 1),
      );
      await wal.close();
      const { wal: next, recovery } = await openSim(sim);
      expect(recovery).toMatchObject({ verdict: 'clean', lastLsn: oracle.payloads.length });
      await next.close();
    });
    sim.assertClean();
  }
});

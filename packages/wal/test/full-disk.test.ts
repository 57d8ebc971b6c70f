/** A disk that fills up: refused early, cut all the same, opened all the same, and used again. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  rmdirSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SimVfs } from '@nendb/vfs/sim';
import { Wal, WalError } from '@nendb/wal';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

/*
 * A log closed in order on a disk without one free byte could not be opened: the line in LOCK that says
 * who holds it takes a block, and the reserve was asked for the next segment only.
 */
test.each([1, 2])('R7: the reserve also gives the lock its block (opening %i)', async (nth) => {
  const sim = new SimVfs({ record: false });
  await sim.run(async () => {
    for (let i = 0; i < nth; i++) await (await openSim(sim)).wal.close();
    sim.faults.failAt({ op: 'lock', nth: 1, error: 'ENOSPC' });
    const { wal } = await openSim(sim);
    expect(sim.faults.coverage().get('error:lock')).toBe(1);
    expect(await sim.stat(`${DIR}/RESERVE`)).toMatchObject({ size: 4096 });
    await wal.close();
    await sim.unlink(`${DIR}/RESERVE`);
    sim.faults.clear();
    sim.faults.failAt({ op: 'lock', nth: 1, error: 'ENOSPC' });
    await expect(openSim(sim)).rejects.toMatchObject({ code: 'WAL_FULL' });
    sim.faults.clear();
    await (await openSim(sim)).wal.close();
  });
  sim.assertClean();
});

const mountPoint = mkdtempSync(join(tmpdir(), 'nendb-wal-full-'));
const mounted =
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', mountPoint]).status === 0;

afterAll(() => {
  if (mounted) spawnSync('umount', [mountPoint]);
  rmdirSync(mountPoint);
});

describe.skipIf(!mounted)('on a real file system of 2 MiB', () => {
  const dir = join(mountPoint, 'log');
  const options = { dir, segmentBytesMax: 65_536, preallocateBytes: 16_384 };
  const fill = (): void => {
    const descriptor = openSync(join(mountPoint, 'filler'), 'a');
    try {
      for (;;) writeSync(descriptor, Buffer.alloc(4096));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    } finally {
      closeSync(descriptor);
    }
    expect(statfsSync(mountPoint).bavail).toBe(0);
  };

  beforeAll(() => writeFileSync(join(mountPoint, 'filler'), ''));

  test('R7: a log that was closed in order opens with not one byte free, again and again', async () => {
    const { wal } = await Wal.open(options);
    for (let i = 0; i < 20; i++) await wal.append(Buffer.alloc(9000, i));
    await wal.close();
    fill();
    for (let round = 0; round < 3; round++) {
      const { wal: again, recovery } = await Wal.open(options);
      expect(recovery).toMatchObject({ verdict: 'clean', lastLsn: 20 });
      await again.close();
    }
    const { wal: last } = await Wal.open(options);
    await last.truncateBefore(19);
    expect((await last.append(Buffer.alloc(9000))).lsn).toBe(21);
    await last.close();
  });
});

/** What stands in a log's directory and is not as expected: told with a code, a name and a way out. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SimVfs } from '@nendb/vfs/sim';
import { Wal } from '@nendb/wal';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { append, DIR, Oracle, openSim } from './sim-log.js';

const FIRST = '0000000000000001.wal';

async function simulated(
  records: number,
  use: (sim: SimVfs, oracle: Oracle) => Promise<void>,
): Promise<void> {
  const sim = new SimVfs();
  const oracle = new Oracle();
  await sim.run(async () => {
    const { wal } = await openSim(sim);
    for (let i = 0; i < records; i++) await append(wal, oracle, 900);
    await wal.close();
    await use(sim, oracle);
  });
  sim.assertClean();
}

async function putDirectory(sim: SimVfs, name: string): Promise<void> {
  await sim.rename(`${DIR}/${name}`, `/${name}`);
  await sim.mkdir(`${DIR}/${name}`);
}

describe('a directory in the place of', () => {
  test.each([FIRST, 'HEAD'])('%s is damage with a name, not EISDIR', (name) =>
    simulated(9, async (sim) => {
      await putDirectory(sim, name);
      const place = { code: 'WAL_CORRUPT', file: `${DIR}/${name}`, offset: 0 };
      await expect(openSim(sim)).rejects.toMatchObject(place);
      await expect(openSim(sim)).rejects.toThrow(/it is a directory, expected a file/);
      const report = await Wal.verify(DIR, { vfs: sim });
      expect(report.verdict).toBe('corrupt');
      expect(report.findings[0]).toMatchObject({ file: `${DIR}/${name}` });
    }),
  );

  test('a segment is set aside by a salvage', () =>
    simulated(9, async (sim, oracle) => {
      await putDirectory(sim, FIRST);
      const { kept, moved } = await Wal.salvage(DIR, { vfs: sim, quarantine: '/aside' });
      expect(moved.map(({ name }) => name)).toContain(FIRST);
      expect(kept?.to).toBe(9);
      const { wal } = await openSim(sim);
      const texts: string[] = [];
      for await (const { payload } of wal.read()) texts.push(Buffer.from(payload).toString());
      expect(texts).toEqual(oracle.payloads.slice(wal.firstLsn - 1));
      await wal.close();
    }));

  describe('on the real file system', () => {
    let root = '';
    beforeAll(() => {
      root = mkdtempSync(join(tmpdir(), 'nendb-wal-strange-'));
    });
    afterAll(() => rmSync(root, { recursive: true }));

    test.each([FIRST, 'HEAD'])('%s is the same', async (name) => {
      const dir = mkdtempSync(join(root, 'log'));
      const { wal } = await Wal.open({ dir });
      await wal.append(Buffer.from('x'));
      await wal.close();
      renameSync(join(dir, name), join(dir, 'moved'));
      mkdirSync(join(dir, name));
      await expect(Wal.open({ dir })).rejects.toMatchObject({
        code: 'WAL_CORRUPT',
        file: `${dir}/${name}`,
      });
    });

    test('the log itself being a file is a wrong option', async () => {
      const dir = join(root, 'file');
      writeFileSync(dir, 'x');
      const refusal = { code: 'WAL_BAD_OPTION', message: expect.stringContaining('a directory') };
      await expect(Wal.open({ dir })).rejects.toMatchObject(refusal);
      await expect(Wal.verify(dir)).rejects.toMatchObject(refusal);
      await expect(Wal.salvage(dir, { quarantine: root })).rejects.toMatchObject(refusal);
    });
  });
});

describe('a missing HEAD', () => {
  test.each([3, 30])('beside a log of %i records is what is said to be missing', (records) =>
    simulated(records, async (sim) => {
      const { wal } = await openSim(sim);
      await wal.truncateBefore(records);
      const { firstLsn } = wal;
      await wal.close();
      expect(firstLsn > 1).toBe(records > 3);
      await sim.unlink(`${DIR}/HEAD`);
      const opening = openSim(sim);
      await expect(opening).rejects.toMatchObject({
        code: 'WAL_MISSING_SEGMENT',
        file: `${DIR}/HEAD`,
      });
      await expect(opening).rejects.toThrow(/expected HEAD.* it is missing; .*segment.* there/);
      await expect(opening).rejects.toThrow(/salvage/);
    }),
  );
});

describe('an I/O error', () => {
  test.each([
    ['write', 'is the next segment of the log, which an opening or a salvage is building'],
    ['lock', 'keeps a second writer out of the log'],
  ] as const)('of %s while the log is opened says what the file is', (op, purpose) =>
    simulated(3, async (sim) => {
      sim.faults.failAt({ op, nth: 1, error: 'EIO' });
      const error: unknown = await openSim(sim).catch((cause: unknown) => cause);
      expect(error).toMatchObject({ code: 'EIO', message: expect.stringContaining(purpose) });
      expect(error).toHaveProperty('cause.code', 'EIO');
      sim.faults.clear();
      await (await openSim(sim)).wal.close();
    }),
  );

  test('about a spare says so in what poisons the log', () =>
    simulated(0, async (sim) => {
      const { wal } = await openSim(sim);
      await wal.append(Buffer.alloc(2500));
      sim.faults.failAt({ op: 'rename', nth: 1, error: 'EIO' });
      await expect(wal.append(Buffer.alloc(2500))).rejects.toThrow(/built ahead of its use/);
      expect(wal.health.lastError).toContain('built ahead of its use');
      sim.faults.clear();
      await wal.close();
    }));
});

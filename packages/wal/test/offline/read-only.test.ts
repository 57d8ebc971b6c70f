/**
 * A damaged log under `onCorruption: 'readonly'`: what is whole before the damage can be read, nothing
 * can be written, and nothing on disk changes.
 */
import { lsn } from '@nendb/codec';
import { Wal, WalError } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { append, contents, DIR, Oracle, openSim, replayed } from '../sim-log.js';
import {
  type Built,
  build,
  buildRotated,
  cuts,
  type Damaged,
  exchanges,
  filesOf,
  flips,
  holes,
  LAST,
  machineWith,
  SEGMENTS,
  same,
} from './damaged-log.js';

const onCorruption = 'readonly' as const;

function identical(records: readonly [number, string][], oracle: Oracle): boolean {
  return records.every(([at, text], i) => at === i + 1 && text === oracle.payloads[i]);
}

/** Opens as asked; returns how many records could be read, or `undefined` where none can be told. */
async function readUpTo({ what, files }: Damaged, oracle: Oracle): Promise<number | undefined> {
  const sim = await machineWith(files);
  return sim.run(async () => {
    const delivered: [number, string][] = [];
    const recover = {
      from: lsn(1),
      onRecord: (at: number, bytes: Uint8Array, from: number, to: number) => {
        delivered.push([at, Buffer.from(bytes.subarray(from, to)).toString()]);
      },
    };
    const { verdict } = await Wal.verify(DIR, { vfs: sim });
    let opened: Awaited<ReturnType<typeof openSim>>;
    try {
      opened = await openSim(sim, { recover, onCorruption });
    } catch (error) {
      if (!(error instanceof WalError)) throw error;
      expect(error.verdict ?? error.code, what).toMatch(/corrupt|WAL_BEHIND|WAL_TRUNCATED_AWAY/);
      expect(same(filesOf(sim), files), what).toBe(true);
      return undefined;
    }
    const { wal, recovery } = opened;
    expect(recovery.verdict, what).toBe(verdict);
    if (verdict !== 'corrupt') {
      await wal.close();
      return undefined;
    }
    expect(recovery.damage?.file.startsWith(DIR), what).toBe(true);
    const found = await contents(wal);
    expect(identical(found, oracle), what).toBe(true);
    expect(await replayed(wal), what).toEqual(found);
    expect(delivered, what).toEqual(found);
    expect(recovery.lastLsn, what).toBe(found.length);
    expect(oracle.unitEnds.has(found.length), what).toBe(true);
    await wal.close();
    expect(same(filesOf(sim), files), `${what}: changed`).toBe(true);
    sim.assertClean();
    return found.length;
  });
}

describe('a damaged log that may be read', () => {
  test.each<[string, (built: Built) => Iterable<Damaged>]>([
    ['flips', ({ files }) => flips(files, 211)],
    ['cuts', ({ files }) => cuts(files, 203)],
    ['holes', ({ files }) => holes(files, 24, 304)],
    ['other files', exchanges],
  ])('opens up to the damage after %s', async (_what, damages) => {
    for (const built of [await build('closed'), await buildRotated()]) {
      const lengths = new Set<number | undefined>();
      for (const damaged of damages(built)) lengths.add(await readUpTo(damaged, built.oracle));
      expect(lengths.size).toBeGreaterThan(2);
    }
  });

  test('refuses every change by name, tells why, and closes', async () => {
    const { files, oracle } = await build('closed');
    const bytes = (files.get(LAST) as Uint8Array).slice();
    bytes[bytes.length - 200] ^= 1;
    files.set(LAST, bytes).delete('HEAD');
    const sim = await machineWith(files);
    await sim.run(async () => {
      const { wal, recovery } = await openSim(sim, { onCorruption });
      expect(recovery).toMatchObject({ verdict: 'corrupt', damage: { file: `${DIR}/HEAD` } });
      const refusal = { code: 'WAL_READ_ONLY', file: `${DIR}/HEAD` };
      const payload = Buffer.from('x');
      for (const refused of [
        wal.append(payload),
        wal.appendBatch([payload]),
        wal.truncateBefore(5),
        wal.truncateAfter(5),
      ]) {
        await expect(refused).rejects.toMatchObject(refusal);
      }
      for (const refused of [
        () => wal.submit(payload),
        () => wal.admit(1),
        () => wal.appendSync(payload),
        () => wal.retain(1),
      ]) {
        expect(refused).toThrow(expect.objectContaining(refusal));
      }
      expect(wal.health).toMatchObject({ healthy: false, readOnly: true, poisoned: false });
      await wal.sync();
      const tailed: number[] = [];
      const follow = async () => {
        for await (const { lsn: at } of wal.tail({ from: 1 })) tailed.push(at);
      };
      await expect(follow()).rejects.toMatchObject(refusal);
      expect(tailed.length).toBe(recovery.lastLsn);
      expect(tailed.length).toBeLessThanOrEqual(oracle.payloads.length);
      await wal.close();
      expect(same(filesOf(sim), files)).toBe(true);
    });
  });

  test('is held to what the caller knows of it', async () => {
    const { files } = await build('closed');
    const bytes = (files.get(SEGMENTS[1]) as Uint8Array).slice();
    bytes[530] ^= 1;
    const sim = await machineWith(files.set(SEGMENTS[1], bytes));
    await sim.run(async () => {
      const recover = { from: lsn(12), onRecord: () => undefined };
      // Segment 2 is passed over where its records are not asked for: the damage is not met.
      const { recovery, wal } = await openSim(sim, { onCorruption, recover });
      expect(recovery.verdict).toBe('clean');
      await wal.close();
    });
    files.delete('HEAD');
    const headless = await machineWith(files);
    await headless.run(async () => {
      const recover = { from: lsn(12), onRecord: () => undefined };
      const open = openSim(headless, { onCorruption, recover });
      await expect(open).rejects.toMatchObject({ code: 'WAL_BEHIND' });
      const other = openSim(headless, { onCorruption, databaseUuid: new Uint8Array(16) });
      await expect(other).rejects.toMatchObject({ code: 'WAL_WRONG_DATABASE' });
      headless.assertClean();
    });
  });

  test('is refused without the option, and a whole one is opened for writing with it', async () => {
    const { files } = await build('closed');
    const sim = await machineWith(files);
    await sim.run(async () => {
      const { wal, recovery } = await openSim(sim, { onCorruption });
      expect(recovery).toMatchObject({ verdict: 'clean' });
      await append(wal, new Oracle(), 10);
      expect(wal.health.readOnly).toBe(false);
      await wal.close();
      await expect(openSim(sim, { onCorruption: 'never' as 'fail' })).rejects.toMatchObject({
        code: 'WAL_BAD_OPTION',
      });
    });
  });
});

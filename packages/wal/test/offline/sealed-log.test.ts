/** The offline tools on logs that are compressed and encrypted: damage is told without the key. */
import { SimVfs } from '@nendb/vfs/sim';
import { Wal, type WalOptions } from '@nendb/wal';
import { beforeAll, describe, expect, test } from 'vitest';
import { append, contents, DIR, Oracle, openSim } from '../sim-log.js';
import { type Files, filesOf, flips, machineWith, SEGMENTS, same } from './damaged-log.js';

const QUARANTINE = '/aside';
const encryption = { key: new Uint8Array(32).fill(7) };
const otherKey = { key: new Uint8Array(32).fill(8) };
const SEALED: Partial<WalOptions> = { encryption, compression: 'deflate', preallocate: false };

let files: Files;
const oracle = new Oracle();

beforeAll(async () => {
  const sim = new SimVfs({ seed: 31, record: false });
  await sim.run(async () => {
    const { wal } = await openSim(sim, SEALED);
    // Their texts repeat: records of up to 9 KB that compress well.
    for (let i = 0; i < 40; i++) await append(wal, oracle, i % 4 === 0 ? 9000 : 60 + i);
    await wal.close();
  });
  files = filesOf(sim);
  expect(files.size).toBeGreaterThan(3);
});

describe('a compressed and encrypted log', () => {
  test('is verified with its key and without, and not with another', async () => {
    const sim = await machineWith(files);
    await sim.run(async () => {
      const whole = { verdict: 'clean', records: 40, findings: [] };
      expect(await Wal.verify(DIR, { vfs: sim })).toMatchObject(whole);
      expect(await Wal.verify(DIR, { vfs: sim, encryption })).toMatchObject(whole);
      expect(await Wal.inspect(DIR, { vfs: sim })).toMatchObject(whole);
      const wrong = { code: 'WAL_WRONG_KEY' };
      await expect(Wal.verify(DIR, { vfs: sim, encryption: otherKey })).rejects.toMatchObject(
        wrong,
      );
      const quarantine = QUARANTINE;
      await expect(Wal.salvage(DIR, { vfs: sim, quarantine })).rejects.toMatchObject(wrong);
      const locked = Wal.salvage(DIR, { vfs: sim, quarantine, encryption: otherKey });
      await expect(locked).rejects.toMatchObject(wrong);
    });
    expect(same(filesOf(sim), files)).toBe(true);
  });

  test('is salvaged with its key, sealed anew, after every flip', async () => {
    let changed = 0;
    for (const { what, files: damaged } of flips(files, 263)) {
      const sim = await machineWith(damaged);
      await sim.run(async () => {
        const without = await Wal.verify(DIR, { vfs: sim });
        const { verdict } = await Wal.verify(DIR, { vfs: sim, encryption });
        expect(verdict, what).toBe(without.verdict);
        const report = await Wal.salvage(DIR, { vfs: sim, quarantine: QUARANTINE, encryption });
        if (report.changed) changed++;
        const { kept } = report;
        const { wal } = await openSim(sim, SEALED);
        const found = await contents(wal);
        expect(found.length, what).toBe(kept ? kept.to + 1 - kept.from : 0);
        for (const [lsn, text] of found) expect(text === oracle.payloads[lsn - 1], what).toBe(true);
        await wal.close();
        const after = await Wal.verify(DIR, { vfs: sim, encryption });
        expect(after.verdict, what).toBe('clean');
        sim.assertClean();
      });
      for (const [name, bytes] of filesOf(sim)) {
        expect(Buffer.from(bytes).includes('11111111'), `${what}: ${name} in the clear`).toBe(
          false,
        );
      }
    }
    expect(changed).toBeGreaterThan(10);
  });

  test('keeps the records of a segment whose header is damaged, unless its salt is', async () => {
    const name = SEGMENTS[1];
    for (const [at, all] of [
      [90, true],
      [160, false],
    ] as const) {
      const bytes = (files.get(name) as Uint8Array).slice();
      bytes[at] ^= 1;
      const sim = await machineWith(new Map(files).set(name, bytes));
      await sim.run(async () => {
        const { kept } = await Wal.salvage(DIR, { vfs: sim, quarantine: QUARANTINE, encryption });
        expect(kept?.from === 1 && kept.to === 40, `byte ${at}`).toBe(all);
      });
    }
  });

  test('opens up to the damage for reading only', async () => {
    const name = SEGMENTS[1];
    const bytes = (files.get(name) as Uint8Array).slice();
    bytes[bytes.length >> 1] ^= 1;
    const damaged = new Map(files).set(name, bytes);
    damaged.delete('HEAD');
    const sim = await machineWith(damaged);
    await sim.run(async () => {
      const readOnly = { ...SEALED, onCorruption: 'readonly' } as const;
      const { wal, recovery } = await openSim(sim, readOnly);
      expect(recovery.verdict).toBe('corrupt');
      const found = await contents(wal);
      expect(found.length).toBe(recovery.lastLsn);
      expect(found.length).toBeGreaterThan(0);
      for (const [lsn, text] of found) expect(text).toBe(oracle.payloads[lsn - 1]);
      await wal.close();
      const wrong = openSim(sim, { ...readOnly, encryption: otherKey });
      await expect(wrong).rejects.toMatchObject({ code: 'WAL_WRONG_KEY' });
      sim.assertClean();
    });
  });
});

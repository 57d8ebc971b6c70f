/**
 * Logs that no disk has damaged: after every crash, in the middle of a rotation or a cut too, `verify`
 * says what recovery says, and `salvage` has nothing to do. With damage on top it still opens the log.
 */
import { SimVfs } from '@nendb/vfs/sim';
import { Wal } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { append, appendBatch, contents, DIR, Oracle, openSim } from '../sim-log.js';
import { type Files, filesOf, flips, machineWith, recovered } from './damaged-log.js';

const QUARANTINE = '/aside';

/** Rotations, a cut across segments, more records, a cut at the front; the log is left open. */
async function work(sim: SimVfs): Promise<void> {
  const oracle = new Oracle();
  const { wal } = await openSim(sim);
  for (const bytes of [900, 1400, 900, 1100, 700, 900]) await append(wal, oracle, bytes);
  await appendBatch(wal, oracle, [20, 900, 30]);
  await wal.truncateAfter(3);
  await append(wal, oracle, 1200);
  await append(wal, oracle, 1500);
  await wal.truncateBefore(3);
  await sim.settle(500);
}

describe.each(['power', 'kill'] as const)('a log after a %s crash', (kind) => {
  test('is verified as it is recovered, and salvage leaves it alone', async () => {
    const sim = new SimVfs({ seed: 21 });
    await sim.run(() => work(sim));
    const verdicts = new Set<string>();
    let images = 0;
    for (const { image } of sim.crashImages({ kind, samples: 2, subsetsMax: 2 })) {
      if (images++ % 8 !== 0) continue;
      const after = SimVfs.fromImage(image, { seed: 7, record: false });
      await after.run(async () => {
        const report = await Wal.verify(DIR, { vfs: after });
        const again = await Wal.inspect(DIR, { vfs: after });
        expect(again.verdict, image.label).toBe(report.verdict);
        verdicts.add(report.verdict);
        if (report.verdict !== 'missing') {
          const salvaged = await Wal.salvage(DIR, { quarantine: QUARANTINE, vfs: after });
          expect(salvaged, image.label).toMatchObject({ changed: false, lost: [], moved: [] });
        }
        const { wal, recovery } = await openSim(after);
        const expected = report.verdict === 'missing' ? 'clean' : report.verdict;
        expect(recovery.verdict, `${image.label}: ${JSON.stringify(report.findings)}`).toBe(
          expected,
        );
        if (report.records > 0) expect(recovery.records, image.label).toBe(report.records);
        await wal.close();
        after.assertClean();
      });
    }
    expect(images).toBeGreaterThan(100);
    expect([...verdicts].sort()).toEqual(['clean', 'missing', 'torn']);
  });
});

describe('a cut that died half-way', () => {
  /** A log that died between the commit of a cut and the last renaming. */
  async function halfCut(): Promise<Files> {
    const sim = new SimVfs({ seed: 22 });
    await sim.run(() => work(sim));
    for (const { image } of sim.crashImages({ kind: 'kill', samples: 1, subsetsMax: 1 })) {
      const after = SimVfs.fromImage(image, { record: false });
      const files = filesOf(after);
      const names = [...files.keys()];
      if (!names.some((name) => name.endsWith('.next'))) continue;
      if (names.some((name) => name.endsWith('.cut'))) return files;
    }
    throw new Error('expected an image with a cut under way');
  }

  test('and is damaged as well is judged like recovery, and salvaged', async () => {
    const files = await halfCut();
    let corrupt = 0;
    for (const { what, files: damaged } of flips(files, 211)) {
      const sim = await machineWith(damaged);
      await sim.run(async () => {
        const { verdict } = await Wal.verify(DIR, { vfs: sim });
        if (verdict !== 'corrupt') return;
        corrupt++;
        const report = await Wal.salvage(DIR, { quarantine: QUARANTINE, vfs: sim });
        const { wal } = await openSim(sim);
        const found = await contents(wal);
        expect(found.length, what).toBe(report.kept ? report.kept.to + 1 - report.kept.from : 0);
        for (const [at, text] of found) expect(text.startsWith(`${at}`), what).toBe(true);
        await wal.close();
      });
      const judged = await machineWith(damaged);
      await judged.run(async () => {
        const { verdict } = await Wal.verify(DIR, { vfs: judged });
        expect(verdict, what).toBe((await recovered(judged)).verdict);
      });
    }
    expect(corrupt).toBeGreaterThan(5);
  });
});

/*
 * HEAD no longer names the segments below a truncation, but their files may still be there. A salvage
 * that kept nothing wrote a new HEAD, by which they were part of the log again: what it made did not open,
 * and a new first segment took the name, and the bytes, of an old one.
 */
describe('a truncation that died half-way', () => {
  test('and has lost the rest is salvaged to a log that opens, and costs no file', async () => {
    const before = new SimVfs({ record: false });
    const oracle = new Oracle();
    await before.run(async () => {
      const { wal } = await openSim(before);
      for (let i = 0; i < 16; i++) await append(wal, oracle, 900);
      before.faults.failAt({ op: 'unlink', nth: 2, error: 'EIO' });
      await wal.truncateBefore(12).catch(() => undefined);
      before.faults.clear();
      await wal.close();
    });
    const whole = filesOf(before);
    const left = [...whole.keys()].filter((name) => name.endsWith('.wal')).sort();
    expect(left.length).toBeGreaterThan(3);
    for (const damage of ['headers', 'frames'] as const) {
      const files: Files = new Map(whole);
      for (const name of left.slice(2)) {
        const bytes = (whole.get(name) as Uint8Array).slice();
        files.set(name, damage === 'headers' ? bytes.fill(0) : bytes.fill(0, 512));
      }
      const sim = await machineWith(files);
      await sim.run(async () => {
        const { firstLsn } = await Wal.verify(DIR, { vfs: sim });
        const report = await Wal.salvage(DIR, { quarantine: QUARANTINE, vfs: sim });
        expect(report.changed).toBe(true);
        const { wal } = await openSim(sim);
        const found = await contents(wal);
        expect(found.length).toBe(report.kept ? report.kept.to + 1 - report.kept.from : 0);
        for (const [lsn, text] of found) expect(text).toBe(oracle.payloads[lsn - 1]);
        expect(firstLsn === undefined || firstLsn > 1).toBe(true);
        await wal.append(Buffer.from('goes on'));
        await wal.close();
        for (const [name, bytes] of files) {
          const aside = sim.statSync(`${QUARANTINE}/${name}`);
          if (name.endsWith('.wal')) expect(aside?.size, name).toBe(bytes.length);
        }
      });
      sim.assertClean();
    }
  });
});

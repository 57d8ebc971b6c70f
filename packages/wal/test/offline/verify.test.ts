/**
 * `Wal.verify` on damaged logs: its verdict is the one of the next opening, it names the place, and
 * it changes nothing.
 */
import { SimVfs } from '@nendb/vfs/sim';
import { Wal, type WalVerification } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { DIR } from '../sim-log.js';
import {
  build,
  buildRotated,
  cuts,
  type Damaged,
  type Ending,
  exchanges,
  filesOf,
  flips,
  holes,
  LAST,
  machineWith,
  recovered,
  SEGMENTS,
  same,
} from './damaged-log.js';

/** Verifies, then opens: the two must say the same. */
async function agrees({ what, files }: Damaged, compare: boolean): Promise<WalVerification> {
  const sim = await machineWith(files);
  const { report, outcome } = await sim.run(async () => {
    const report = await Wal.verify(DIR, { vfs: sim });
    if (compare) expect(same(filesOf(sim), files), `${what}: changed by verify`).toBe(true);
    const inspection = await Wal.inspect(DIR, { vfs: sim });
    if (inspection.verdict !== report.verdict) {
      // Only what inspection does not read may make the difference.
      expect(report.verdict, what).toBe('corrupt');
      expect(report.findings.length, what).toBeGreaterThan(inspection.findings.length);
    }
    return { report, outcome: await recovered(sim) };
  });
  if (report.verdict !== outcome.verdict) {
    expect(report, `${what}: ${outcome.error?.message}`).toMatchObject({
      verdict: outcome.verdict,
    });
  }
  const damage = report.findings.filter((finding) => finding.damage);
  expect(damage.length > 0, what).toBe(outcome.error !== undefined);
  if (outcome.error?.file && outcome.error.code === 'WAL_CORRUPT') {
    expect(
      damage.map(({ file }) => file),
      what,
    ).toContain(outcome.error.file);
  }
  for (const { file, message } of damage) {
    expect(file.startsWith(DIR), what).toBe(true);
    expect(message, what).not.toBe('');
  }
  sim.assertClean();
  return report;
}

async function allAgree(damages: Iterable<Damaged>): Promise<Record<string, number>> {
  const verdicts: Record<string, number> = {};
  let nth = 0;
  for (const damaged of damages) {
    const { verdict } = await agrees(damaged, nth++ % 16 === 0);
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  }
  return verdicts;
}

describe.each<Ending>(['closed', 'idle', 'busy'])('R13: verify of a log that is %s', (ending) => {
  test('agrees with the next opening about every flip', async () => {
    const { files } = await build(ending);
    const verdicts = await allAgree(flips(files, 61));
    expect(verdicts.corrupt).toBeGreaterThan(20);
  });

  test('agrees with the next opening about every length', async () => {
    const { files } = await build(ending);
    const verdicts = await allAgree(cuts(files, 47));
    expect(verdicts.corrupt).toBeGreaterThan(20);
  });

  test('agrees with the next opening about files and zeros', async () => {
    const built = await build(ending);
    await allAgree(exchanges(built));
    await allAgree(holes(built.files, 24, 136));
  });
});

describe('verify of a log that rotated', () => {
  test('agrees with the next opening, and sees what is wrong in trailers', async () => {
    const built = await buildRotated();
    expect(built.files.size).toBeGreaterThan(4);
    await allAgree(exchanges(built));
    let trailers = 0;
    for (const damaged of flips(built.files, 97)) {
      const report = await agrees(damaged, false);
      trailers += report.findings.filter(({ kind }) => kind === 'trailer').length;
    }
    expect(trailers).toBeGreaterThan(1);
  });

  test('finds every flip of a byte that is used', async () => {
    const { files } = await buildRotated();
    const name = SEGMENTS[1];
    const bytes = files.get(name) as Uint8Array;
    for (let at = 0; at < bytes.length; at += 23) {
      const flipped = bytes.slice();
      flipped[at] ^= 4;
      const sim = await machineWith(new Map(files).set(name, flipped));
      const { findings } = await sim.run(() => Wal.verify(DIR, { vfs: sim }));
      expect(findings[0]?.file, `byte ${at}`).toBe(`${DIR}/${name}`);
    }
  });
});

describe('verify', () => {
  test('reports every damaged place, not only the first', async () => {
    const { files } = await build('closed');
    const flip = (name: string, at: number): void => {
      const bytes = (files.get(name) as Uint8Array).slice();
      bytes[at] ^= 1;
      files.set(name, bytes);
    };
    flip(SEGMENTS[0], 512 + 70);
    flip(SEGMENTS[1], 512 + 70);
    flip(SEGMENTS[1], 512 + 112 + 20);
    flip(LAST, 530);
    files.delete('HEAD');
    const report = await agrees({ what: 'five places', files }, true);
    const places = report.findings.map(({ kind, file, offset }) => [kind, file, offset]);
    expect(places).toEqual(
      expect.arrayContaining([
        ['frame', `${DIR}/${SEGMENTS[0]}`, 512],
        ['frame', `${DIR}/${SEGMENTS[1]}`, 512],
        ['missing', `${DIR}/HEAD`, 0],
      ]),
    );
    expect(report.segments.map(({ state }) => state)).toEqual(['damaged', 'damaged', 'damaged']);
  });

  test('of nothing is `missing`, of a whole log `clean` with its extent', async () => {
    const sim = new SimVfs({ record: false });
    await sim.run(async () => {
      expect(await Wal.verify('/nothing', { vfs: sim })).toMatchObject({
        verdict: 'missing',
        segments: [],
        findings: [],
      });
    });
    const { files, oracle } = await build('closed');
    const report = await agrees({ what: 'whole', files }, true);
    expect(report).toMatchObject({
      verdict: 'clean',
      firstLsn: 1,
      lastLsn: oracle.payloads.length,
      records: oracle.payloads.length,
      epoch: 3,
      findings: [],
      findingsDropped: 0,
    });
    expect(report.segments.map(({ end, records }) => [end, records])).toEqual([
      ['closed', 5],
      ['recovered', 5],
      ['closed', 5],
    ]);
    expect(report.verifiedBytes).toBeGreaterThan(15 * 64);
    expect(JSON.parse(JSON.stringify(report))).toMatchObject({ firstLsn: '1', lastLsn: '15' });
  });

  test('names sectors that the device cannot read, and goes on behind them', async () => {
    const { files } = await buildRotated();
    const sim = await machineWith(files);
    await sim.run(async () => {
      sim.faults.failAt({ op: 'read', nth: 1, path: SEGMENTS[1], error: 'EIO', sticky: true });
      const report = await Wal.verify(DIR, { vfs: sim });
      expect(report.verdict).toBe('corrupt');
      expect(report.findings).toContainEqual(
        expect.objectContaining({ kind: 'unreadable', file: `${DIR}/${SEGMENTS[1]}` }),
      );
      expect(report.segments[2].state).not.toBe('missing');
    });
  });
});

/**
 * Several kinds of damage at once, at random: verify agrees with recovery, salvage keeps only what was
 * written, under its own LSN, and loses only what its report says.
 */
import { Wal } from '@nendb/wal';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { propertySeeds } from '../seeds.js';
import { contents, DIR, openSim } from '../sim-log.js';
import {
  type Built,
  build,
  buildRotated,
  type Files,
  machineWith,
  recovered,
} from './damaged-log.js';

interface Harm {
  kind: 'flip' | 'zero' | 'cut' | 'delete' | 'swap' | 'double' | 'older' | 'scribble';
  /** Which file, and which other one; taken modulo what there is. */
  file: number;
  other: number;
  at: number;
  length: number;
}

const harm: fc.Arbitrary<Harm> = fc.record({
  kind: fc.constantFrom(
    'flip',
    'flip',
    'zero',
    'scribble',
    'cut',
    'delete',
    'swap',
    'double',
    'older',
  ),
  file: fc.nat(),
  other: fc.nat(),
  at: fc.nat(),
  length: fc.integer({ min: 1, max: 900 }),
});

function inflict({ files, older }: Built, harms: readonly Harm[]): Files {
  const damaged: Files = new Map(files);
  for (const { kind, file, other, at, length } of harms) {
    const names = [...damaged.keys()].sort();
    if (names.length === 0) break;
    const name = names[file % names.length];
    const bytes = (damaged.get(name) as Uint8Array).slice();
    const from = bytes.length === 0 ? 0 : at % bytes.length;
    const second = names[other % names.length];
    if (kind === 'delete') damaged.delete(name);
    else if (kind === 'swap') {
      damaged.set(name, damaged.get(second) as Uint8Array).set(second, bytes);
    } else if (kind === 'double') {
      damaged.set(second === 'HEAD' ? name : second, bytes);
    } else if (kind === 'older') {
      const old = older.get(name);
      if (old) damaged.set(name, old);
    } else if (kind === 'cut') {
      damaged.set(name, bytes.slice(0, from));
    } else {
      if (kind === 'flip' && bytes.length > 0) bytes[from] ^= 1 << (length % 8);
      if (kind === 'zero') bytes.fill(0, from, from + length);
      if (kind === 'scribble') bytes.fill((at % 255) + 1, from, from + length);
      damaged.set(name, bytes);
    }
  }
  return damaged;
}

/** `closed`: HEAD knows the last record, unless it is an older copy itself. */
async function holds(built: Built, closed: boolean, harms: readonly Harm[]): Promise<void> {
  const mayForget = !closed || harms.some(({ kind }) => kind === 'older');
  const files = inflict(built, harms);
  const { oracle } = built;
  const judged = await machineWith(files);
  await judged.run(async () => {
    const { verdict, findings } = await Wal.verify(DIR, { vfs: judged });
    const outcome = await recovered(judged);
    if (verdict !== 'missing') {
      expect(verdict, JSON.stringify([findings, outcome.error?.message])).toBe(outcome.verdict);
    }
  });
  if (files.size === 0) return;
  const sim = await machineWith(files);
  await sim.run(async () => {
    const report = await Wal.salvage(DIR, { quarantine: '/aside', vfs: sim });
    const { wal } = await openSim(sim);
    const found = await contents(wal);
    const { kept, lost } = report;
    expect(found.map(([lsn]) => lsn)).toEqual(
      kept ? Array.from({ length: kept.to + 1 - kept.from }, (_, i) => kept.from + i) : [],
    );
    for (const [lsn, text] of found) expect(text).toBe(oracle.payloads[lsn - 1]);
    for (let lsn = 1; lsn <= oracle.payloads.length; lsn++) {
      const isKept = kept !== undefined && kept.from <= lsn && lsn <= kept.to;
      const isLost = lost.some(({ from, to }) => from <= lsn && lsn <= to);
      if (!report.changed) continue;
      expect(isKept && isLost, `LSN ${lsn} is kept and lost`).toBe(false);
      if (!isKept && !isLost && !mayForget) expect(report.newerMayBeLost, `LSN ${lsn}`).toBe(true);
    }
    await wal.close();
    const { findings } = await Wal.verify(DIR, { vfs: sim });
    expect(findings.filter(({ damage }) => damage)).toEqual([]);
    sim.assertClean();
  });
}

describe('many damages at once', () => {
  test.each(propertySeeds('many damages'))(
    'are judged as recovery judges them, and salvaged (seed %i)',
    async (seed) => {
      const logs = [await build('closed'), await build('busy'), await buildRotated()];
      await fc.assert(
        fc.asyncProperty(
          fc.nat(),
          fc.array(harm, { minLength: 1, maxLength: 5 }),
          async (log, harms) => holds(logs[log % 3], log % 3 !== 1, harms),
        ),
        { seed, numRuns: 25 },
      );
    },
  );
});

/**
 * Logs of random lives, cuts of both kinds among them, that die anywhere and whose files are then
 * damaged: `verify` judges as the opening does, nothing that was never there is ever read, and a salvage
 * leaves a log that opens, holds what the report says, goes on, and has cost no file.
 */
import { Prng, SimVfs } from '@nendb/vfs/sim';
import { Wal, WalError, type WalOptions, type WalVerdict } from '@nendb/wal';
import { expect, test } from 'vitest';
import { propertySeeds } from '../seeds.js';
import { type Life, live } from '../sim/life.js';
import { contents, DIR, openSim } from '../sim-log.js';
import { type Files, filesOf, machineWith } from './damaged-log.js';

const LIVES = 4;
const DAMAGES = 8;
const QUARANTINE = '/aside';

/** What a crash of `life` left, damaged in one to three ways. */
function damaged(life: Life, dice: Prng): Files {
  const kind = dice.below(2) === 0 ? 'kill' : 'power';
  const at = dice.below(life.sim.changeCount + 1);
  const image = life.sim.crashImage({ kind, at, choice: { seed: dice.below(100) } });
  const files = filesOf(SimVfs.fromImage(image, { record: false }));
  files.delete('RESERVE');
  for (let left = 1 + dice.below(3); left > 0; left--) {
    const names = [...files.keys()].sort();
    if (names.length === 0) break;
    const name = names[dice.below(names.length)];
    const bytes = (files.get(name) as Uint8Array).slice();
    const from = dice.below(bytes.length + 1);
    const what = dice.below(5);
    if (what === 0) files.delete(name);
    else if (what === 1) files.set(name, files.get(names[dice.below(names.length)]) as Uint8Array);
    else if (what === 2) files.set(name, bytes.slice(0, from));
    else if (what === 3) files.set(name, bytes.fill(0, from, from + dice.below(1200)));
    else if (from < bytes.length) {
      bytes[from] ^= 1 << dice.below(8);
      files.set(name, bytes);
    }
  }
  return files;
}

/** What an opening that reads everything says, and finds. */
async function opened(
  sim: SimVfs,
  options: Partial<WalOptions>,
): Promise<{ verdict: WalVerdict; found: [number, string][] }> {
  let wal: Wal | undefined;
  try {
    const { wal: log, recovery } = await openSim(sim, { ...options, preallocate: false });
    wal = log;
    return { verdict: recovery.verdict, found: await contents(log) };
  } catch (error) {
    if (!(error instanceof WalError && error.verdict)) throw error;
    return { verdict: error.verdict, found: [] };
  } finally {
    await wal?.close();
  }
}

/** Each record is one that was appended under its LSN, on some timeline. */
function checkOwn(life: Life, found: readonly [number, string][]): void {
  for (const [lsn, text] of found) {
    const known = life.timelines.some(({ payloads }) => payloads[lsn - 1] === text);
    expect(known, `LSN ${lsn} (${text.slice(0, 9)})`).toBe(true);
  }
}

async function checkJudgement(life: Life, files: Files, key: Partial<WalOptions>): Promise<void> {
  const sim = await machineWith(files);
  await sim.run(async () => {
    const { verdict, findings } = await Wal.verify(DIR, { vfs: sim, ...key });
    const { verdict: said, found } = await opened(sim, key);
    // Where nothing of a log is left an opening begins a new one.
    expect(verdict === 'missing' ? 'clean' : verdict, JSON.stringify(findings[0])).toBe(said);
    // What was cut off comes back only where salvage has no way to know.
    const whole = life.timelines.some(({ payloads }) =>
      found.every(([lsn, text]) => payloads[lsn - 1] === text),
    );
    expect(whole).toBe(true);
  });
  sim.assertClean();
}

async function checkSalvage(life: Life, files: Files, key: Partial<WalOptions>): Promise<boolean> {
  const sim = await machineWith(files);
  const changed = await sim.run(async () => {
    if ((await Wal.inspect(DIR, { vfs: sim })).verdict === 'missing') return false;
    const options = { vfs: sim, quarantine: QUARANTINE, ...key };
    const planned = await Wal.salvage(DIR, { ...options, dryRun: true });
    const report = await Wal.salvage(DIR, options);
    expect({ ...planned, dryRun: false }).toEqual(report);
    const left = new Set<string>();
    for (const bytes of sim.crashImage({ kind: 'kill' }).files().values()) {
      left.add(Buffer.from(bytes).toString('latin1'));
    }
    for (const [name, bytes] of files) {
      if (/\.(tmp|spare)$/.test(name)) continue;
      expect(left.has(Buffer.from(bytes).toString('latin1')), `${name} is gone`).toBe(true);
    }
    const { wal, recovery } = await openSim(sim, { ...key, preallocate: false });
    const found = await contents(wal);
    checkOwn(life, found);
    const { kept } = report;
    if (report.changed) {
      expect(recovery.verdict).toBe('clean');
      expect(found.length).toBe(kept ? kept.to + 1 - kept.from : 0);
    }
    expect((await wal.append(Buffer.from('goes on'))).lsn).toBe(recovery.lastLsn + 1);
    await wal.close();
    const { findings } = await Wal.verify(DIR, { vfs: sim, ...key });
    expect(findings.filter(({ damage }) => damage)).toEqual([]);
    return report.changed;
  });
  sim.assertClean();
  return changed;
}

test.each(propertySeeds('crashed and damaged'))(
  'R13: a log that crashed and was damaged is judged as it opens, and salvaged, seed %i',
  async (first) => {
    let salvaged = 0;
    for (let seed = first; seed < first + LIVES; seed++) {
      const dice = new Prng(seed, 5);
      const life = await live(seed, 6 + dice.below(18));
      const { encryption } = life.options;
      const key = encryption ? { encryption } : {};
      for (let nth = 0; nth < DAMAGES; nth++) {
        const files = damaged(life, dice);
        try {
          await checkJudgement(life, files, key);
          if (await checkSalvage(life, files, key)) salvaged++;
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error);
          throw new Error(`seed ${seed}, damage ${nth}: ${why}`, { cause: error });
        }
      }
    }
    expect(salvaged).toBeGreaterThan(5);
  },
);

import { expect, it } from 'vitest';
import { runCrashCycles, serverScript } from '../src/index.js';

const seed = Number(process.env.NENDB_SEED ?? Date.now() % 0x7fffffff);

/** A memtable and a cache of 64 KiB: most of what is checked was flushed, and is read from tables. */
const args = ['--store', 'lsm', '--lsm-memory-bytes', '128kb'];

it(`loses and invents nothing over 8 kills of a server whose keys are on disk (seed ${seed})`, async () => {
  const report = await runCrashCycles({ script: serverScript(), cycles: 8, seed, args });
  expect(report.cycles).toBe(8);
  expect(report.acknowledgedWritesMin).toBeGreaterThanOrEqual(500);
  expect(report.kills.recovery.inside).toBeGreaterThan(0);
}, 300_000);

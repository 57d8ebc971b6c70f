import { expect, it } from 'vitest';
import { runCrashCycles, serverScript } from '../src/index.js';

const seed = Number(process.env.NENDB_SEED ?? Date.now() % 0x7fffffff);

it(`loses and invents nothing over 20 kills of the real server (seed ${seed})`, async () => {
  const report = await runCrashCycles({ script: serverScript(), cycles: 20, seed });
  expect(report.cycles).toBe(20);
  expect(report.acknowledgedWritesMin).toBeGreaterThanOrEqual(500);
  expect(report.kills.rotation.inside).toBeGreaterThan(0);
  expect(report.kills.snapshot.inside).toBeGreaterThan(0);
  expect(report.kills.recovery.inside).toBeGreaterThan(0);
}, 300_000);

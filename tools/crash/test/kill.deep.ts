import { expect, it } from 'vitest';
import { runCrashCycles, serverScript } from '../src/index.js';

const CYCLES = 100;
const seed = Number(process.env.NENDB_SEED ?? Date.now() % 0x7fffffff);
const shareMs = Number(process.env.NENDB_DEEP_SECONDS ?? 60) * 1000;

it(`loses and invents nothing over up to ${CYCLES} kills of the real server (seed ${seed})`, async () => {
  const report = await runCrashCycles({
    script: serverScript(),
    cycles: CYCLES,
    seed,
    runMsMax: shareMs,
  });
  console.log(`${report.cycles} of ${CYCLES} cycles: ${JSON.stringify(report)}`);
  expect(report.cycles).toBeGreaterThan(0);
  expect(report.acknowledgedWritesMin).toBeGreaterThanOrEqual(500);
});

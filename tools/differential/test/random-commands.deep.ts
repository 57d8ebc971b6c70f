/** As `random-commands.test.ts`, with 4 million requests or as many as the time allows. */
import { describe, expect, it } from 'vitest';
import { redisVersion, runDifferential } from '../src/index.js';

const REQUESTS = 4_000_000;
const shareMs = Number(process.env.NENDB_DEEP_SECONDS ?? 60) * 1000;
const version = redisVersion();
const seed = Number(process.env.NENDB_SEED ?? Date.now() % 0x7fffffff);

describe.skipIf(version === undefined)(`random commands, beside redis-server ${version}`, () => {
  it(`have the same replies, up to ${REQUESTS} of them (seed ${seed})`, async () => {
    const report = await runDifferential({ requests: REQUESTS, seed, timeMsMax: shareMs });
    const { coverage, explained, ...sums } = report;
    console.log(JSON.stringify({ of: REQUESTS, ...sums }));
    for (const [unit, count] of coverage) console.log(`${count}\t${unit}`);
    expect(report.compared).toBeGreaterThan(100_000);
    expect(coverage.filter(([, count]) => count < 200)).toEqual([]);
    expect(explained.filter(({ times }) => times === 0)).toEqual([]);
  });
});

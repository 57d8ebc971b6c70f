/**
 * 100,000 random commands over the whole table, in RESP2 and RESP3, to NenDB and to a real redis-server.
 * Skips visibly where there is none.
 */
import { describe, expect, it } from 'vitest';
import { EXPLANATIONS, redisVersion, runDifferential } from '../src/index.js';

const REQUESTS = Number(process.env.NENDB_DIFFERENTIAL_REQUESTS ?? 100_000);
/** Each command and option is answered without an error at least so often. */
const ANSWERED_MIN = 200;

const version = redisVersion();
const seed = Number(process.env.NENDB_SEED ?? Date.now() % 0x7fffffff);

describe.skipIf(version === undefined)(`random commands, beside redis-server ${version}`, () => {
  it(`have the same replies, but for what is explained (seed ${seed})`, async () => {
    const report = await runDifferential({ requests: REQUESTS, seed });
    const { coverage, explained, ...sums } = report;
    console.log({ ...sums, commandsAndOptions: coverage.length, rarest: coverage.slice(0, 12) });
    for (const { times, reason } of explained) console.log(`${times} times: ${reason}`);
    expect(report.compared).toBeGreaterThanOrEqual(REQUESTS);
    expect(coverage.filter(([, count]) => count < ANSWERED_MIN)).toEqual([]);
    expect(explained.filter(({ times }) => times === 0)).toEqual([]);
    expect(EXPLANATIONS.length).toBeLessThanOrEqual(40);
  });
});

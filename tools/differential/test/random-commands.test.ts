/**
 * Random commands over the whole table, in RESP2 and RESP3, to NenDB on each of its stores and to a real
 * redis-server. Skips visibly where there is none.
 */
import { describe, expect, it } from 'vitest';
import { EXPLANATIONS, hasStore, redisVersion, runDifferential } from '../src/index.js';

const REQUESTS = Number(process.env.NENDB_DIFFERENTIAL_REQUESTS ?? 100_000);
/** Each command and option is answered without an error at least so often. */
const ANSWERED_MIN = 200;
const STORES = ['map', 'dash', 'lsm'];

const version = redisVersion();
const seed = Number(process.env.NENDB_SEED ?? Date.now() % 0x7fffffff);

describe.skipIf(version === undefined)(`random commands, beside redis-server ${version}`, () => {
  it.for(STORES)('have the same replies over the store %s', async (store, context) => {
    if (!(await hasStore(store))) context.skip(`there is no store ${store}`);
    const report = await runDifferential({ requests: REQUESTS, seed, store });
    const { coverage, explained, ...sums } = report;
    console.log({ store, seed, ...sums, commandsAndOptions: coverage.length });
    console.log(coverage.map(([unit, count]) => `${count} ${unit}`).join('; '));
    console.log(explained.map(({ times, reason }) => `${times} times: ${reason}`).join('\n'));
    expect(report.compared).toBeGreaterThanOrEqual(REQUESTS);
    expect(coverage.filter(([, count]) => count < ANSWERED_MIN)).toEqual([]);
    expect(explained.filter(({ times }) => times === 0)).toEqual([]);
    expect(EXPLANATIONS.length).toBeLessThanOrEqual(40);
  });
});

/** As `random-commands.test.ts`: 4 million requests over all stores, or as many as the time allows. */
import { describe, expect, it } from 'vitest';
import { hasStore, redisVersion, runDifferential } from '../src/index.js';

const REQUESTS = 4_000_000;
const STORES = ['map', 'dash', 'lsm'];
const shareMs = Number(process.env.NENDB_DEEP_SECONDS ?? 60) * 1000;
const version = redisVersion();
const seed = Number(process.env.NENDB_SEED ?? Date.now() % 0x7fffffff);

describe.skipIf(version === undefined)(`random commands, beside redis-server ${version}`, () => {
  it.for(STORES)('have the same replies over the store %s', async (store, context) => {
    if (!(await hasStore(store))) context.skip(`there is no store ${store}`);
    const report = await runDifferential({
      requests: Math.ceil(REQUESTS / STORES.length),
      seed,
      store,
      timeMsMax: shareMs / STORES.length,
    });
    const { coverage, explained, ...sums } = report;
    console.log(JSON.stringify({ store, seed, of: REQUESTS, ...sums }));
    for (const [unit, count] of coverage) console.log(`${count}\t${unit}`);
    expect(coverage.filter(([, count]) => count < 200)).toEqual([]);
    expect(explained.filter(({ times }) => times === 0)).toEqual([]);
  });
});

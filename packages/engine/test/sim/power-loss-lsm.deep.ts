/** The sweep of `power-loss-lsm.test.ts` over many more images. `NENDB_DEEP_MINUTES` bounds it. */
import { expect, it } from 'vitest';
import { CrashSweep } from './crash-sweep.js';

const minutes = Number(process.env.NENDB_DEEP_MINUTES ?? 10);
const seed = Number(process.env.NENDB_TEST_SEED ?? Math.floor(performance.timeOrigin) % 1_000_000);

it(
  `with the store lsm recovers from 50,000 images (seed ${seed})`,
  async () => {
    const untilMs = performance.now() + minutes * 60_000;
    const sweep = new CrashSweep({ imagesMax: 50_000, untilMs });
    const policies = ['always', { every: 4 }, 'os', { windowMs: 5 }] as const;
    for (let i = 0; !sweep.done; i++) {
      await sweep.run({
        seed: seed + i,
        sync: policies[i % policies.length],
        steps: 40,
        store: 'lsm',
      });
    }
    console.log(sweep.result);
    expect(sweep.result.images).toBeGreaterThan(0);
  },
  (minutes + 5) * 60_000,
);

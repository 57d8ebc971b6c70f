import { expect, it } from 'vitest';
import { CrashSweep } from './crash-sweep.js';

const IMAGES_GOAL = 50_000;
const seconds = Number(process.env.NENDB_DEEP_SECONDS ?? 60);
const first = Math.floor(performance.timeOrigin) % 1_000_000;

it(`with the store lsm recovers a commit prefix at or above the last acknowledgement, seeds from ${first}`, async () => {
  const untilMs = performance.now() + seconds * 1000;
  const sweep = new CrashSweep({ imagesMax: IMAGES_GOAL, untilMs });
  const policies = ['always', { every: 4 }, 'always', { windowMs: 5 }, 'os'] as const;
  for (let seed = first; !sweep.done; seed++) {
    const sync = policies[seed % policies.length];
    await sweep.run({ seed, sync, steps: 40, store: 'lsm' });
  }
  console.log(`${sweep.result.images} of ${IMAGES_GOAL} images`, sweep.result);
  expect(sweep.result.images).toBeGreaterThan(0);
});

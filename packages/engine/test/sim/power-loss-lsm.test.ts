import { expect, it } from 'vitest';
import { CrashSweep } from './crash-sweep.js';

const rotating = Math.floor(performance.timeOrigin) % 1_000_000;

it(`with the store lsm recovers a commit prefix at or above the last acknowledgement from 800 images (rotating seed ${rotating})`, async () => {
  const sweep = new CrashSweep({ imagesMax: 800, nestEvery: 80 });
  const policies = ['always', { every: 4 }, 'os'] as const;
  for (let i = 0; !sweep.done; i++) {
    const seed = i % 3 === 2 ? rotating + i : 300 + i;
    await sweep.run({ seed, sync: policies[i % policies.length], steps: 12, store: 'lsm' });
  }
  const { images, nested, runs } = sweep.result;
  console.log(sweep.result);
  expect(images).toBeGreaterThanOrEqual(800);
  expect(nested).toBeGreaterThan(10);
  expect(runs).toBeGreaterThan(0);
}, 240_000);

import { expect, it } from 'vitest';
import { CrashSweep } from './crash-sweep.js';

const rotating = Math.floor(performance.timeOrigin) % 1_000_000;

it(`recovers a commit prefix at or above the last acknowledgement from 5,000 images (rotating seed ${rotating})`, async () => {
  const sweep = new CrashSweep({ imagesMax: 5_000 });
  const policies = ['always', { every: 4 }, 'always', { windowMs: 5 }, 'os'] as const;
  for (let i = 0; !sweep.done; i++) {
    const seed = i % 3 === 2 ? rotating + i : 100 + i;
    await sweep.run({ seed, sync: policies[i % policies.length], steps: 40 });
  }
  const { images, nested, rotations, snapshots, fromBak } = sweep.result;
  console.log(sweep.result);
  expect(images).toBeGreaterThanOrEqual(5_000);
  expect(nested).toBeGreaterThan(500);
  expect(rotations).toBeGreaterThan(0);
  expect(snapshots).toBeGreaterThan(1);
  expect(fromBak).toBeGreaterThan(0);
}, 240_000);

/** Power losses at every drain of random lives: nothing is lost, nothing is handed out twice. */
import { expect, test } from 'vitest';
import { testSeeds } from '../seeds.js';
import { Sweep } from './sweep.js';

const IMAGES = 40_000;
const ACTS = 40;

test(`${IMAGES} distinct crash images recover to the step before or after`, async () => {
  const sweep = new Sweep({ imagesMax: IMAGES, nestEvery: 10 });
  const seeds = testSeeds('allocator crashes');
  for (let round = 0; !sweep.done; round++) {
    for (const seed of seeds) if (!sweep.done) await sweep.run(seed + round * 1000, ACTS);
  }
  expect(sweep.found).toBeUndefined();
  expect(sweep.images).toBeGreaterThanOrEqual(IMAGES);
  expect(sweep.nested).toBeGreaterThan(IMAGES / 20);
});

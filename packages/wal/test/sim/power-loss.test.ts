/** Every crash of lives that append, batch, rotate, cut both ways, follow, lease and open again. */
import { expect, test } from 'vitest';
import { LogSweep } from './sweep.js';

const IMAGES = 50_000;

test(`R13, R14: ${IMAGES} different crash images hold a prefix of whole units beyond the last promise`, async () => {
  const sweep = new LogSweep({ imagesMax: IMAGES, nestEvery: 40 });
  for (let seed = 1; !sweep.done; seed++) await sweep.run(seed, 14);
  console.log(sweep.result);
  expect(sweep.result.images).toBeGreaterThanOrEqual(IMAGES);
  expect(sweep.result.nested).toBeGreaterThan(1000);
  expect(sweep.result.wentOn).toBeGreaterThan(1000);
  expect(sweep.result.rotations).toBeGreaterThan(50);
  expect(sweep.result.cutsBack).toBeGreaterThan(20);
  expect(sweep.result.tailed).toBeGreaterThan(50);
}, 240_000);

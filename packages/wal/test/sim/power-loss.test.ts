/**
 * Every crash of lives that append, batch, rotate, cut both ways, follow, lease and open again: most of
 * them the same each time, the last ones from a seed that moves.
 */
import { expect, test } from 'vitest';
import { propertySeeds } from '../seeds.js';
import { LogSweep } from './sweep.js';

const IMAGES = 50_000;
const FIXED_IMAGES = 45_000;
const rotating = propertySeeds('wal crashes').at(-1) ?? 0;

test(`R13, R14: ${IMAGES} different crash images hold a prefix of whole units beyond the last promise`, async () => {
  const sweep = new LogSweep({ imagesMax: IMAGES, nestEvery: 40 });
  const { result } = sweep;
  for (let seed = 1; result.images < FIXED_IMAGES; seed++) await sweep.run(seed, 14);
  for (let seed = rotating; !sweep.done; seed++) await sweep.run(seed, 14);
  console.log(result);
  expect(result.images).toBeGreaterThanOrEqual(IMAGES);
  expect(result.nested).toBeGreaterThan(1000);
  expect(result.wentOn).toBeGreaterThan(1000);
  expect(result.rotations).toBeGreaterThan(50);
  expect(result.cutsBack).toBeGreaterThan(20);
  expect(result.tailed).toBeGreaterThan(50);
}, 600_000);

/** The same, from seeds that move, for as long as there is time. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { killOne, wrongAfter } from './killed.js';
import { Sweep } from './sweep.js';

const IMAGES_GOAL = 1_000_000;
const KILLS_GOAL = 200;
const seconds = Number(process.env.NENDB_DEEP_SECONDS ?? 60);
const first = Math.floor(performance.timeOrigin) % 1_000_000;

test(`crash images of the allocator, seeds from ${first}`, async () => {
  const untilMs = performance.now() + seconds * 500;
  const sweep = new Sweep({ imagesMax: IMAGES_GOAL, untilMs, nestEvery: 10, samples: 48 });
  for (let seed = first; !sweep.done; seed++) await sweep.run(seed, 80);
  console.log(`${sweep.images} of ${IMAGES_GOAL} images, ${sweep.nested} of recoveries`);
  expect(sweep.found).toBeUndefined();
  expect(sweep.images).toBeGreaterThan(0);
});

test(`kill -9 of an allocating process, seeds from ${first}`, async () => {
  const untilMs = performance.now() + seconds * 500;
  const dir = mkdtempSync(join(tmpdir(), 'nendb-pmem-kill-'));
  const path = join(dir, 'region');
  try {
    let kills = 0;
    for (; kills < KILLS_GOAL && performance.now() < untilMs; kills++) {
      const published = await killOne(path, first + kills, (kills * 13) % 150);
      expect(await wrongAfter(path, published), `seed ${first + kills}`).toBeUndefined();
    }
    console.log(`${kills} of ${KILLS_GOAL} kills`);
    expect(kills).toBeGreaterThan(0);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

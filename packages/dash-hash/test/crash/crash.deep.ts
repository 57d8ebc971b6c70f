/** The crash machine for as long as there is time, up to 1.2 million images. */
import { expect, it } from 'vitest';
import { HISTORIES, runHistory } from './history.js';

const IMAGES_GOAL = 1_200_000;
const seconds = Number(process.env.NENDB_DEEP_SECONDS ?? 60);
const first = Number(process.env.NENDB_SEED ?? Math.floor(performance.timeOrigin) % 1_000_000);

it(`a crash at any moment leaves tables whole, seeds from ${first}`, () => {
  const untilMs = performance.now() + seconds * 1000;
  let images = 0;
  for (let run = 0; images < IMAGES_GOAL && performance.now() < untilMs; run++) {
    const history = HISTORIES[run % HISTORIES.length];
    const seed = first + Math.floor(run / HISTORIES.length);
    const machine = runHistory(history, seed, { samples: 4, againEvery: 40 });
    expect(machine.failures, `${history.name}, seed ${seed}`).toEqual([]);
    images += machine.images;
  }
  console.log(`${images} of ${IMAGES_GOAL} images`);
  expect(images).toBeGreaterThan(0);
});

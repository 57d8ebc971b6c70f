/** The same, from a seed that moves, for as long as there is time. */
import { expect, test } from 'vitest';
import { LogSweep } from './sweep.js';

const IMAGES_GOAL = 1_000_000;
const seconds = Number(process.env.NENDB_DEEP_SECONDS ?? 60);
const first = Math.floor(performance.timeOrigin) % 1_000_000;

test(`R13, R14: crash images hold a prefix of whole units beyond the last promise, seeds from ${first}`, async () => {
  const startedMs = performance.now();
  const untilMs = startedMs + seconds * 1000;
  const sweep = new LogSweep({ imagesMax: IMAGES_GOAL, untilMs, nestEvery: 25 });
  for (let seed = first; !sweep.done; seed++) await sweep.run(seed, 10 + (seed % 21));
  const { images } = sweep.result;
  const took = (performance.now() - startedMs) / 1000;
  console.log(
    `${images.toLocaleString('en')} of ${IMAGES_GOAL.toLocaleString('en')} distinct images in ${took.toFixed(0)} s, ${Math.round(images / took)} a second`,
    sweep.result,
  );
  expect(images).toBeGreaterThan(0);
});

/** The same, from a seed that moves, for as long as there is time. */
import { expect, test } from 'vitest';
import { sweepCrashes } from './crash-life.js';
import { VARIANTS } from './crash-variants.js';

const IMAGES_GOAL = 1_000_000;
const seconds = Number(process.env.NENDB_DEEP_SECONDS ?? 60);
const first = Math.floor(performance.timeOrigin) % 1_000_000;

test.each(VARIANTS)(
  `R3, R14: crash images of a tree that is %s, seeds from ${first}`,
  async (name, options) => {
    const startedMs = performance.now();
    const untilMs = startedMs + (seconds * 1000) / VARIANTS.length;
    const imagesMax = IMAGES_GOAL / VARIANTS.length;
    const { images } = await sweepCrashes(first, { options, imagesMax, untilMs });
    const took = (performance.now() - startedMs) / 1000;
    console.log(
      `${name}: ${images.toLocaleString('en')} of ${imagesMax.toLocaleString('en')} distinct images in ${took.toFixed(0)} s, ${Math.round(images / took)} a second`,
    );
    expect(images).toBeGreaterThan(0);
  },
);

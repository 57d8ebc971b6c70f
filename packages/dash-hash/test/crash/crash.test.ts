import { afterAll, describe, expect, it } from 'vitest';
import { HISTORIES, runHistory } from './history.js';

const rotating = Date.now() % 2 ** 31;
const SEEDS = [1, 2, 3, 4, rotating];

/** Over all histories: what the package promises to look at in every test run. */
const IMAGES_MIN = 55_000;

describe('a crash at any moment, on simulated persistent memory', () => {
  let images = 0;
  let crashedAgain = 0;

  for (const history of HISTORIES) {
    for (const seed of SEEDS) {
      it(`leaves tables whole: ${history.name}, seed ${seed}`, () => {
        const machine = runHistory(history, seed, { samples: 4, againEvery: 40 });
        images += machine.images;
        crashedAgain += machine.crashedAgain;
        expect(machine.failures).toEqual([]);
      }, 300_000);
    }
  }

  it('was at enough moments, in recoveries too', () => {
    expect(images).toBeGreaterThan(IMAGES_MIN);
    expect(crashedAgain).toBeGreaterThan(IMAGES_MIN / 10);
  });

  afterAll(() => console.log(`${images} crash images, ${crashedAgain} of them in a recovery`));
});

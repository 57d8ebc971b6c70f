/** The crash machine through a million images; `NENDB_SEED` chooses others. */
import { describe, expect, it } from 'vitest';
import { HISTORIES, runHistory } from './history.js';

const IMAGES = 1_200_000;
const first = Number(process.env.NENDB_SEED ?? 1000);

describe('a crash at any moment, at length', () => {
  it(`leaves tables whole, from seed ${first}`, () => {
    for (let images = 0, seed = first; images < IMAGES; seed++) {
      for (const history of HISTORIES) {
        const machine = runHistory(history, seed, { samples: 8, againEvery: 20 });
        expect(machine.failures, `${history.name}, seed ${seed}`).toEqual([]);
        images += machine.images;
      }
    }
  }, 7_200_000);
});

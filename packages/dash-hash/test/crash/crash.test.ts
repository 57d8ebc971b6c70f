import { describe, expect, it } from 'vitest';
import { HISTORIES, runHistory } from './history.js';

const rotating = Date.now() % 2 ** 31;

describe('a crash at any moment, on simulated persistent memory', () => {
  for (const history of HISTORIES) {
    it(`leaves tables whole: ${history.name}`, () => {
      const began = Date.now();
      const machine = runHistory(history, 1, { samples: 4, againEvery: 40 });
      expect(machine.failures.slice(0, 3)).toEqual([]);
      console.log(
        history.name,
        machine.images,
        machine.crashedAgain,
        (Date.now() - began) / machine.images,
      );
    }, 300_000);
  }
  it.skip(`x ${rotating}`, () => {});
});

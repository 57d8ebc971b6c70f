import { Prng } from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';

describe('the dice', () => {
  test('throw the same for ever: recorded seeds stay good', () => {
    const dice = new Prng(1, 2);
    expect([dice.uint32(), dice.uint32(), dice.uint32()]).toEqual([
      3_884_120_524, 1_603_853_581, 3_114_454_255,
    ]);
    expect(new Prng(-1).uint32()).toBe(1_419_852_146);
  });

  test('differ in every seed, also beyond 32 bits and in order', () => {
    const seeds = [[0], [1], [2 ** 40 + 1], [-1], [1, 2], [2, 1], [1, 2, 3]];
    const first = seeds.map((seed) => new Prng(...seed).uint32());
    expect(new Set(first).size).toBe(seeds.length);
  });

  test('are fair enough', () => {
    const dice = new Prng(7);
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 6000; i++) counts[dice.below(6)]++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
    let heads = 0;
    for (let i = 0; i < 4000; i++) if (dice.chance(0.25)) heads++;
    expect(Math.abs(heads - 1000)).toBeLessThan(150);
    expect(dice.chance(0)).toBe(false);
    expect(dice.chance(1)).toBe(true);
    expect(dice.shuffle([1, 2, 3, 4, 5]).sort()).toEqual([1, 2, 3, 4, 5]);
  });
});

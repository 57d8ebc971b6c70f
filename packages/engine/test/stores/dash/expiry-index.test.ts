import { describe, expect, it } from 'vitest';
import { ExpiryIndex } from '../../../src/stores/dash/expiry-index.js';

/** A generator of its own, so that a seed says everything. */
function dice(seed: number): (sides: number) => number {
  let state = seed >>> 0;
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

const rotating = Math.floor(performance.timeOrigin) % 1_000_000;

describe.each([1, rotating])('an expiry index, seed %i', (seed) => {
  it('holds what a sorted list of pairs holds, twice what was added twice', () => {
    const random = dice(seed);
    const index = new ExpiryIndex();
    let pairs: [timeMs: number, hash: number][] = [];
    const sorted = () => pairs.sort(([t, h], [u, i]) => t - u || h - i);
    for (let step = 0; step < 30_000; step++) {
      const pair: [number, number] = [1 + random(60), random(step % 3 === 0 ? 4 : 400)];
      const growing = step % 10_000 < 6_000;
      if (random(10) < (growing ? 7 : 2)) {
        index.add(...pair);
        pairs.push(pair);
      } else {
        const at = pairs.findIndex(([t, h]) => t === pair[0] && h === pair[1]);
        expect(index.delete(...pair)).toBe(at !== -1);
        if (at !== -1) pairs.splice(at, 1);
      }
      if (step % 3_000 !== 0) continue;
      const nowMs = random(70);
      const before = sorted().filter(([t]) => t < nowMs);
      const met: [number, number][] = [];
      index.visitBefore(nowMs, (timeMs, hash) => met.push([timeMs, hash]) > 0);
      expect(met).toEqual(before);
      expect(index.countBefore(nowMs)).toBe(before.length);
      expect(index.size).toBe(pairs.length);
      expect(index.soonestMs).toBe(pairs[0]?.[0] ?? 0);
    }
    for (const pair of pairs) expect(index.delete(...pair)).toBe(true);
    pairs = [];
    expect([index.size, index.soonestMs, index.bytes]).toEqual([0, 0, 0]);
  });

  it('takes some 16 bytes a pair, whatever order they come in', () => {
    const random = dice(seed);
    for (const timeOf of [(i: number) => i + 1, (i: number) => 1e6 - i, () => 1 + random(1e6)]) {
      const index = new ExpiryIndex();
      for (let i = 0; i < 100_000; i++) index.add(timeOf(i), i);
      expect(index.bytes / index.size).toBeLessThan(28);
      const times: number[] = [];
      index.visitBefore(Number.POSITIVE_INFINITY, (timeMs) => times.push(timeMs) > 0);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
  });
});

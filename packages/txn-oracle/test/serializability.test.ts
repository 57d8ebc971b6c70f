import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Oracle } from '../src/index.js';
import { anySteps, KEYS, play } from './history/random-history.js';
import { type Committed, findCycle } from './history/serializability.js';
import { type Running, VersionedMap } from './history/versioned-map.js';
import * as planted from './planted/weak-oracles.js';
import { seeds } from './seeds.js';

/** A committed transaction as the checker sees it. */
function committed(
  id: number,
  reads: Record<string, number>,
  writes: Record<string, number>,
): Committed {
  return { id, reads: new Map(Object.entries(reads)), writes: new Map(Object.entries(writes)) };
}

describe('the checker', () => {
  it('passes a serial history, and readers of old snapshots', () => {
    const history = [
      committed(1, {}, { a: 1, b: 1 }),
      committed(2, { a: 1 }, { a: 2 }),
      committed(3, { a: 2, b: 1 }, { b: 3 }),
      committed(4, { a: 1, b: 1 }, {}),
    ];
    expect(findCycle({ committed: history })).toBeUndefined();
  });

  it.each([
    ['lost update', [committed(1, { a: 0 }, { a: 1 }), committed(2, { a: 0 }, { a: 2 })]],
    [
      'write skew',
      [committed(1, { a: 0, b: 0 }, { a: 1 }), committed(2, { a: 0, b: 0 }, { b: 2 })],
    ],
    ['a phantom', [committed(1, { a: 0, b: 0 }, { c: 1 }), committed(2, { c: 0 }, { b: 2 })]],
    ['a torn snapshot', [committed(1, {}, { a: 1, b: 1 }), committed(2, { a: 1, b: 0 }, {})]],
    [
      'the anomaly of a reader beside two writers',
      [
        committed(1, { a: 0, b: 0 }, { a: 3 }),
        committed(2, { b: 0 }, { b: 2 }),
        committed(3, { a: 0, b: 2 }, {}),
      ],
    ],
  ])('finds %s', (_name, history) => {
    expect(findCycle({ committed: history })).toBeDefined();
  });
});

describe('committed transactions are serializable', () => {
  it.each(seeds)('in random histories (%s)', (_name, seed) => {
    let committedCount = 0;
    let refusedCount = 0;
    fc.assert(
      fc.property(anySteps, fc.boolean(), (steps, coarse) => {
        const oracle = new Oracle(
          coarse ? { readsPerTransactionMax: 2, rangesPerTransactionMax: 1 } : {},
        );
        const played = play(oracle, steps);
        committedCount += played.committed;
        refusedCount += played.refused;
        expect(findCycle(played.history)).toBeUndefined();
        expect(oracle.stats()).toMatchObject({ open: 0, points: 0, ranges: 0, readBytes: 0 });
      }),
      { seed, numRuns: 1500 },
    );
    expect(refusedCount).toBeGreaterThan(committedCount / 20);
    expect(committedCount).toBeGreaterThan(refusedCount);
  });

  it.each([
    ['write skew', planted.LetsWriteSkewThrough],
    ['phantoms', planted.LetsPhantomsThrough],
    ['lost updates', planted.LetsUpdatesBeLost],
    ['late reads', planted.ForgivesLateReads],
    ['lone writes', planted.OverlooksLoneWrites],
    ['ranges taken for keys', planted.TakesRangesForKeys],
    ['versions dropped too early', planted.DropsTooEarly],
  ])('and an oracle that lets through %s is caught', (_name, WeakOracle) => {
    const sound = (oracle: Oracle, steps: Parameters<typeof play>[1]): boolean => {
      try {
        return findCycle(play(oracle, steps).history) === undefined;
      } catch (error) {
        if (String(error).includes('dropped too early')) return false;
        throw error;
      }
    };
    const found = fc.check(
      fc.property(anySteps, (steps) => sound(new WeakOracle(), steps)),
      { seed: 1, numRuns: 5000, endOnFailure: true },
    );
    expect(found.failed).toBe(true);
    expect(sound(new Oracle(), found.counterexample?.[0] ?? [])).toBe(true);
  });
});

/** What two interleaved transactions do, and whether the second may commit after the first. */
interface Scenario {
  name: string;
  weak: new () => Oracle;
  first(map: VersionedMap, running: Running): void;
  second(map: VersionedMap, running: Running): void;
}

const scenarios: readonly Scenario[] = [
  {
    name: 'a lost update: both read a counter and write it back larger',
    weak: planted.LetsUpdatesBeLost,
    first: (map, running) => map.put(running, 'a', (map.get(running, 'a') ?? 0) + 1),
    second: (map, running) => map.put(running, 'a', (map.get(running, 'a') ?? 0) + 1),
  },
  {
    name: 'write skew: each reads both, each writes another',
    weak: planted.LetsWriteSkewThrough,
    first: (map, running) => {
      map.get(running, 'a');
      map.get(running, 'b');
      map.put(running, 'a', -50);
    },
    second: (map, running) => {
      map.get(running, 'a');
      map.get(running, 'b');
      map.put(running, 'b', -50);
    },
  },
  {
    name: 'a phantom: each counts a range and adds to it what the other has not seen',
    weak: planted.LetsPhantomsThrough,
    first: (map, running) => map.put(running, 'c', map.scan(running, 'a', 'e').size),
    second: (map, running) => map.put(running, 'd', map.scan(running, 'a', 'e').size),
  },
];

describe.each(scenarios)('$name', ({ weak, first, second }) => {
  function run(oracle: Oracle): { map: VersionedMap; bothCommitted: boolean } {
    const map = new VersionedMap(oracle, KEYS);
    const one = map.begin();
    const other = map.begin();
    first(map, one);
    second(map, other);
    const bothCommitted = map.commit(one) && map.commit(other);
    return { map, bothCommitted };
  }

  it('is refused', () => {
    const { map, bothCommitted } = run(new Oracle());
    expect(bothCommitted).toBe(false);
    expect(findCycle(map.history)).toBeUndefined();
  });

  it('would be found by the checker', () => {
    const { map, bothCommitted } = run(new weak());
    expect(bothCommitted).toBe(true);
    expect(findCycle(map.history)).toBeDefined();
  });
});

/** Random interleavings of transactions on a few keys, played on a `VersionedMap`. */
import fc from 'fast-check';
import type { Oracle } from '../../src/index.js';
import type { History } from './serializability.js';
import { type Running, VersionedMap } from './versioned-map.js';

/** Few, so that transactions meet; one is a prefix of another. */
export const KEYS = ['a', 'b', 'ba', 'c', 'd'] as const;
const BOUNDS = ['', 'a', 'b', 'ba', 'c', 'd', 'e'] as const;
const SLOTS = 4;

export type Step =
  | { do: 'begin'; slot: number; readOnly: boolean }
  | { do: 'get' | 'put' | 'delete'; slot: number; key: string }
  | { do: 'scan' | 'deleteRange'; slot: number; gte: string; lt: string }
  | { do: 'commit'; slot: number }
  | { do: 'commitSlowly'; slot: number }
  | { do: 'abort'; slot: number }
  | { do: 'putAlone'; key: string }
  | { do: 'deleteRangeAlone'; gte: string; lt: string };

const slot = fc.nat(SLOTS - 1);
const key = fc.constantFrom(...KEYS);
const bound = fc.constantFrom(...BOUNDS);

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('begin' as const),
      slot,
      readOnly: fc.nat(5).map((n) => n === 0),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('get' as const), slot, key }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('scan' as const), slot, gte: bound, lt: bound }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('put' as const, 'delete' as const), slot, key }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('deleteRange' as const), slot, gte: bound, lt: bound }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('commit' as const, 'commit' as const, 'commitSlowly' as const),
      slot,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const), slot }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('putAlone' as const), key }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('deleteRangeAlone' as const), gte: bound, lt: bound }),
  },
);

export const anySteps = fc.array(anyStep, { minLength: 20, maxLength: 120, size: 'max' });

export interface Played {
  history: History;
  committed: number;
  refused: number;
}

/**
 * Plays the steps. A step of a slot that has no transaction begins one, except where the database is
 * busy with a slow commit and the step would change it: such a step goes on with that commit.
 */
export function play(oracle: Oracle, steps: readonly Step[]): Played {
  const map = new VersionedMap(oracle, KEYS);
  const slots = new Map<number, Running>();
  let value = 1;
  let committed = 0;
  let refused = 0;

  const runningIn = (at: number): Running => {
    const running = slots.get(at) ?? map.begin();
    slots.set(at, running);
    return running;
  };
  const settle = (ok: boolean, at: number): void => {
    slots.delete(at);
    if (ok) committed++;
    else refused++;
  };

  for (const step of steps) {
    switch (step.do) {
      case 'begin':
        slots.get(step.slot)?.txn.abort();
        slots.set(step.slot, map.begin(step.readOnly));
        break;
      case 'get':
        map.get(runningIn(step.slot), step.key);
        break;
      case 'scan':
        map.scan(runningIn(step.slot), step.gte, step.lt);
        break;
      case 'put':
        if (!runningIn(step.slot).txn.readOnly) map.put(runningIn(step.slot), step.key, value++);
        break;
      case 'delete':
        if (!runningIn(step.slot).txn.readOnly) map.delete(runningIn(step.slot), step.key);
        break;
      case 'deleteRange':
        if (!runningIn(step.slot).txn.readOnly) {
          map.deleteRange(runningIn(step.slot), step.gte, step.lt);
        }
        break;
      case 'abort':
        slots.get(step.slot)?.txn.abort();
        slots.delete(step.slot);
        break;
      default:
        if (map.busy) map.goOn();
        else if (step.do === 'commit') settle(map.commit(runningIn(step.slot)), step.slot);
        else if (step.do === 'commitSlowly') {
          settle(map.commitSlowly(runningIn(step.slot)), step.slot);
        } else if (step.do === 'putAlone') map.putAlone(step.key, value++);
        else map.deleteRangeAlone(step.gte, step.lt);
    }
  }
  while (map.busy) map.goOn();
  for (const at of [...slots.keys()]) settle(map.commit(runningIn(at)), at);
  return { history: map.history, committed, refused };
}

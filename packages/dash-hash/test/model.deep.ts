/** The table beside a Map for as long as there is time, up to 50 million operations. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { plans } from './model/plans.js';
import { runPlan } from './model/run.js';

const OPERATIONS_GOAL = 50_000_000;
const seconds = Number(process.env.NENDB_DEEP_SECONDS ?? 60);
const first = Number(process.env.NENDB_SEED ?? Math.floor(performance.timeOrigin) % 1_000_000);

it(`a table answers like a Map, seeds from ${first}`, () => {
  const untilMs = performance.now() + seconds * 1000;
  let operations = 0;
  for (let seed = first; operations < OPERATIONS_GOAL && performance.now() < untilMs; seed++) {
    const property = fc.property(plans(100_000), (plan) => {
      runPlan(plan);
      operations += plan.operations;
    });
    fc.assert(property, { numRuns: 5, seed, endOnFailure: true });
  }
  console.log(`${operations} of ${OPERATIONS_GOAL} operations`);
  expect(operations).toBeGreaterThan(0);
});

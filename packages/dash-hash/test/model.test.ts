import fc from 'fast-check';
import { describe, it } from 'vitest';
import { plans } from './model/plans.js';
import { runPlan } from './model/run.js';

const rotating = Date.now() % 2 ** 31;
const OPERATIONS = 20_000;

describe('a table beside a Map', () => {
  it('answers alike through 900,000 operations', () => {
    const property = fc.property(plans(OPERATIONS), runPlan);
    fc.assert(property, { numRuns: 45, seed: 20_261_120, endOnFailure: true });
  }, 600_000);

  it(`answers alike through 100,000 operations of the rotating seed ${rotating}`, () => {
    const property = fc.property(plans(OPERATIONS), runPlan);
    fc.assert(property, { numRuns: 5, seed: rotating, endOnFailure: true });
  }, 600_000);
});

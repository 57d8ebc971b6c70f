import fc from 'fast-check';
import { describe, it } from 'vitest';
import { type Plan, runPlan } from './model/run.js';

const rotating = Date.now() % 2 ** 31;

const plans: fc.Arbitrary<Plan> = fc.record({
  seed: fc.integer(),
  operations: fc.constant(20_000),
  keys: fc.constantFrom(20, 700, 5000, 60_000),
  valueBytesMax: fc.constantFrom(1, 600, 5000, 100_000),
  deletesPercent: fc.constantFrom(5, 30, 60),
  tablesMax: fc.constantFrom(1, 3, 20),
  chunkBytes: fc.constantFrom(4096, 65_536),
  images: fc.boolean(),
});

describe('a table beside a Map', () => {
  it('answers alike through 900,000 operations', () => {
    fc.assert(fc.property(plans, runPlan), { numRuns: 45, seed: 20_261_120, endOnFailure: true });
  }, 600_000);

  it(`answers alike through 100,000 operations of the rotating seed ${rotating}`, () => {
    fc.assert(fc.property(plans, runPlan), { numRuns: 5, seed: rotating, endOnFailure: true });
  }, 600_000);
});

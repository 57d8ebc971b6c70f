/** What kinds of histories there are. */
import fc from 'fast-check';
import type { Plan } from './run.js';

export function plans(operations: number): fc.Arbitrary<Plan> {
  return fc.record({
    seed: fc.integer(),
    operations: fc.constant(operations),
    keys: fc.constantFrom(20, 700, 5000, 60_000),
    valueBytesMax: fc.constantFrom(1, 600, 5000, 100_000),
    deletesPercent: fc.constantFrom(5, 30, 60),
    tablesMax: fc.constantFrom(1, 3, 20),
    chunkBytes: fc.constantFrom(4096, 65_536),
    images: fc.boolean(),
  });
}

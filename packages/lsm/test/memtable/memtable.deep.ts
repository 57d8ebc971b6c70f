/** The search of a memtable, against sorted lists, for as long as `npm run test:deep` gives it. */
import fc from 'fast-check';
import { test } from 'vitest';
import { propertySeeds } from '../seeds.js';
import { expectAllFound, manyKeys } from './many-keys.js';

const shareMs = Number(process.env.NENDB_DEEP_SECONDS ?? 60) * 1000;
const seeds = propertySeeds('deep memtable');

test.each(seeds)('finds everything, seed %i', (seed) => {
  fc.assert(fc.property(manyKeys, expectAllFound), {
    seed,
    numRuns: 1_000_000,
    interruptAfterTimeLimit: shareMs / seeds.length,
  });
});

/** A set of range tombstones answers like the list of all deletions would. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareKeys } from '../../src/order.js';
import { RangeTombstones } from '../../src/range-tombstones.js';
import { keys } from '../entries.js';
import { propertySeeds } from '../seeds.js';

const deletions = fc.array(
  fc.record({ gte: keys, lt: keys, sequence: fc.integer({ min: 1, max: 50 }) }),
  { maxLength: 25 },
);

describe('range tombstones equal the list of deletions', () => {
  test.each(propertySeeds('range tombstones'))('seed %i', (seed) => {
    fc.assert(
      fc.property(deletions, fc.array(keys, { maxLength: 20 }), (list, others) => {
        const set = new RangeTombstones();
        for (const { gte, lt, sequence } of list) set.add(gte, lt, sequence);
        const decoded = RangeTombstones.decode(set.encode());
        expect(decoded.fragments).toEqual(set.fragments);
        expect(decoded.bytes).toBe(set.bytes);
        const refilled = new RangeTombstones();
        for (const { gte, lt, sequence } of set.tombstones()) refilled.add(gte, lt, sequence);
        expect(refilled.fragments).toEqual(set.fragments);
        for (const key of [...others, ...list.flatMap(({ gte, lt }) => [gte, lt])]) {
          for (const sequenceMax of [0, 1, 10, 25, 50]) {
            const covering = list
              .filter(
                ({ gte, lt, sequence }) =>
                  sequence <= sequenceMax && compareKeys(gte, key) <= 0 && compareKeys(key, lt) < 0,
              )
              .map(({ sequence }) => sequence);
            const padded = Buffer.concat([Buffer.from('y'), key, Buffer.from('z')]);
            expect(set.covering(padded, 1, 1 + key.length, sequenceMax)).toBe(
              Math.max(0, ...covering),
            );
          }
        }
        for (const [i, { gte, lt, sequences }] of set.fragments.entries()) {
          expect(compareKeys(gte, lt)).toBeLessThan(0);
          if (i > 0) expect(compareKeys(set.fragments[i - 1].lt, gte)).toBeLessThanOrEqual(0);
          expect([...new Set(sequences)].sort((a, b) => b - a)).toEqual(sequences);
        }
      }),
      { seed, numRuns: 60 },
    );
  });

  test('bytes that are none are refused', () => {
    const set = new RangeTombstones();
    set.add(Buffer.from('a'), Buffer.from('m'), 7);
    const encoded = set.encode();
    for (let length = 0; length < encoded.length; length++) {
      expect(() => RangeTombstones.decode(encoded.subarray(0, length))).toThrow();
    }
    expect(() => RangeTombstones.decode(Buffer.concat([encoded, Buffer.of(0)]))).toThrow(
      'expected range tombstones of',
    );
  });
});

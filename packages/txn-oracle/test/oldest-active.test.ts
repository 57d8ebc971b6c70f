/** The watermark: what no reader needs any more. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Oracle, type OracleTransaction } from '../src/index.js';
import { KEYS } from './history/random-history.js';
import { VersionedMap } from './history/versioned-map.js';
import { seeds } from './seeds.js';

describe('oldestActive', () => {
  it.each(seeds)('is the oldest snapshot that is open, or the newest commit (%s)', (_n, seed) => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ begin: fc.boolean() }) },
      { weight: 2, arbitrary: fc.record({ end: fc.nat(9), commit: fc.boolean() }) },
      { weight: 2, arbitrary: fc.record({ advance: fc.integer({ min: 1, max: 5 }) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const oracle = new Oracle({ lastCommitted: 7 });
        let open: OracleTransaction[] = [];
        let previous = 0;
        for (const each of steps) {
          if ('begin' in each) {
            const readOnly = each.begin;
            open.push(oracle.begin({ readOnly }));
          } else if ('advance' in each) {
            oracle.advance(oracle.lastCommitted + each.advance);
          } else if (open.length > 0) {
            const txn = open[each.end % open.length];
            if (each.commit) oracle.commit(txn);
            else txn.abort();
            open = open.filter((other) => other !== txn);
          }
          const expected = Math.min(
            oracle.lastCommitted,
            ...open.map(({ readTimestamp }) => readTimestamp),
          );
          expect(oracle.oldestActive).toBe(expected);
          expect(oracle.oldestActive).toBeGreaterThanOrEqual(previous);
          previous = oracle.oldestActive;
          expect(oracle.stats().open).toBe(open.length);
        }
      }),
      { seed, numRuns: 300 },
    );
  });

  it('is held back by a transaction that is marked, since it may go on reading', () => {
    const oracle = new Oracle();
    const txn = oracle.begin();
    txn.read(Buffer.from('a'));
    oracle.advance();
    oracle.noteWrite(Buffer.from('a'));
    expect(oracle.oldestActive).toBe(0);
    txn.abort();
    expect(oracle.oldestActive).toBe(1);
  });

  it('lets a store keep one version of each key, but for what is being read', () => {
    const map = new VersionedMap(new Oracle(), KEYS);
    for (let i = 0; i < 100; i++) map.putAlone('a', i);
    expect(map.versionCount).toBe(1);
    const reader = map.begin(true);
    for (let i = 100; i < 110; i++) map.putAlone('a', i);
    expect(map.get(reader, 'a')).toBe(99);
    expect(map.versionCount).toBe(11);
    map.commit(reader);
    map.deleteRangeAlone('a', 'b');
    expect(map.versionCount).toBe(0);
  });
});

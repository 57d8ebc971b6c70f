/** A table gives back, by every way of asking, exactly the entries that it was made of. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EntryKind } from '../../src/entry.js';
import { compareKeys } from '../../src/order.js';
import { expectLikeModel, keys, sortedVersions, type Version } from '../entries.js';
import { propertySeeds } from '../seeds.js';
import { build, machine, newCache, open, PATH } from './tables.js';

const settings = fc.record({
  blockBytes: fc.constantFrom(256, 512, 4096),
  filterBitsPerKey: fc.constantFrom(0, 1, 10),
  compression: fc.constantFrom('none' as const, 'deflate' as const),
  encrypted: fc.boolean(),
  cacheBytes: fc.constantFrom(0, 4096, 1 << 20),
  fillCache: fc.boolean(),
});
const KEY = new Uint8Array(32).fill(7);
const dataKeys = { active: { id: 3, key: KEY }, key: () => KEY };

describe('a table equals the sorted list that it was written from', () => {
  test.each(propertySeeds('table'))('seed %i', (seed) => {
    fc.assert(
      fc.property(
        sortedVersions(120),
        fc.array(fc.record({ key: keys, sequence: fc.integer({ min: 0, max: 400 }) }), {
          maxLength: 20,
        }),
        settings,
        (versions, probes, { encrypted, cacheBytes, fillCache, ...options }) => {
          const vfs = machine();
          const keysOption = encrypted ? { keys: dataKeys } : {};
          const summary = build(vfs, versions, { ...options, ...keysOption });
          expect(summary.fileBytes).toBe(vfs.statSync(PATH)?.size);
          const table = open(vfs, { ...newCache(cacheBytes), ...keysOption });
          expect(table.properties).toEqual(
            expect.objectContaining({ entries: versions.length, smallest: versions[0].key }),
          );
          expectLikeModel(
            {
              cursor: () => table.cursor({ fillCache }),
              get: (key, from, to, sequence, into) =>
                table.mayContain(key, from, to) && table.get(key, from, to, sequence, into),
            },
            versions,
            probes,
            (actual, expected, what) => expect(actual, what).toEqual(expected),
          );
          table.verify();
          table.closeSync();
        },
      ),
      { seed, numRuns: 40 },
    );
  });
});

test('a key that differs in nothing but the common beginning of a block is not taken for its first', () => {
  const vfs = machine();
  const value = new Uint8Array(0);
  const of = (text: string): Version => ({
    key: Uint8Array.from(Buffer.from(text)),
    sequence: 1,
    kind: EntryKind.put,
    value,
    expireAtMs: 0,
  });
  build(vfs, [of('abc1'), of('abc2'), of('abc3')]);
  const table = open(vfs);
  expectLikeModel(
    table,
    [of('abc1'), of('abc2'), of('abc3')],
    ['abb1', 'abd1', 'aac1', 'zbc1', 'abc', 'ab', '', 'abc11', 'abc0'].map(of),
    (actual, expected, what) => expect(actual, what).toEqual(expected),
  );
});

describe('a table of many blocks', () => {
  const many: Version[] = Array.from({ length: 30_000 }, (_, i) => ({
    key: Uint8Array.from(Buffer.from(`k${String(i >> 2).padStart(8, '0')}`)),
    sequence: 40_000 - i,
    kind: EntryKind.put,
    value: Uint8Array.from(Buffer.from(`value ${i}`)),
    expireAtMs: 0,
  }));

  test('has an index of two levels, and finds every key', () => {
    const vfs = machine();
    build(vfs, many, { blockBytes: 256 });
    const table = open(vfs);
    const cursor = table.cursor();
    let at = 0;
    for (cursor.seekToFirst(); cursor.valid; cursor.next(), at++) {
      expect(cursor.sequence).toBe(many[at].sequence);
    }
    expect(at).toBe(many.length);
    for (let i = 0; i < many.length; i += 97) {
      const { key, sequence } = many[i];
      cursor.seek(key, 0, key.length, sequence);
      expect(cursor.sequence).toBe(sequence);
      cursor.seekBefore(key, 0, key.length);
      const before = i - (i % 4) - 1;
      expect(cursor.valid ? cursor.sequence : undefined).toBe(many[before]?.sequence);
    }
    cursor.close();
    table.verify();
    expect(compareKeys(table.properties.largest, many[many.length - 1].key)).toBe(0);
  });
});

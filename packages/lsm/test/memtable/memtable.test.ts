/** A memtable equals a sorted list of versions, here and in the thread that it is shared with. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EntryKind } from '../../src/entry.js';
import { Memtable } from '../../src/memtable/memtable.js';
import {
  compareVersions,
  emptyEntry,
  entryOf,
  expectLikeModel,
  keys,
  type Version,
  versionOf,
} from '../entries.js';
import { propertySeeds } from '../seeds.js';
import { expectAllFound, manyKeys } from './many-keys.js';

const writes = fc.array(
  fc.record({
    key: keys,
    step: fc.constantFrom(1, 1, 1, 2, 1000, 2 ** 31, 2 ** 32),
    kind: fc.constantFrom(EntryKind.put, EntryKind.put, EntryKind.delete, EntryKind.pointer),
    value: fc.uint8Array({ maxLength: 300 }),
    expireAtMs: fc.constantFrom(0, 0, 1, 1_800_000_000_000, 2 ** 53 - 1),
  }),
  { maxLength: 150 },
);

function add(memtable: Memtable, version: Version): void {
  const e = entryOf(version);
  memtable.add(
    e.sequence,
    e.kind,
    e.keyBytes,
    e.keyFrom,
    e.keyTo,
    e.valueBytes,
    e.valueFrom,
    e.valueTo,
    e.expireAtMs,
  );
}

describe('a memtable equals the sorted list of what was added', () => {
  test.each(propertySeeds('memtable'))('seed %i', (seed) => {
    fc.assert(
      fc.property(
        writes,
        fc.constantFrom(64, 1024, 1 << 20),
        fc.array(fc.record({ key: keys, sequence: fc.nat(400) }), { maxLength: 20 }),
        (steps, capacityBytes, probes) => {
          const memtable = new Memtable({ capacityBytes });
          const versions: Version[] = [];
          let sequence = 0;
          for (const { step, ...rest } of steps) {
            sequence += step;
            const version = { ...rest, sequence };
            add(memtable, version);
            versions.push(version);
          }
          expect(memtable.count).toBe(versions.length);
          expect(memtable.sequenceMax).toBe(sequence);
          expect(memtable.isEmpty).toBe(versions.length === 0);
          const sorted = [...versions].sort(compareVersions);
          const compare = (actual: unknown, expected: unknown, what: string) =>
            expect(actual, what).toEqual(expected);
          expectLikeModel(memtable, sorted, probes, compare);
          memtable.freeze();
          const attached = Memtable.attach(structuredClone(memtable.share()));
          expectLikeModel(attached, sorted, probes, compare);
          expect(attached.count).toBe(memtable.count);
        },
      ),
      { seed, numRuns: 40 },
    );
  });
});

describe('a memtable of several levels', () => {
  test.each(propertySeeds('memtable of several levels'))('finds everything, seed %i', (seed) => {
    fc.assert(fc.property(manyKeys, expectAllFound), { seed, numRuns: 12 });
  });

  /** Families whose keys share beginnings of many lengths, in turns, up, down and at random. */
  const families: ((i: number, random: number) => string)[] = [
    (i) => `user:${String(i).padStart(9, '0')}`,
    (i) => `user:${String(999_999_999 - i).padStart(9, '0')}:profile`,
    (_, random) => `session:production:eu-west:${random.toString(36)}`,
    (_, random) => String(random % 3000).padStart(16, '0'),
    (i) => '\0'.repeat(i % 40),
    (_, random) => String.fromCharCode(random % 256),
  ];

  /**
   * The first page of an inner level once kept its first separator although smaller keys had come under it.
   * When the page was split, its keys seemed to share what that separator shared with the last one, the
   * words of those in between were taken from the wrong place, and later keys went astray: a flush found
   * entries out of order, one memtable in some hundreds.
   */
  test('keeps keys in order when smaller ones come under the first of a page', () => {
    const key = (family: string, i: number) => `0000${family}-${String(i).padStart(4, '0')}`;
    const texts: string[] = [];
    for (let i = 5000; i < 5100; i++) texts.push(key('b500', i));
    for (let i = 0; i < 200; i++) texts.push(key('a', i));
    // 1,777 has no factor in common with 5,000: every number once, in no order.
    for (let i = 0; i < 5000; i++) texts.push(key('b500', (i * 1777) % 5000));
    for (let i = 200; i < 400; i++) texts.push(key('a', i));
    const memtable = new Memtable({ capacityBytes: 1 << 20 });
    for (const [i, text] of texts.entries()) {
      const bytes = Buffer.from(text);
      memtable.add(i + 1, EntryKind.put, bytes, 0, bytes.length, bytes, 0, 0, 0);
    }
    const shown: string[] = [];
    const cursor = memtable.cursor();
    for (cursor.seekToFirst(); cursor.valid; cursor.next()) {
      shown.push(Buffer.from(versionOf(cursor).key).toString());
    }
    expect(shown).toEqual([...texts].sort());
    const into = emptyEntry();
    for (const [i, text] of texts.entries()) {
      const bytes = Buffer.from(text);
      expect(memtable.get(bytes, 0, bytes.length, 1e6, into), text).toBe(true);
      expect(into.sequence).toBe(i + 1);
    }
  });

  test.each([
    ['that descend', (i: number) => String(999_999 - i).padStart(16, '0')],
    [
      'whose smallest comes late, many times',
      (i: number, random: number) =>
        String((random % (1 + 40_000_000 / (i + 1))) | 0).padStart(16, '0'),
    ],
    ['of digits at random', (_: number, random: number) => String(random % 1e6).padStart(16, '0')],
    ['of one byte', (_: number, random: number) => String.fromCharCode(random & 255)],
  ])('keeps keys in order %s', (_, keyOf) => {
    const memtable = new Memtable({ capacityBytes: 1 << 20 });
    let x = 0x12345;
    for (let i = 0; i < 60_000; i++) {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      const key = Buffer.from(keyOf(i, x >>> 0), 'latin1');
      memtable.add(i + 1, EntryKind.put, key, 0, key.length, key, 0, 0, 0);
    }
    const cursor = memtable.cursor();
    cursor.seekToFirst();
    let last = versionOf(cursor);
    let count = 1;
    for (cursor.next(); cursor.valid; cursor.next(), count++) {
      const next = versionOf(cursor);
      if (compareVersions(last, next) >= 0) expect([last, next]).toEqual('in order');
      last = next;
    }
    expect(count).toBe(60_000);
  });

  test.each([
    ['one after the other', (i: number) => Math.floor(i / 4000)],
    ['in turns', (i: number) => i % families.length],
  ])('keeps families of keys in order that come %s', (_, familyOf) => {
    const memtable = new Memtable({ capacityBytes: 1 << 20 });
    const versions: Version[] = [];
    let x = 0x9e3779b9;
    for (let i = 0; i < 24_000; i++) {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      const key = Buffer.from(families[familyOf(i)](i, x >>> 0), 'latin1');
      const version = {
        key: Uint8Array.from(key),
        sequence: i + 1,
        kind: EntryKind.put,
        value: Uint8Array.of(i & 255),
        expireAtMs: 0,
      };
      add(memtable, version);
      versions.push(version);
    }
    const sorted = [...versions].sort(compareVersions);
    const forwards: number[] = [];
    const cursor = memtable.cursor();
    for (cursor.seekToFirst(); cursor.valid; cursor.next()) forwards.push(cursor.sequence);
    expect(forwards).toEqual(sorted.map(({ sequence }) => sequence));
    const backwards: number[] = [];
    for (cursor.seekToLast(); cursor.valid; cursor.prev()) backwards.push(cursor.sequence);
    expect(backwards).toEqual(forwards.reverse());
    const into = emptyEntry();
    const wrong: string[] = [];
    for (const { key, sequence } of versions) {
      const found = memtable.get(key, 0, key.length, sequence, into) ? into.sequence : 0;
      const absent = Buffer.concat([key, Buffer.of(1, 2, 3)]);
      const ghost = memtable.get(absent, 0, absent.length, sequence, into);
      if (found !== sequence || ghost) wrong.push(Buffer.from(key).toString('hex'));
    }
    expect(wrong).toEqual([]);
  });
});

describe('a memtable', () => {
  const put = (memtable: Memtable, sequence: number, key: string, value: string) =>
    add(memtable, {
      key: Buffer.from(key),
      sequence,
      kind: EntryKind.put,
      value: Buffer.from(value),
      expireAtMs: 0,
    });

  test('shows a cursor what is added while it is open', () => {
    const memtable = new Memtable({ capacityBytes: 100 });
    put(memtable, 1, 'b', 'one');
    const cursor = memtable.cursor();
    cursor.seekToFirst();
    const shown = versionOf(cursor);
    // The arena grows under the cursor; what it shows stays.
    for (let i = 2; i < 200; i++) put(memtable, i, `c${i}`, 'x'.repeat(50));
    expect(versionOf(cursor)).toEqual(shown);
    cursor.next();
    expect(Buffer.from(versionOf(cursor).key).toString()).toBe('c10');
    cursor.prev();
    expect(versionOf(cursor)).toEqual(shown);
  });

  test('refuses a sequence below the last, and everything once frozen', () => {
    const memtable = new Memtable({ capacityBytes: 1000 });
    put(memtable, 5, 'a', '1');
    expect(() => put(memtable, 4, 'b', '2')).toThrow('expected a sequence from 5 on, got 4');
    expect(() => memtable.share()).toThrow('expected a frozen memtable');
    memtable.freeze();
    expect(() => put(memtable, 6, 'b', '2')).toThrow('expected a memtable in use');
    expect(() => memtable.addRange(6, Buffer.from('a'), Buffer.from('b'))).toThrow('frozen');
  });

  test('carries its range tombstones to the thread that it is shared with', () => {
    const memtable = new Memtable({ capacityBytes: 1000 });
    memtable.addRange(3, Buffer.from('b'), Buffer.from('d'));
    expect(memtable.isEmpty).toBe(false);
    expect([memtable.sequenceMin, memtable.sequenceMax]).toEqual([3, 3]);
    memtable.freeze();
    const { rangeTombstones } = Memtable.attach(memtable.share());
    expect(rangeTombstones.covering(Buffer.from('c'), 0, 1, 9)).toBe(3);
    expect(rangeTombstones.covering(Buffer.from('d'), 0, 1, 9)).toBe(0);
  });

  test('counts its bytes, and a get that misses fills in nothing', () => {
    const memtable = new Memtable({ capacityBytes: 10_000 });
    const before = memtable.bytes;
    put(memtable, 1, 'key', 'v'.repeat(1000));
    expect(memtable.bytes - before).toBeGreaterThan(1000);
    expect(memtable.bytes - before).toBeLessThan(1100);
    const into = emptyEntry();
    expect(memtable.get(Buffer.from('kez'), 0, 3, 9, into)).toBe(false);
    expect(memtable.get(Buffer.from('key'), 0, 3, 0, into)).toBe(false);
    expect(into).toEqual(emptyEntry());
  });
});

/** Memtables of several levels: keys that are made to lead a search astray, and what must be found. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { EntryKind } from '../../src/entry.js';
import { Memtable } from '../../src/memtable/memtable.js';
import { emptyEntry, versionOf } from '../entries.js';

/** Keys of a few families, whose beginnings and ends come from few or many bytes, in some order. */
export const manyKeys: fc.Arbitrary<Uint8Array[]> = fc
  .record({
    letters: fc.constantFrom(2, 3, 10, 256),
    families: fc.array(fc.uint8Array({ maxLength: 13 }), { minLength: 1, maxLength: 6 }),
    tailBytes: fc.integer({ min: 1, max: 8 }),
    count: fc.constantFrom(300, 3000, 6000),
    order: fc.constantFrom('mixed', 'in turns', 'one by one', 'up', 'down'),
    seed: fc.integer({ min: 1, max: 0x7fffffff }),
  })
  .map(({ letters, families, tailBytes, count, order, seed }) => {
    let x = seed;
    const random = (below: number) => {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      return (x >>> 0) % below;
    };
    return Array.from({ length: count }, (_, i) => {
      const which =
        order === 'one by one'
          ? Math.floor((i * families.length) / count)
          : random(families.length);
      const family = families[order === 'in turns' ? i % families.length : which];
      const number = order === 'up' ? i : count - i;
      const tail =
        order === 'up' || order === 'down'
          ? Buffer.from(String(number).padStart(6, '0'))
          : Uint8Array.from({ length: random(tailBytes + 1) }, () => random(letters));
      return Uint8Array.from(Buffer.concat([family.map((byte) => byte % letters), tail]));
    });
  });

/** Puts the keys into a memtable, walks over it, and looks each version up. */
export function expectAllFound(list: readonly Uint8Array[]): void {
  const memtable = new Memtable({ capacityBytes: 1 << 16 });
  for (const [i, key] of list.entries()) {
    memtable.add(i + 1, EntryKind.put, key, 0, key.length, key, 0, 0, 0);
  }
  const versions = list.map((key, i) => ({ key, sequence: i + 1 }));
  const sorted = versions.sort((a, b) => Buffer.compare(a.key, b.key) || b.sequence - a.sequence);
  const cursor = memtable.cursor();
  cursor.seekToFirst();
  const into = emptyEntry();
  for (const { key, sequence } of sorted) {
    if (cursor.sequence !== sequence) expect(versionOf(cursor)).toEqual({ key, sequence });
    cursor.next();
    const found = memtable.get(key, 0, key.length, sequence, into) ? into.sequence : 0;
    if (found !== sequence) expect(found, Buffer.from(key).toString('hex')).toBe(sequence);
  }
  expect(cursor.valid).toBe(false);
}

/** What a table reads, and what it finds in memory: `ready`, `prefetch`, cursors that leave the cache alone. */
import type { VfsFile } from '@nendb/vfs';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';
import { EntryKind } from '../../src/entry.js';
import { TableReader } from '../../src/table/table-reader.js';
import { emptyEntry, type Version, walk } from '../entries.js';
import { build, DATABASE, machine, newCache, open, PATH } from './tables.js';

const keyOf = (i: number) => Uint8Array.from(Buffer.from(`key${String(i).padStart(5, '0')}`));
const versions: Version[] = Array.from({ length: 600 }, (_, i) => ({
  key: keyOf(i * 2),
  sequence: 1000 - i,
  kind: EntryKind.put,
  value: Uint8Array.from(Buffer.from(`value ${i}`)),
  expireAtMs: 0,
}));

/** A table whose synchronous reads are counted. */
function counted(vfs: SimVfs, limitBytes?: number) {
  const file = vfs.openSync(PATH, 'read');
  const reads = { count: 0 };
  const counting: VfsFile = new Proxy(file, {
    get(target, name) {
      if (name === 'readAtSync') reads.count++;
      const member = Reflect.get(target, name, target) as unknown;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const { cache, account } = newCache(limitBytes);
  const table = TableReader.open(counting, { databaseUuid: DATABASE, cache, account });
  reads.count = 0;
  return { table, reads, cache };
}

async function onMachine(body: (vfs: SimVfs) => Promise<void>): Promise<void> {
  const vfs = new SimVfs({ record: false });
  vfs.mkdirSync('/db');
  build(vfs, versions, { blockBytes: 256, indexPartitionBytes: 256 });
  await vfs.run(() => body(vfs));
}

describe('a table', () => {
  test('that is ready for a key reads nothing for it, and is ready after a prefetch', () =>
    onMachine(async (vfs) => {
      const { table, reads } = counted(vfs);
      const into = emptyEntry();
      for (let i = 0; i < 1200; i += 7) {
        const key = keyOf(i);
        if (!table.ready(key, 0, key.length)) await table.prefetch(key, 0, key.length);
        expect(reads.count).toBe(0);
        expect(table.ready(key, 0, key.length)).toBe(true);
        const found =
          table.mayContain(key, 0, key.length) && table.get(key, 0, key.length, 2000, into);
        expect(found).toBe(i % 2 === 0);
        expect(reads.count).toBe(0);
      }
    }));

  test('is not ready before, and two loads of a block at once do not disturb each other', () =>
    onMachine(async (vfs) => {
      const { table, cache } = counted(vfs);
      const key = keyOf(600);
      expect(table.ready(key, 0, key.length)).toBe(false);
      await Promise.all([
        table.prefetch(key, 0, key.length),
        table.prefetch(key, 0, key.length),
        table.prefetch(key, 0, key.length),
      ]);
      expect(table.ready(key, 0, key.length)).toBe(true);
      expect(cache.stats().blocks).toBe(2);
    }));

  test('walked without filling the cache reads ahead and leaves the cache alone', () =>
    onMachine(async (vfs) => {
      const { table, reads, cache } = counted(vfs);
      const partitions = () => cache.stats().blocks;
      const cursor = table.cursor({ fillCache: false });
      expect(walk(cursor, 'forwards')).toEqual(versions);
      expect(reads.count).toBeLessThan(30);
      const after = partitions();
      expect(walk(cursor, 'backwards')).toEqual([...versions].reverse());
      expect(partitions()).toBe(after);
      cursor.close();
      const filling = table.cursor();
      expect(walk(filling, 'forwards')).toEqual(versions);
      filling.close();
      expect(partitions()).toBeGreaterThan(after + 30);
    }));

  test('serves several cursors at once under a budget that holds a few blocks', () =>
    onMachine(async (vfs) => {
      const { table } = counted(vfs, 16 * 1024);
      const cursors = Array.from({ length: 8 }, (_, i) => table.cursor({ fillCache: i % 2 === 0 }));
      for (const [i, cursor] of cursors.entries()) {
        const key = keyOf(i * 100);
        cursor.seek(key, 0, key.length, 2000);
      }
      for (let step = 0; step < 100; step++) {
        for (const [i, cursor] of cursors.entries()) {
          expect(cursor.sequence).toBe(1000 - i * 50 - step);
          cursor.next();
        }
      }
      for (const cursor of cursors) cursor.close();
    }));
});

test('a table of range tombstones alone has no entry and is whole', () => {
  const vfs = machine();
  build(vfs, [], {}, [{ gte: Buffer.from('b'), lt: Buffer.from('d'), sequence: 7 }]);
  const table = open(vfs);
  const key = Buffer.from('c');
  expect(table.get(key, 0, 1, 9, emptyEntry())).toBe(false);
  expect(table.ready(key, 0, 1)).toBe(true);
  expect(table.rangeTombstones.covering(key, 0, 1, 9)).toBe(7);
  const cursor = table.cursor();
  expect([walk(cursor, 'forwards'), walk(cursor, 'backwards')]).toEqual([[], []]);
  cursor.seek(key, 0, 1, 9);
  expect(cursor.valid).toBe(false);
  table.verify();
});

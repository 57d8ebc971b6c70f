/** Open tables give way when memory is short or there are too many, but never while they are being read. */
import { describe, expect, test } from 'vitest';
import { BlockCache } from '../../src/cache/block-cache.js';
import { MemoryBudget } from '../../src/cache/memory-budget.js';
import { TableCache } from '../../src/db/table-cache.js';
import { EntryKind } from '../../src/entry.js';
import { tableFile } from '../../src/manifest/format.js';
import { emptyEntry, type Version } from '../entries.js';
import { build, DATABASE, machine } from '../table/tables.js';

const versions: Version[] = Array.from({ length: 300 }, (_, i) => ({
  key: Uint8Array.from(Buffer.from(`key${String(i).padStart(5, '0')}`)),
  sequence: 1000 - i,
  kind: EntryKind.put,
  value: Uint8Array.from(Buffer.from(`value ${i}`)),
  expireAtMs: 0,
}));

function tables(count: number, limitBytes: number) {
  const vfs = machine();
  const metas = Array.from({ length: count }, (_, i) => {
    const number = i + 1;
    const options = { blockBytes: 256, indexPartitionBytes: 128 };
    const summary = build(vfs, versions, options, [], `/db/${tableFile(number)}`);
    return { ...summary, number, level: 1, run: 0 };
  });
  const budget = new MemoryBudget(limitBytes);
  const blocks = new BlockCache(budget);
  const cache = new TableCache({
    ...{ vfs, dir: '/db', databaseUuid: DATABASE, keys: undefined, blocks },
  });
  return { vfs, metas, budget, cache };
}

describe('open tables', () => {
  test('are closed where others need their memory, but for the one that was asked for last', () => {
    const { metas, budget, cache } = tables(4, 1 << 20);
    for (const meta of metas) cache.get(meta);
    // More than the limit is in use by something that cannot give way: every read presses.
    budget.account('memtables').add(2 << 20);
    expect(metas.filter(({ number }) => cache.has(number)).length).toBeLessThan(4);
    const into = emptyEntry();
    for (const meta of metas) {
      const reader = cache.get(meta);
      for (const { key, sequence } of versions) {
        expect(reader.get(key, 0, key.length, 2000, into)).toBe(true);
        expect(into.sequence).toBe(sequence);
      }
    }
    cache.close();
  });

  test('stay open while somebody holds them', () => {
    const { metas, budget, cache } = tables(3, 1 << 20);
    const held = cache.hold(metas[0]);
    const cursor = held.cursor();
    cursor.seekToFirst();
    cache.get(metas[1]);
    cache.get(metas[2]);
    budget.account('memtables').add(2 << 20);
    expect(cache.has(metas[0].number)).toBe(true);
    let count = 0;
    for (; cursor.valid; cursor.next()) count++;
    expect(count).toBe(versions.length);
    cursor.close();
    cache.release(metas[0].number);
    cache.get(metas[2]);
    budget.account('others').add(1);
    expect(cache.has(metas[0].number)).toBe(false);
    cache.close();
  });

  test('give everything back that they counted', () => {
    const { metas, budget, cache } = tables(3, 1 << 20);
    const into = emptyEntry();
    for (const meta of metas) {
      const reader = cache.get(meta);
      for (const { key } of versions) reader.get(key, 0, key.length, 2000, into);
    }
    expect(budget.usedBytes).toBeGreaterThan(0);
    cache.close();
    budget.limitBytes = 0;
    expect(budget.usedBytes).toBe(0);
  });
});

import { Region } from '@nendb/pmem';
import { describe, expect, it } from 'vitest';
import { DashTable } from '../src/index.js';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const MiB = 1024 * 1024;

describe('a caller that has looked already', () => {
  it('sets what it has found, or missed, without a second search', () => {
    const table = DashTable.open(Region.heap(16 * MiB));
    for (let i = 0; i < 20_000; i++) {
      const key = bytes(`key ${i % 7_000}`);
      const found = table.find(key, 0, key.length) !== 0;
      expect(found).toBe(i >= 7_000);
      const value = bytes(`${i}`);
      table.putFound(found, key, 0, key.length, value, 0, value.length, 3, i);
    }
    expect(table.size).toBe(7_000);
    expect(table.verify().problems).toEqual([]);
    expect(table.get(bytes('key 5'))).toEqual(bytes(`${14_005}`));
  });

  it('meets a record again by the hash of its key', () => {
    const table = DashTable.open(Region.heap(16 * MiB));
    const hashes = new Map<string, number>();
    for (let i = 0; i < 5_000; i++) {
      const key = bytes(`key ${i}`);
      table.set(key, key);
      hashes.set(`key ${i}`, table.hash);
    }
    for (const [name, hash] of hashes) {
      const met: string[] = [];
      table.scanHash(hash, (record) => {
        const key = Buffer.alloc(table.records.keyBytes(record));
        table.records.copyKey(record, key, 0);
        met.push(key.toString());
      });
      expect(met).toContain(name);
      expect(met.length).toBeLessThan(3);
    }
  });

  it('turns to a table only where it is the one that was meant', () => {
    const region = Region.heap(16 * MiB);
    const table = DashTable.at(region, DashTable.create(region, { tag: 1 }));
    const address = DashTable.create(region, { tag: 2 });
    expect(table.tryRebind(address, 2)).toBe(true);
    table.set(bytes('a'), bytes('1'));
    expect(table.tryRebind(address, 3)).toBe(false);
    expect(() => table.get(bytes('a'))).toThrow(expect.objectContaining({ code: 'DASH_NO_TABLE' }));
    expect(table.tryRebind(address, 2)).toBe(true);
    expect(table.get(bytes('a'))).toEqual(bytes('1'));
    while (!table.free(100));
    expect(table.tryRebind(address, 2)).toBe(false);
    const again = DashTable.create(region, { tag: 4 });
    expect(again).toBe(address);
    expect(table.tryRebind(again, 2)).toBe(false);
    expect(table.tryRebind(again, 4)).toBe(true);
    expect(table.has(bytes('a'))).toBe(false);
  });
});

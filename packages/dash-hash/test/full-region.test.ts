/** A region that is full: refused before anything changes, and the tables stay usable (R7). */
import { Region } from '@nendb/pmem';
import { describe, expect, it } from 'vitest';
import { DashSpace, DashTable } from '../src/index.js';
import { random } from './random.js';

const KiB = 1024;
const exhausted = expect.objectContaining({ code: 'PMEM_EXHAUSTED' });
const key = (i: number) => new Uint8Array(Buffer.from(`key ${i}`));

/** Sets keys until the region is full; how many there are then. */
function fillUp(table: DashTable, bytes: number, from = 0): number {
  for (let i = from; ; i++) {
    try {
      table.set(key(i), Buffer.alloc(bytes, i));
    } catch (error) {
      expect(error).toEqual(exhausted);
      return i;
    }
  }
}

describe('a full region', () => {
  for (const bytes of [10, 300, 20_000, 200_000]) {
    it(`refuses entries of ${bytes} bytes, and nothing has changed`, () => {
      const region = Region.heap(1280 * KiB);
      const table = DashTable.open(region, { chunkBytes: 64 * KiB });
      const count = fillUp(table, bytes);
      expect(count).toBeGreaterThan(3);
      expect(table.size).toBe(count);
      expect(table.verify().problems).toEqual([]);
      expect(DashSpace.of(region).verify().problems).toEqual([]);
      for (let i = 0; i < count; i++) if (!table.has(key(i))) expect(key(i)).toBe('there');
      expect(table.has(key(count))).toBe(false);
    });

    it(`gives the space of removed entries of ${bytes} bytes back`, () => {
      const region = Region.heap(1280 * KiB);
      const table = DashTable.open(region, { chunkBytes: 64 * KiB });
      const count = fillUp(table, bytes);
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < count; i++) table.delete(key(i));
        expect(table.size).toBe(0);
        const again = fillUp(table, bytes);
        expect(again).toBeGreaterThanOrEqual(Math.floor(count * 0.9));
        for (let i = count; i < again; i++) table.delete(key(i));
        for (let i = again; i < count; i++) expect(table.has(key(i))).toBe(false);
        expect(table.verify().problems).toEqual([]);
      }
      expect(region.verify().problems).toEqual([]);
    });
  }

  it('takes overwrites of the same size for ever', () => {
    const region = Region.heap(1024 * KiB);
    const table = DashTable.open(region, { chunkBytes: 16 * KiB });
    const count = Math.floor(fillUp(table, 500) * 0.8);
    for (let i = count; table.delete(key(i)); i++);
    for (let i = 0; i < 20_000; i++) {
      expect(table.set(key(i % count), Buffer.alloc(500, i))).toBe(false);
    }
    expect(table.verify().problems).toEqual([]);
  });

  it('R7: what was reserved is set without meeting it', () => {
    const region = Region.heap(4096 * KiB);
    const table = DashTable.open(region, { chunkBytes: 64 * KiB });
    const next = random(5);
    let batches = 0;
    for (let i = 0; ; batches++) {
      const entries = 1 + next(40);
      const lengths = Array.from({ length: entries }, () => next(next(20) === 0 ? 90_000 : 300));
      const bytes = lengths.reduce((sum, length, n) => sum + length + key(i + n).length, 0);
      try {
        table.reserve(entries, bytes);
      } catch (error) {
        expect(error).toEqual(exhausted);
        break;
      }
      for (const length of lengths) table.set(key(i++), Buffer.alloc(length, i));
    }
    expect(batches).toBeGreaterThan(10);
    expect(table.verify().problems).toEqual([]);
  });
});

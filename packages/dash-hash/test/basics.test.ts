import { Region } from '@nendb/pmem';
import { describe, expect, it } from 'vitest';
import { DashSpace, DashTable } from '../src/index.js';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const MiB = 1024 * 1024;

describe('a table', () => {
  it('gives back what was set', () => {
    const table = DashTable.open(Region.heap(4 * MiB));
    expect(table.set(bytes('a'), bytes('1'))).toBe(true);
    expect(table.set(bytes('a'), bytes('22'))).toBe(false);
    expect(table.get(bytes('a'))).toEqual(bytes('22'));
    expect(table.get(bytes('b'))).toBeUndefined();
    expect(table.size).toBe(1);
    expect(table.delete(bytes('a'))).toBe(true);
    expect(table.delete(bytes('a'))).toBe(false);
    expect(table.has(bytes('a'))).toBe(false);
    expect(table.size).toBe(0);
    expect(table.verify()).toMatchObject({ ok: true });
  });

  it('holds many entries through growth, splits and doubling', () => {
    const region = Region.heap(64 * MiB);
    const table = DashTable.open(region);
    const count = 50_000;
    for (let i = 0; i < count; i++) table.set(bytes(`key:${i}`), bytes(`value ${i}`));
    expect(table.size).toBe(count);
    const target = new Uint8Array(64);
    for (let i = 0; i < count; i++) {
      const length = table.getInto(bytes(`key:${i}`), target, 0);
      const value = Buffer.from(target.buffer, 0, length).toString();
      if (value !== `value ${i}`) expect(value).toBe(`value ${i}`);
      if (i % 3 === 0) table.delete(bytes(`key:${i}`));
    }
    expect(table.verify().problems).toEqual([]);
    for (let i = 0; i < count; i++) {
      const there = table.has(bytes(`key:${i}`));
      if (there !== (i % 3 !== 0)) expect(there).toBe(!there);
    }
    expect(region.verify().ok).toBe(true);
  });

  it('compacts what was overwritten, in steps', () => {
    const region = Region.heap(64 * MiB);
    const table = DashTable.open(region);
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 20_000; i++) table.set(bytes(`key:${i}`), bytes(`${round}`.repeat(40)));
    }
    const { garbageBytes, liveBytes, chunksEmptied } = DashSpace.of(region).stats;
    expect(chunksEmptied).toBeGreaterThan(10);
    expect(garbageBytes).toBeLessThan(liveBytes);
    expect(table.verify().problems).toEqual([]);
    expect(region.verify().ok).toBe(true);
  });

  it('holds entries of any length', () => {
    const region = Region.heap(64 * MiB);
    const table = DashTable.open(region);
    for (const length of [0, 1, 7, 8, 65_000, 65_535, 65_536, 200_001, 5_000_000]) {
      const value = new Uint8Array(length).map((_, i) => i * 7);
      const key = new Uint8Array(length / 2).fill(length);
      table.set(key, value, { flags: 7, expireAtMs: 1_790_000_000_123 });
      expect(Buffer.compare(table.get(key) ?? bytes('none'), value)).toBe(0);
      const record = table.find(key, 0, key.length);
      expect(table.records.expireAtMs(record)).toBe(1_790_000_000_123);
      expect(table.records.flags(record)).toBe(7);
      expect(table.records.valueBytes(record)).toBe(length);
      expect(table.remark(key, 0, key.length, 3, 0)).toBe(true);
      expect(Buffer.compare(table.get(key) ?? bytes('none'), value)).toBe(0);
      expect(table.verify().problems).toEqual([]);
    }
    expect([...table.entries()]).toHaveLength(table.size);
  });
});

/** Regions in memory: they cost what they use, whatever size they may grow to. */
import { Region, WINDOW_BYTES_MAX } from '@nendb/pmem';
import { describe, expect, test } from 'vitest';

const MIB = 1024 * 1024;

describe('a region in memory', () => {
  test('of 32 GiB costs next to nothing until it is used', () => {
    const before = process.memoryUsage();
    const region = Region.heap(32 * 1024 * MIB);
    expect(region.windows).toHaveLength(32);
    const after = process.memoryUsage();
    // Other test files run in this process; 32 GiB would show all the same.
    expect(after.rss - before.rss).toBeLessThan(512 * MIB);
    expect(after.external - before.external).toBeLessThan(MIB);
    expect(region.stats).toMatchObject({ footprintBytes: 4096, allocatedBytes: 0 });
    expect(region.verify().ok).toBe(true);
  });

  test('never lets an allocation straddle two windows, and reaches beyond 4 GiB', () => {
    const region = Region.heap(5 * WINDOW_BYTES_MAX);
    const sizes = [600 * MIB, 500 * MIB, 300 * MIB, 700 * MIB, 1000 * MIB, 900 * MIB, 5 * MIB];
    const offsets = sizes.map((bytes) => region.alloc(bytes));
    for (const [i, offset] of offsets.entries()) {
      const last = offset + sizes[i] - 1;
      expect(Math.floor(last / WINDOW_BYTES_MAX)).toBe(Math.floor(offset / WINDOW_BYTES_MAX));
    }
    expect(Math.max(...offsets)).toBeGreaterThan(4 * WINDOW_BYTES_MAX);
    expect(region.verify().problems).toEqual([]);
    expect(() => region.alloc(900 * MIB)).toThrow(
      expect.objectContaining({ code: 'PMEM_EXHAUSTED' }),
    );
    const far = offsets[5];
    region.setRoot(7, far);
    expect(region.root(7)).toBe(far);
    for (const [i, offset] of offsets.entries()) region.free(offset, sizes[i]);
    expect(region.stats).toMatchObject({ allocatedBytes: 0, freeBytes: 0, blocks: 0 });
    expect(region.verify().ok).toBe(true);
  });

  test('remembers how far it was ever touched', () => {
    const region = Region.heap(MIB);
    region.free(region.alloc(100_000), 100_000);
    expect(region.stats.allocatedBytes).toBe(0);
    expect(region.stats.footprintBytes).toBeGreaterThan(100_000);
    expect(region.stats.untouchedBytes).toBe(MIB - 4096);
  });

  test.each([0, 100, Number.NaN, 33 * 1024 * MIB])('cannot have %d bytes', (bytes) => {
    expect(() => Region.heap(bytes)).toThrow(expect.objectContaining({ code: 'PMEM_BAD_OPTION' }));
  });
});

/** The cache keeps to its budget, counts honestly, keeps what is used again, and lets scans pass. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlockCache } from '../../src/cache/block-cache.js';
import type { BlockSlots } from '../../src/cache/block-slots.js';
import type { Frame } from '../../src/cache/frame.js';
import { MemoryBudget } from '../../src/cache/memory-budget.js';
import { propertySeeds } from '../seeds.js';

/** What a table does with the cache: uses the block that is there, or brings one of `bytes` in. */
function use(cache: BlockCache, slots: BlockSlots, ordinal: number, bytes = 4000): boolean {
  const frame = slots.frames[ordinal];
  if (frame !== undefined) {
    cache.touch(frame);
    return true;
  }
  cache.keep(slots, ordinal, cache.take(bytes));
  return false;
}

const inMemory = (slots: BlockSlots) => slots.frames.filter((frame) => frame !== undefined);

describe('the block cache', () => {
  test('keeps a hot set while a scan passes', () => {
    const cache = new BlockCache(new MemoryBudget(100 * 4096));
    const hot = cache.open(50);
    const scanned = cache.open(1000);
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 50; i++) use(cache, hot, i);
    }
    for (let i = 0; i < 1000; i++) use(cache, scanned, i);
    expect(inMemory(hot).length).toBe(50);
  });

  test('takes a block that comes back soon into the main queue', () => {
    const cache = new BlockCache(new MemoryBudget(20 * 4096));
    const slots = cache.open(200);
    for (let i = 0; i < 40; i++) use(cache, slots, i);
    expect(slots.frames[0]).toBeUndefined();
    use(cache, slots, 15);
    for (let i = 40; i < 59; i++) use(cache, slots, i);
    expect(slots.frames[15]).toBeDefined();
    expect(slots.frames[39]).toBeUndefined();
  });

  test('neither evicts nor reuses what is pinned', () => {
    const cache = new BlockCache(new MemoryBudget(10 * 4096));
    const slots = cache.open(100);
    use(cache, slots, 0);
    const pinned = slots.frames[0] as Frame;
    pinned.pins++;
    for (let i = 1; i < 100; i++) {
      use(cache, slots, i);
      expect(slots.frames[i]).not.toBe(pinned);
    }
    expect(slots.frames[0]).toBe(pinned);
    cache.drop(slots);
    const others = cache.open(100);
    for (let i = 0; i < 100; i++) use(cache, others, i);
    expect(inMemory(others)).not.toContain(pinned);
  });

  test('goes on when everything is pinned', () => {
    const budget = new MemoryBudget(4 * 4096 * 8);
    const cache = new BlockCache(budget);
    const slots = cache.open(100);
    for (let i = 0; i < 100; i++) {
      use(cache, slots, i);
      (slots.frames[i] as Frame).pins++;
    }
    expect(inMemory(slots).length).toBe(100);
    expect(budget.usedBytes).toBeGreaterThan(budget.limitBytes);
    for (const frame of inMemory(slots)) (frame as Frame).pins--;
    budget.limitBytes = 4096;
    expect(budget.usedBytes).toBeLessThanOrEqual(4096);
  });

  test('makes room for what others count on the same budget', () => {
    const budget = new MemoryBudget(100 * 4096);
    const cache = new BlockCache(budget);
    const memtables = budget.account('memtables');
    const slots = cache.open(90);
    for (let i = 0; i < 90; i++) use(cache, slots, i);
    memtables.add(60 * 4096);
    expect(budget.usedBytes).toBeLessThanOrEqual(budget.limitBytes);
    expect(inMemory(slots).length).toBeGreaterThan(30);
    memtables.set(0);
    for (let i = 0; i < 90; i++) use(cache, slots, i);
    expect(inMemory(slots).length).toBe(90);
  });

  test('does not keep a block that would fill an eighth of the budget', () => {
    const budget = new MemoryBudget(10 * 4096);
    const cache = new BlockCache(budget);
    const slots = cache.open(1);
    use(cache, slots, 0, 9000);
    expect([slots.frames[0], budget.usedBytes]).toEqual([undefined, 0]);
  });
});

describe('the cache counts what it holds', () => {
  const steps = fc.array(
    fc.oneof(
      { weight: 20, arbitrary: fc.tuple(fc.constant('use' as const), fc.nat(99)) },
      { weight: 3, arbitrary: fc.tuple(fc.constant('pin' as const), fc.nat(99)) },
      { weight: 3, arbitrary: fc.tuple(fc.constant('unpin' as const), fc.nat(99)) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('limit' as const), fc.nat(60)) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('drop' as const), fc.nat(2)) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('others' as const), fc.nat(40)) },
      { weight: 2, arbitrary: fc.tuple(fc.constant('giveBack' as const), fc.nat(9)) },
    ),
    { maxLength: 300 },
  );

  test.each(propertySeeds('block cache'))('seed %i', (seed) => {
    fc.assert(
      fc.property(steps, (list) => {
        const budget = new MemoryBudget(64 * 1024);
        const cache = new BlockCache(budget);
        const others = budget.account('others');
        const tables = Array.from({ length: 3 }, () => cache.open(100));
        const pinned = new Set<Frame>();
        for (const [what, n] of list) {
          const slots = tables[n % 3];
          const frame = slots.frames[n];
          if (what === 'use') use(cache, slots, n, 300 + (n % 7) * 900);
          else if (what === 'giveBack') cache.giveBack(cache.take(500 * (n + 1)));
          else if (what === 'limit') budget.limitBytes = n * 4096;
          else if (what === 'others') others.set(n * 1024);
          else if (what === 'drop') {
            cache.drop(tables[n]);
            expect(inMemory(tables[n])).toEqual([]);
            tables[n] = cache.open(100);
          } else if (frame !== undefined && what === 'pin') {
            frame.pins = 1;
            pinned.add(frame);
          } else if (frame !== undefined) {
            frame.pins = 0;
            pinned.delete(frame);
          }
          const held = tables.flatMap(inMemory) as Frame[];
          const { bytes, blocks } = cache.stats();
          expect(blocks).toBe(held.length);
          // What is not in a slot is free, and waits for a block of its size.
          const inSlots = held.reduce((sum, { capacity }) => sum + capacity, 0);
          expect(bytes).toBeGreaterThanOrEqual(inSlots);
          expect(budget.usedBytes).toBe(bytes + others.bytes);
          const pinnedBytes = held
            .filter(({ pins }) => pins > 0)
            .reduce((sum, { capacity }) => sum + capacity, 0);
          const unavoidable = others.bytes + pinnedBytes + 6144;
          expect(budget.usedBytes).toBeLessThanOrEqual(Math.max(budget.limitBytes, unavoidable));
          for (const [t, { frames }] of tables.entries()) {
            for (const [ordinal, each] of frames.entries()) {
              if (each === undefined) continue;
              expect([each.slots, each.ordinal]).toEqual([tables[t], ordinal]);
            }
          }
        }
        budget.limitBytes = 0;
        for (const frame of pinned) frame.pins = 0;
        for (const slots of tables) cache.drop(slots);
        expect(cache.stats()).toMatchObject({ blocks: 0, bytes: 0 });
      }),
      { seed, numRuns: 30 },
    );
  });
});

describe('a memory budget', () => {
  test('asks for what is over, in order, and stops when it is under', () => {
    const budget = new MemoryBudget(100);
    const asked: [string, number][] = [];
    const first = budget.account('first');
    const second = budget.account('second');
    budget.onPressure((bytes) => {
      asked.push(['first', bytes]);
      const given = Math.min(bytes, first.bytes);
      first.add(-given);
      return given;
    });
    budget.onPressure((bytes) => {
      asked.push(['second', bytes]);
      return 0;
    });
    first.add(60);
    second.add(60);
    expect(asked).toEqual([['first', 20]]);
    second.add(70);
    expect(asked.slice(1)).toEqual([
      ['first', 70],
      ['second', 30],
    ]);
    expect([budget.usedBytes, budget.freeBytes]).toEqual([130, 0]);
    expect(budget.accounts.map(({ name, bytes }) => [name, bytes])).toEqual([
      ['first', 0],
      ['second', 130],
    ]);
    expect(() => first.add(-1)).toThrow('expected at most 0 bytes to be given back to first');
  });
});

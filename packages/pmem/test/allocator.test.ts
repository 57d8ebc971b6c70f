/** The allocator against a model: what is handed out is disjoint, keeps its bytes, and comes back. */
import { PmemError, Region } from '@nendb/pmem';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { testSeeds } from './seeds.js';

const REGION_BYTES = 256 * 1024;

interface Held {
  offset: number;
  bytes: number;
  mark: number;
}

const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('alloc' as const), bytes: sizes() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('free' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('disown' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('publish' as const), pick: fc.nat() }) },
);

function sizes() {
  return fc.oneof(
    fc.integer({ min: 1, max: 200 }),
    fc.constantFrom(4096, 8192, 4095, 4097),
    fc.integer({ min: 200, max: 70_000 }),
  );
}

describe('the allocator', () => {
  const seeds = testSeeds('allocator');
  test.each(seeds)('hands out disjoint blocks and loses none, seed %i', (seed) => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 120 }), (operations) => {
        const region = Region.heap(REGION_BYTES);
        const word = region.alloc(64, { into: region.rootWord(0) });
        const held: Held[] = [];
        let mark = 0;
        for (const operation of operations) {
          if (operation.kind === 'alloc') {
            const offset = tryAlloc(region, operation.bytes);
            if (offset === 0) continue;
            mark = (mark + 1) % 251;
            region.windows[0].u8.fill(mark, offset, offset + operation.bytes);
            held.push({ offset, bytes: operation.bytes, mark });
          } else if (held.length > 0) {
            const at = operation.pick % held.length;
            const { offset, bytes } = held[at];
            expect(region.sizeOf(offset)).toBe(bytes);
            if (operation.kind === 'free') {
              region.free(offset, bytes);
              held.splice(at, 1);
            } else if (operation.kind === 'disown') region.disown(offset);
            else region.publish(offset, word + (at % 16) * 4);
          }
        }
        for (const { offset, bytes, mark } of held) {
          const content = region.windows[0].u8.subarray(offset, offset + bytes);
          expect(content.every((byte) => byte === mark)).toBe(true);
        }
        const verdict = region.verify();
        expect(verdict.problems).toEqual([]);
        expect(verdict.ownedBlocks + verdict.pendingBlocks).toBe(held.length + 1);
        expect(region.stats.blocks).toBe(held.length + 1);
        for (const { offset, bytes } of held) region.free(offset, bytes);
        region.free(word, 64, { from: region.rootWord(0) });
        expect(region.verify()).toMatchObject({ ok: true, freeBlocks: 0 });
        expect(region.stats).toMatchObject({
          blocks: 0,
          allocatedBytes: 0,
          freeBytes: 0,
          untouchedBytes: REGION_BYTES - 4096,
        });
      }),
      { seed, numRuns: 150 },
    );
  });
});

function tryAlloc(region: Region, bytes: number): number {
  try {
    return region.alloc(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(PmemError);
    expect((error as PmemError).code).toBe('PMEM_EXHAUSTED');
    expect(region.verify().problems).toEqual([]);
    return 0;
  }
}

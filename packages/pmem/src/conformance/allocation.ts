/** The part of the suite about allocations, roots and what refuses. */
import assert from 'node:assert/strict';
import { Epochs } from '../epochs/epochs.js';
import { EXTRA_WORDS_MAX, ROOTS_MAX } from '../limits.js';
import { expectCode, expectMark, expectSound, mark } from './expect.js';
import type { ConformanceCase } from './subject.js';

export const allocationCases: readonly ConformanceCase[] = [
  {
    name: 'allocations are aligned to lines, disjoint, and keep what they hold',
    body(region) {
      const held = [1, 63, 64, 65, 4096, 8192, 100_000].map((bytes, i) => {
        const offset = region.alloc(bytes);
        assert.equal(offset % 64, 0);
        assert.equal(region.sizeOf(offset), bytes);
        mark(region, offset, bytes, i + 1);
        return { offset, bytes };
      });
      for (const [i, { offset, bytes }] of held.entries()) expectMark(region, offset, bytes, i + 1);
      expectSound(region);
      for (const { offset, bytes } of held) region.free(offset, bytes);
      expectSound(region);
      assert.equal(region.stats.blocks, 0);
      assert.equal(region.stats.freeBytes, 0);
      assert.equal(region.stats.allocations, held.length);
      assert.equal(region.stats.frees, held.length);
    },
  },
  {
    name: 'what is freed is handed out again, joined with its neighbours',
    body(region) {
      const [a, b, c, d] = [1000, 2000, 3000, 500].map((bytes) => region.alloc(bytes));
      region.free(a, 1000);
      region.free(c, 3000);
      assert.equal(region.verify().freeBlocks, 2);
      assert(region.stats.fragmentation > 0);
      region.free(b, 2000);
      assert.equal(region.verify().freeBlocks, 1);
      assert.equal(region.stats.fragmentation, 0);
      assert.equal(region.alloc(6000), a);
      region.free(d, 500);
      expectSound(region);
    },
  },
  {
    name: 'a full region refuses, and what it has stays usable',
    body(region) {
      const held: number[] = [];
      expectCode('PMEM_EXHAUSTED', () => {
        for (;;) held.push(region.alloc(8192));
      });
      assert(held.length > 20);
      expectSound(region);
      expectCode('PMEM_EXHAUSTED', () => region.alloc(8192));
      for (const offset of held.splice(0, 2)) region.free(offset, 8192);
      held.push(region.alloc(16_000));
      expectCode('PMEM_EXHAUSTED', () => region.alloc(8192));
      expectSound(region);
      for (const offset of held) region.free(offset, region.sizeOf(offset));
      assert.equal(region.stats.allocatedBytes, 0);
    },
  },
  {
    name: 'roots lead to allocations; publishing, replacing and withdrawing are one step each',
    body(region) {
      const { windows } = region;
      assert.equal(region.root(3), 0);
      const first = region.alloc(4096, { into: region.rootWord(3) });
      assert.equal(region.root(3), first);
      const word = first + 8;
      windows[0].store32(word / 4, 0);
      const inner = region.alloc(100);
      assert.equal(region.verify().pendingBlocks, 1);
      region.publish(inner, word);
      assert.equal(region.verify().pendingBlocks, 0);
      assert.equal(windows[0].u32[word / 4] * 8, inner);
      const next = region.alloc(200);
      region.publish(next, word, { withdraws: inner, words: [[first + 16, 77]] });
      assert.equal(windows[0].u32[word / 4] * 8, next);
      assert.equal(windows[0].u32[first / 4 + 4], 77);
      assert.equal(region.verify().pendingBlocks, 1);
      region.free(inner, 100);
      region.withdraw(next, word);
      assert.equal(windows[0].u32[word / 4], 0);
      assert.equal(region.verify().pendingBlocks, 1);
      region.free(next, 200);
      region.free(first, 4096, { from: region.rootWord(3) });
      assert.equal(region.root(3), 0);
      const other = region.alloc(10);
      region.setRoot(ROOTS_MAX - 1, other);
      assert.equal(region.root(ROOTS_MAX - 1), other);
      expectSound(region);
    },
  },
  {
    name: 'bad sizes and addresses are refused, and change nothing',
    body(region) {
      const offset = region.alloc(1000);
      const before = region.verify();
      for (const bytes of [0, -1, 1.5, Number.NaN, 2 ** 31]) {
        expectCode('PMEM_BAD_OPTION', () => region.alloc(bytes));
      }
      expectCode('PMEM_BAD_OPTION', () => region.root(ROOTS_MAX));
      expectCode('PMEM_BAD_OPTION', () => region.rootWord(-1));
      expectCode('PMEM_BAD_ADDRESS', () => region.free(offset, 999));
      for (const wrong of [0, 64, offset + 64, offset + 1, 2 ** 40, -64]) {
        expectCode('PMEM_BAD_ADDRESS', () => region.free(wrong, 1000));
        expectCode('PMEM_BAD_ADDRESS', () => region.sizeOf(wrong));
      }
      expectCode('PMEM_BAD_ADDRESS', () => region.alloc(10, { into: 4 }));
      expectCode('PMEM_BAD_ADDRESS', () => region.alloc(10, { into: offset + 2 }));
      expectCode('PMEM_BAD_ADDRESS', () => region.publish(offset, region.bytesMax));
      const words = Array.from({ length: EXTRA_WORDS_MAX + 1 }, () => [offset, 1] as const);
      expectCode('PMEM_BAD_OPTION', () => region.publish(offset, offset, { words }));
      assert.deepEqual(region.verify(), before);
      region.free(offset, 1000);
      expectCode('PMEM_BAD_ADDRESS', () => region.free(offset, 1000));
      expectSound(region);
    },
  },
  {
    name: 'what is retired is freed when its readers are gone',
    body(region) {
      const epochs = Epochs.create(region);
      const reader = epochs.register();
      const offset = region.alloc(4096, { into: region.rootWord(0) });
      reader.enter();
      region.setRoot(0, 0);
      epochs.retire(offset, 4096);
      assert.equal(epochs.reclaim(), 0);
      assert.equal(region.sizeOf(offset), 4096);
      reader.exit();
      assert.equal(epochs.reclaim(), 1);
      assert.equal(region.stats.blocks, 0);
      expectSound(region);
    },
  },
];

/** The part of the suite about opening, closing, sharing, and what survives. */
import assert from 'node:assert/strict';
import { META_WORDS } from '../limits.js';
import { Region } from '../region.js';
import { expectCode, expectMark, expectSound, mark } from './expect.js';
import type { ConformanceCase } from './subject.js';

export const lifeCases: readonly ConformanceCase[] = [
  {
    name: 'a new region is empty, and says what it survives',
    body(region) {
      assert.equal(region.opening.how, 'created');
      assert.equal(region.uuid.length, 16);
      const { durable, granularityBytes } = region.caps;
      assert(durable === 'none' || durable === 'process' || durable === 'power');
      assert(granularityBytes >= 64);
      if (durable !== 'power') assert.equal(region.flushes, false);
      assert.equal(region.stats.allocatedBytes, 0);
      assert.equal(region.stats.untouchedBytes, region.bytesMax - 4096);
      expectSound(region);
    },
  },
  {
    name: 'words of the application keep what they are set to',
    body(region) {
      for (let slot = 0; slot < META_WORDS; slot++) {
        region.meta.setU32(slot, 0xffff_fff0 + slot);
        region.meta.setF64(slot, 2 ** 53 - 1 - slot);
      }
      region.meta.persist();
      region.meta.writeThrough();
      for (let slot = 0; slot < META_WORDS; slot++) {
        assert.equal(region.meta.u32(slot), 0xffff_fff0 + slot);
        assert.equal(region.meta.f64(slot), 2 ** 53 - 1 - slot);
      }
      assert.throws(() => region.meta.setU32(META_WORDS, 1), RangeError);
      assert.throws(() => region.meta.f64(-1), RangeError);
      expectSound(region);
    },
  },
  {
    name: 'flushing, draining and persisting may be called at any time',
    body(region) {
      const offset = region.alloc(10_000);
      region.drain();
      region.flush(offset, 10_000);
      region.flush(offset + 100, 1);
      region.drain();
      region.drain();
      region.persist(offset + 63, 2);
      expectSound(region);
    },
  },
  {
    name: 'other threads attach to the same memory, or are told that they cannot',
    body(region) {
      if (!region.caps.shared) {
        expectCode('PMEM_NOT_SHARED', () => region.share());
        return;
      }
      const reader = Region.attach(region.share().handle);
      const offset = region.alloc(64, { into: region.rootWord(1) });
      region.windows[0].commit32(offset / 4, 4711);
      assert.equal(reader.root(1), offset);
      assert.equal(reader.bytesMax, region.bytesMax);
      assert.deepEqual(reader.uuid, region.uuid);
      assert.equal(Atomics.load(reader.windows[0].i32, offset / 4), 4711);
      expectCode('PMEM_BAD_OPTION', () => reader.root(64));
      expectCode('PMEM_BAD_OPTION', () => Region.attach({}));
    },
  },
  {
    name: 'R16: an image is what the structure in the region makes of it',
    body(region) {
      expectCode('PMEM_NO_IMAGER', () => region.image());
      const image = { next: () => false, retainedBytes: 0, release: () => undefined };
      region.setImager(() => image);
      assert.equal(region.image(), image);
      region.setImager(undefined);
      expectCode('PMEM_NO_IMAGER', () => region.image());
    },
  },
  {
    name: 'a closed region refuses, and its windows do no harm',
    async body(region) {
      const offset = region.alloc(100);
      const [window] = region.windows;
      await region.close();
      await region.close();
      expectCode('PMEM_CLOSED', () => region.alloc(1));
      expectCode('PMEM_CLOSED', () => region.free(offset, 100));
      expectCode('PMEM_CLOSED', () => region.setRoot(0, offset));
      expectCode('PMEM_CLOSED', () => region.share());
      window.store32(offset / 4, 1);
      assert.equal(typeof window.u32[offset / 4], 'number');
    },
  },
  {
    name: 'after a close everything is there again, but what belonged to nobody',
    async body(region, { reopen }) {
      if (reopen === undefined) return;
      const kept = region.alloc(5000, { into: region.rootWord(0) });
      mark(region, kept, 5000, 42);
      region.alloc(700);
      region.meta.setF64(0, 12345);
      region.meta.persist();
      const { uuid } = region;
      await region.close();
      const again = await reopen();
      try {
        assert.deepEqual(again.opening, { how: 'clean', redone: false, returnedBlocks: 1 });
        assert.deepEqual(again.uuid, uuid);
        assert.equal(again.bytesMax, region.bytesMax);
        assert.equal(again.root(0), kept);
        assert.equal(again.meta.f64(0), 12345);
        expectMark(again, kept, 5000, 42);
        expectSound(again);
        again.free(kept, 5000, { from: again.rootWord(0) });
        assert.equal(again.stats.blocks, 0);
      } finally {
        await again.close();
      }
    },
  },
  {
    name: 'after a crash what was made durable is there, and what belonged to nobody is free',
    async body(region, { crash }) {
      if (crash === undefined) return;
      const kept = region.alloc(5000, { into: region.rootWord(0) });
      mark(region, kept, 5000, 43);
      const retired = region.alloc(300, { into: kept });
      region.withdraw(retired, kept);
      region.alloc(700);
      const after = await crash(region);
      try {
        assert.equal(after.opening.how, 'recovered');
        assert.equal(after.opening.returnedBlocks, 2);
        assert.equal(after.root(0), kept);
        assert.equal(after.windows[0].i32[kept / 4], 0);
        expectMark(after, kept + 4, 4996, 43);
        assert.equal(after.stats.blocks, 1);
        expectSound(after);
      } finally {
        await after.close();
      }
    },
  },
];

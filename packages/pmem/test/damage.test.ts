/** Damaged bookkeeping: `verify` sees it, and no operation makes more of it than a typed error. */
import { PmemError, Region } from '@nendb/pmem';
import { openSim } from '@nendb/pmem/sim';
import { Prng } from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';
import { classOf } from '../src/allocator/size-class.js';
import {
  BLOCK,
  CLASSES_LINE,
  COUNTER,
  COUNTERS_LINE,
  HEADER_LINES,
  WINDOW_WORD,
  WINDOWS_LINE,
} from '../src/format.js';
import { testSeeds } from './seeds.js';

const REGION_BYTES = 64 * 1024;

interface Made {
  region: Region;
  /** Blocks in order: owned, free, pending, free, owned. */
  offsets: number[];
}

const SIZES = [500, 1000, 300, 2000, 64];

function make(): Made {
  const region = Region.heap(REGION_BYTES);
  const offsets = SIZES.map((bytes) => region.alloc(bytes));
  for (const at of [0, 4]) region.publish(offsets[at], region.rootWord(at));
  for (const at of [1, 3]) region.free(offsets[at], SIZES[at]);
  return { region, offsets };
}

const lineOf = (offset: number): number => offset / 64 - 1;

/** Every word that the bookkeeping consists of. */
function words({ offsets }: Made): [string, number][] {
  const found: [string, number][] = [
    ['the end of the blocks', WINDOWS_LINE * 16 + WINDOW_WORD.usedLines],
    ['the length of the last block', WINDOWS_LINE * 16 + WINDOW_WORD.lastLines],
    ['the count of taken lines', COUNTERS_LINE * 16 + COUNTER.takenLines],
    ['the count of free lines', COUNTERS_LINE * 16 + COUNTER.freeLines],
    ['the count of blocks', COUNTERS_LINE * 16 + COUNTER.blocks],
    ['the head of the pending blocks', COUNTERS_LINE * 16 + COUNTER.pendingHead],
    ['the head of a free list', CLASSES_LINE * 16 + classOf(17)],
    ['the head of an empty free list', CLASSES_LINE * 16 + classOf(5)],
  ];
  const fields = ['state', 'lines', 'previousLines', 'bytes'] as const;
  for (const [i, offset] of offsets.entries()) {
    const listed = i === 0 || i === 4 ? [] : (['next', 'previous'] as const);
    for (const field of [...fields, ...listed]) {
      if (field === 'bytes' && (i === 1 || i === 3)) continue;
      found.push([`${field} of block ${i}`, lineOf(offset) * 16 + BLOCK[field]]);
    }
  }
  return found;
}

describe('verify sees damage to', () => {
  test.each(words(make()))('%s', (_what, word) => {
    for (const flip of [1 << 31, 1 << 14, 1 << 11]) {
      const { region } = make();
      const { i32 } = region.windows[0];
      expect(region.verify().ok).toBe(true);
      i32[word] ^= flip;
      expect(region.verify().ok, `bit ${31 - Math.clz32(flip)}`).toBe(false);
      i32[word] ^= flip;
      expect(region.verify().ok).toBe(true);
    }
  });

  test('a free list that runs in a circle', () => {
    const { region, offsets } = make();
    const block = lineOf(offsets[1]);
    region.windows[0].i32[block * 16 + BLOCK.next] = block;
    expect(region.verify().ok).toBe(false);
    expect(region.verify().problems.length).toBeLessThanOrEqual(20);
  });
});

/** Uses the region in every way; anything but success or a typed error is thrown. */
function use(region: Region, offsets: readonly number[], dice: Prng): void {
  for (let i = 0; i < 30; i++) {
    const at = dice.below(offsets.length);
    try {
      const kind = dice.below(4);
      if (kind < 2) region.alloc(1 + dice.below(5000));
      else if (kind === 2) region.free(offsets[at], SIZES[at]);
      else region.disown(offsets[at]);
    } catch (error) {
      if (!(error instanceof PmemError)) throw error;
    }
  }
  region.verify();
}

describe('a damaged region ends in typed errors', () => {
  test.each(testSeeds('damage'))('while it is used, seed %i', (seed) => {
    const dice = new Prng(seed);
    for (let round = 0; round < 400; round++) {
      const made = make();
      const all = words(made);
      const [, word] = all[dice.below(all.length)];
      made.region.windows[0].i32[word] = dice.chance(0.5) ? dice.uint32() : dice.below(1500);
      use(made.region, made.offsets, dice);
    }
  });

  test.each(testSeeds('damage at open'))('when it is opened, seed %i', (seed) => {
    const dice = new Prng(seed);
    const { sim, region } = openSim({ bytesMax: REGION_BYTES });
    const offsets = SIZES.map((bytes) => region.alloc(bytes));
    region.free(offsets[1], SIZES[1]);
    region.publish(offsets[0], region.rootWord(0));
    const { bytes } = sim.crashPoint().image('none');
    for (let round = 0; round < 400; round++) {
      const image = Uint8Array.from(bytes);
      const damaged = new Int32Array(image.buffer);
      // Anywhere in the bookkeeping, but for the preamble, which has a checksum of its own.
      for (let n = 0; n < 1 + dice.below(4); n++) {
        damaged[16 + dice.below(HEADER_LINES * 16 + 400)] = dice.chance(0.3)
          ? dice.uint32()
          : dice.below(1500);
      }
      let opened: Region;
      try {
        ({ region: opened } = openSim({ bytesMax: REGION_BYTES, image }));
      } catch (error) {
        if (!(error instanceof PmemError)) throw error;
        continue;
      }
      use(opened, offsets, dice);
    }
  });
});

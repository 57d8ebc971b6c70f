/**
 * Bugs planted under a sound allocator, as memory that skips what the allocator asks for, or beside
 * it, as a recovery that forgets something: the sweep must find each, or it proves nothing.
 */

import { crc32 } from 'node:zlib';
import { PmemError, Region } from '@nendb/pmem';
import { openSim, SimPmem } from '@nendb/pmem/sim';
import { describe, expect, test } from 'vitest';
import {
  BLOCK,
  CLASSES_LINE,
  COUNTER,
  COUNTERS_LINE,
  LOG,
  LOG_ENTRIES_LINE,
  LOG_LINE,
} from '../../src/format.js';
import { SWEEP_BYTES, Sweep, type SweepOptions } from './sweep.js';

const IMAGES_TO_CATCH_MAX = 20_000;
const LOG_OFFSET = LOG_LINE * 64;

/** Simulated memory in which some flushes and drains do nothing. */
class Omitting extends SimPmem {
  readonly #flushes: (offset: number, bytes: number) => boolean;
  readonly #drains: (nth: number) => boolean;
  #nth = 0;

  constructor(omit: {
    flush?: (offset: number, bytes: number) => boolean;
    drain?: (nth: number) => boolean;
  }) {
    super({ bytesMax: SWEEP_BYTES });
    this.#flushes = omit.flush ?? (() => false);
    this.#drains = omit.drain ?? (() => false);
  }

  override flush(offset: number, bytes: number): void {
    if (!this.#flushes(offset, bytes)) super.flush(offset, bytes);
  }

  override drain(): void {
    if (!this.#drains(this.#nth++)) super.drain();
  }
}

/** Simulated memory that lets some stores of words fall under the table. */
class Forgetting extends SimPmem {
  constructor(forgets: (index: number, value: number, nth: number) => boolean) {
    super({ bytesMax: SWEEP_BYTES });
    const [window] = this.windows;
    const store32 = window.store32.bind(window);
    let nth = 0;
    window.store32 = (index, value) => {
      if (!forgets(index, value, nth++)) store32(index, value);
    };
  }
}

const isLogHeader = (offset: number): boolean => offset === LOG_OFFSET;
const isClass = (index: number): boolean => index >= CLASSES_LINE * 16 && index < LOG_LINE * 16;

/** A recovery that believes the log whatever its checksum says. */
function believesTornLogs(image: Uint8Array): void {
  const words = new Int32Array(image.buffer, image.byteOffset, image.length / 4);
  const count = words[LOG_LINE * 16 + LOG.state];
  if (count === 0) return;
  const covered = new Int32Array(2 + count * 3);
  covered[0] = words[LOG_LINE * 16 + LOG.sequence];
  covered[1] = count;
  const entries = LOG_ENTRIES_LINE * 16;
  covered.set(words.subarray(entries, entries + count * 3), 2);
  words[LOG_LINE * 16 + LOG.crc] = crc32(new Uint8Array(covered.buffer)) | 0;
}

/** A recovery that never finishes what was committed. */
function forgetsTheLog(image: Uint8Array): void {
  new Int32Array(image.buffer)[LOG_LINE * 16 + LOG.state] = 0;
}

/** A recovery that does not know of blocks of nobody. */
function forgetsPendingBlocks(image: Uint8Array): void {
  new Int32Array(image.buffer)[COUNTERS_LINE * 16 + COUNTER.pendingHead] = 0;
}

const bugs: readonly [string, Partial<SweepOptions>][] = [
  [
    'the log is not flushed',
    { makeSim: () => new Omitting({ flush: (at, bytes) => isLogHeader(at) && bytes > 64 }) },
  ],
  [
    'the log is flushed, but not drained, before it is applied',
    { makeSim: () => new Omitting({ drain: (nth) => nth > 3 && nth % 3 === 0 }) },
  ],
  [
    'what is applied is not flushed before the log is cleared',
    { makeSim: () => new Omitting({ flush: (at, bytes) => bytes === 64 && at >= 4096 }) },
  ],
  [
    "the allocator's own words are not flushed",
    { makeSim: () => new Omitting({ flush: (at) => at === COUNTERS_LINE * 64 }) },
  ],
  [
    'the cleared log is not flushed',
    { makeSim: () => new Omitting({ flush: (at, bytes) => isLogHeader(at) && bytes === 4 }) },
  ],
  [
    'contents are published before they are persisted',
    { makeSim: () => new Omitting({ flush: (at, bytes) => at >= 4096 && bytes === 4 }) },
  ],
  [
    'a block that is handed out stays in its free list',
    { makeSim: () => new Forgetting((index, value) => isClass(index) && value === 0) },
  ],
  [
    'a block that is freed gets into no list',
    { makeSim: () => new Forgetting((index, value) => isClass(index) && value !== 0) },
  ],
  [
    'a block does not learn that the one before it has changed',
    {
      makeSim: () =>
        new Forgetting(
          (index, value) => index >= 65 * 16 && index % 16 === BLOCK.previousLines && value > 0,
        ),
    },
  ],
  ['recovery believes torn logs', { tamper: believesTornLogs }],
  ['recovery forgets committed logs', { tamper: forgetsTheLog }],
  ['recovery forgets blocks of nobody', { tamper: forgetsPendingBlocks }],
];

describe('the sweep finds', () => {
  test.each(bugs)('%s', async (_bug, options) => {
    const sweep = new Sweep({ imagesMax: IMAGES_TO_CATCH_MAX, ...options });
    for (let seed = 1; !sweep.done; seed++) await sweep.run(seed, 40);
    expect(sweep.found, `${sweep.images} images`).toBeDefined();
  });

  test('nothing in the allocator as it is', async () => {
    const sweep = new Sweep({ imagesMax: 2000 });
    for (let seed = 1; !sweep.done; seed++) await sweep.run(seed, 40);
    expect(sweep.found).toBeUndefined();
  });
});

describe('simulated memory reports', () => {
  test('no flush or drain of the allocator that is redundant, and none that is missing', () => {
    const { sim, region } = openSim({ bytesMax: SWEEP_BYTES });
    const offset = region.alloc(100, { into: region.rootWord(0) });
    sim.ack('allocated');
    region.publish(region.alloc(5000), region.rootWord(0), { withdraws: offset });
    sim.ack('published');
    region.free(offset, 100);
    region.setRoot(1, 0);
    sim.ack('freed');
    expect(sim.report).toMatchObject({
      redundantFlushes: 0,
      redundantDrains: 0,
      missingFlushes: [],
      missingDrains: [],
    });
  });

  test('flushes and drains that do nothing', () => {
    const { sim, region } = openSim({ bytesMax: SWEEP_BYTES });
    const offset = region.alloc(64);
    region.windows[0].store32(offset / 4, 1);
    region.persist(offset, 4);
    region.flush(offset, 4);
    region.drain();
    expect(sim.report).toMatchObject({ redundantFlushes: 1, redundantDrains: 1 });
  });

  test('where they come from, if asked', () => {
    const { sim, region } = openSim({ bytesMax: SWEEP_BYTES, traceSites: true });
    const offset = region.alloc(64);
    region.flush(offset, 4);
    region.windows[0].store32(offset / 4, 1);
    sim.ack('early');
    expect([...sim.report.redundantFlushSites.keys()].join()).toMatch(/planted-bugs\.test\.ts:\d+/);
    expect(sim.report.missingFlushes[0].site).toMatch(/planted-bugs\.test\.ts:\d+/);
  });

  test('acknowledgements of what is not flushed, and of what is not drained', () => {
    const { sim, region } = openSim({ bytesMax: SWEEP_BYTES });
    const offset = region.alloc(256);
    region.windows[0].store32(offset / 4, 1);
    region.windows[0].store32(offset / 4 + 16, 2);
    region.windows[0].store32(offset / 4 + 32, 3);
    region.flush(offset + 64, 4);
    sim.declareVolatile(offset + 128, 4);
    sim.ack('early');
    expect(sim.report.missingFlushes).toEqual([{ offset, ack: 'early' }]);
    expect(sim.report.missingDrains).toEqual([{ offset: offset + 64, ack: 'early' }]);
  });

  test("stores past the window's methods", () => {
    const { sim, region } = openSim({ bytesMax: SWEEP_BYTES, onCrashPoint: () => undefined });
    const offset = region.alloc(64);
    region.windows[0].i32[offset / 4] = 7;
    expect(() => sim.checkStores()).toThrow(expect.objectContaining({ code: 'PMEM_SIM_BYPASS' }));
    expect(() => region.setRoot(0, offset)).toThrow(PmemError);
    region.windows[0].i32[offset / 4] = 0;
    region.setRoot(0, offset);
  });

  test('stores beyond the end', () => {
    const region = Region.on(new SimPmem({ bytesMax: SWEEP_BYTES }), {});
    expect(() => region.windows[0].store32(SWEEP_BYTES / 4, 1)).toThrow(RangeError);
  });
});

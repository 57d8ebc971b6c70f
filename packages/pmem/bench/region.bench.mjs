/**
 * A region alone: what a store through a window costs beside the same store to the typed array, what
 * an allocation costs, and what a guard does.
 *
 *     node packages/pmem/bench/region.bench.mjs        (after a build)
 *
 * ns for each operation, the best of three, in 64 KiB that stay in the processor's cache.
 */
import { Epochs, Region } from '../dist/index.js';

const ROUNDS = 3;
const WORDS = 16_384;
const region = Region.heap(2 ** 30);
const [window] = region.windows;
const area = region.alloc(WORDS * 4, { into: region.rootWord(0) });
const at = area / 4;
const source = new Uint8Array(200).fill(7);
const epochs = Epochs.create(region);
const reader = epochs.register();
const root = region.rootWord(1);

const cases = {
  'window.store32': (n) => {
    for (let i = 0; i < n; i++) window.store32(at + ((i * 40503) & (WORDS - 1)), i);
  },
  'i32[at] =': (n) => {
    const { i32 } = window;
    for (let i = 0; i < n; i++) i32[at + ((i * 40503) & (WORDS - 1))] = i;
  },
  'window.commit32': (n) => {
    for (let i = 0; i < n; i++) window.commit32(at + ((i * 40503) & (WORDS - 1)), i);
  },
  'Atomics.store': (n) => {
    const { i32 } = window;
    for (let i = 0; i < n; i++) Atomics.store(i32, at + ((i * 40503) & (WORDS - 1)), i);
  },
  'window.storeF64': (n) => {
    for (let i = 0; i < n; i++) window.storeF64(area / 8 + ((i * 40503) & (WORDS / 2 - 1)), i);
  },
  'copyIn, 16 bytes': (n) => {
    for (let i = 0; i < n; i++) window.copyIn(area + ((i * 128) & 0xff80), source, 1, 17);
  },
  'copyIn, 100 bytes': (n) => {
    for (let i = 0; i < n; i++) window.copyIn(area + ((i * 128) & 0xff80), source, 1, 101);
  },
  'enter, exit': (n) => {
    for (let i = 0; i < n; i++) {
      reader.enter();
      reader.exit();
    }
  },
  'alloc, free 8 KiB': (n) => {
    for (let i = 0; i < n; i++)
      region.free(region.alloc(8192, { into: root }), 8192, { from: root });
  },
  'alloc, retire, reclaim': (n) => {
    for (let i = 0; i < n; i++) {
      const offset = region.alloc(8192, { into: root });
      region.setRoot(1, 0);
      epochs.retire(offset, 8192);
      epochs.reclaim();
    }
  },
};

const OPERATIONS = { 'alloc, free 8 KiB': 200_000, 'alloc, retire, reclaim': 200_000 };

for (const [name, run] of Object.entries(cases)) {
  const count = OPERATIONS[name] ?? 4_000_000;
  run(count / 10);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    run(count);
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, ((user + system) * 1000) / count);
  }
  console.log(`${name.padEnd(24)} ${best.toFixed(1).padStart(8)} ns`);
}

/**
 * A process that allocates in a mapped region until it is killed. Its structure is that of `life.ts`;
 * it says on stdout which stamp it has published.
 */
import { writeSync } from 'node:fs';

const [pmemUrl, path, bytesMax, seed] = process.argv.slice(2);
const { Region, toOffset } = await import(pmemUrl);
const region = await Region.open({ backend: 'mmap', path, bytesMax: Number(bytesMax) });
const [window] = region.windows;
const OWNERS = 8;
const VALUES = 4;
let random = Number(seed);
const below = (bound) => {
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
  return Math.floor((random / 2 ** 32) * bound);
};

let table = region.root(0);
if (table === 0) {
  table = region.alloc((OWNERS + VALUES) * 4);
  window.zero(table, table + (OWNERS + VALUES) * 4);
  region.publish(table, region.rootWord(0));
}
let stamp = Math.max(...window.u32.subarray(table / 4 + OWNERS, table / 4 + OWNERS + VALUES));
for (;;) {
  const word = table + below(OWNERS) * 4;
  const before = toOffset(window.u32[word / 4]);
  if (before !== 0 && below(3) === 0) {
    region.free(before, region.sizeOf(before), { from: word });
    continue;
  }
  const bytes = 8 + below(2000) * 8;
  const offset = region.alloc(bytes);
  stamp++;
  window.store32(offset / 4, stamp);
  window.store32((offset + bytes) / 4 - 1, stamp);
  const words = [[table + (OWNERS + (stamp % VALUES)) * 4, stamp]];
  region.publish(offset, word, { words, withdraws: before === 0 ? undefined : before });
  writeSync(1, `${stamp}\n`);
  if (before !== 0) region.free(before, region.sizeOf(before));
}

/**
 * Crashes at every change of the disk, in every way a disk may behave: what opens is exactly what was flushed, never
 * ahead of the log, never behind what the owner was told. More of them in `crash-images.deep.ts`.
 */
import type { LsmOptions } from '@nendb/lsm';
import { describe, expect, it } from 'vitest';
import { checkImages } from './crash-life.js';

const valueLog = { thresholdBytes: 60, fileBytes: 400 };
const VARIANTS: [string, Partial<LsmOptions>, string[]][] = [
  ['leveled', { levelBaseBytes: 500 }, ['level-0-runs', 'level-size', 'tombstones']],
  ['leveled, its long values in the value log', { valueLog }, ['level-0-runs', 'value-garbage']],
  ['size-tiered', { compaction: 'size-tiered' }, ['size-tier']],
  [
    'universal, its long values in the value log',
    { compaction: 'universal', valueLog },
    ['space', 'value-garbage'],
  ],
  [
    'encrypted and compressed',
    { compression: 'deflate', encryption: { key: new Uint8Array(32).fill(3) }, valueLog },
    ['level-0-runs', 'value-garbage'],
  ],
];
const IMAGES = 10_000;

describe('R3, R14: a crash at any moment of flush, compaction, garbage collection, manifest rotation or checkpoint', () => {
  it.each(VARIANTS)(
    'leaves what was flushed, in a tree that is %s',
    async (_name, options, expected) => {
      const happened = await checkImages(IMAGES, 1000, options);
      const always = ['flushed', 'manual', 'manifest rotation'];
      expect([...happened].sort()).toEqual(expect.arrayContaining([...always, ...expected]));
    },
    300_000,
  );
});

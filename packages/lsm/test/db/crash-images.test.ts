/**
 * Crashes at every change of the disk, in every way a disk may behave: what opens is exactly what was flushed, never
 * ahead of the log, never behind what the owner was told. More of them in `crash-images.deep.ts`.
 */
import { describe, expect, it } from 'vitest';
import { sweepCrashes } from './crash-life.js';
import { VARIANTS } from './crash-variants.js';

describe('R3, R14: a crash at any moment of flush, compaction, garbage collection, manifest rotation or checkpoint', () => {
  it.each(VARIANTS)(
    'leaves what was flushed, in a tree that is %s',
    async (_name, options, expected, imagesMax) => {
      const { images, happened } = await sweepCrashes(1000, { options, imagesMax });
      expect(images).toBe(imagesMax);
      const always = ['flushed', 'manual', 'manifest rotation'];
      expect([...happened].sort()).toEqual(expect.arrayContaining([...always, ...expected]));
    },
    300_000,
  );
});

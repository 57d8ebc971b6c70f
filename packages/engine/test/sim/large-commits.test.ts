import { type SimImage, SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.js';
import type { EngineOptions } from '../../src/types.js';
import { engineOptions } from './workload.js';

const MiB = 1024 * 1024;
const VALUES = 5;

/** A commit of several values, 3.5 MiB together: more than a fragment, and than a segment. */
function commitLarge(engine: Engine, fill: string): void {
  const tx = engine.begin();
  for (let i = 0; i < VALUES; i++) {
    const key = Buffer.from(`large${i}`);
    const value = Buffer.alloc(0.7 * MiB, fill);
    tx.putString(0, key, 0, key.length, value, 0, value.length, 0);
  }
  engine.commit();
}

/** What each large value is filled with; they must agree. */
function fillOf(engine: Engine): string {
  const tx = engine.begin();
  const fills = new Set<string>();
  for (let i = 0; i < VALUES; i++) {
    const key = Buffer.from(`large${i}`);
    const bytes = tx.find(0, key, 0, key.length)?.bytes();
    if (!bytes) fills.add('none');
    else {
      const first = bytes[0];
      expect(bytes.length).toBe(Math.floor(0.7 * MiB));
      expect(bytes.every((byte) => byte === first)).toBe(true);
      fills.add(String.fromCharCode(first));
    }
  }
  engine.abort();
  return [...fills].join();
}

async function expectOneOf(image: SimImage, options: EngineOptions, fills: readonly string[]) {
  const sim = SimVfs.fromImage(image, { seed: 82, record: false });
  await sim.run(async () => {
    const engine = await Engine.open({ ...options, vfs: sim });
    const expected = engine.appliedLsn === 0 ? 'none' : 'ab'[engine.appliedLsn - 1];
    expect(fillOf(engine), image.label).toBe(expected);
    expect(fills, image.label).toContain(expected);
    await engine.close();
  });
  sim.assertClean();
}

describe('a commit larger than a fragment', () => {
  for (const segmentBytesMax of [MiB, 64 * MiB]) {
    it(`R7: is there as a whole or not at all, in segments of ${segmentBytesMax} bytes`, async () => {
      const sim = new SimVfs({ seed: 81 });
      const options = { ...engineOptions(sim), segmentBytesMax };
      let acknowledgedAt = 0;
      await sim.run(async () => {
        const engine = await Engine.open(options);
        commitLarge(engine, 'a');
        await engine.barrier();
        acknowledgedAt = sim.changeCount;
        commitLarge(engine, 'b');
        expect(fillOf(engine)).toBe('b');
        await engine.barrier();
        await engine.close();
      });
      const last = sim.changeCount;
      let images = 0;
      for (const { at, image } of sim.crashImages({ subsetsMax: 1, samples: 1 })) {
        const fills = at >= last ? ['b'] : at >= acknowledgedAt ? ['a', 'b'] : ['none', 'a', 'b'];
        await expectOneOf(image, options, fills);
        if (++images === 60) break;
      }
      expect(images).toBeGreaterThan(10);
      await expectOneOf(sim.crashImage({ choice: 'none' }), options, ['b']);
    });
  }

  it('R4: makes an image that holds it, and is read back from there', async () => {
    const sim = new SimVfs({ seed: 83, record: false });
    const options = engineOptions(sim);
    await sim.run(async () => {
      let engine = await Engine.open(options);
      commitLarge(engine, 'a');
      await engine.snapshot();
      await engine.close();
      engine = await Engine.open(options);
      expect(engine.recovery.replayed).toBe(0);
      expect(fillOf(engine)).toBe('a');
      await engine.close();
    });
    sim.assertClean();
  });
});

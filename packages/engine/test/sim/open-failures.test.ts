/**
 * An opening that fails half way once left the log open behind it: its descriptors, its timers, and
 * a segment that a second opening in the same process would have shared.
 */
import { type OpKind, type SimImage, SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.js';
import { EngineError } from '../../src/errors.js';
import { stateOf } from './state.js';
import { engineOptions } from './workload.js';

const OPS: readonly OpKind[] = [
  'open',
  'create',
  'read',
  'write',
  'truncate',
  'sync',
  'size',
  'rename',
  'mkdir',
  'readdir',
  'stat',
  'syncDir',
  'lock',
];

/** A directory with both images and a log that nobody closed. */
async function makeUsed(): Promise<{ image: SimImage; state: string }> {
  const sim = new SimVfs({ seed: 51 });
  return sim.run(async () => {
    const engine = await Engine.open(engineOptions(sim));
    for (let i = 0; i < 12; i++) {
      const key = Buffer.from(`key${i}`);
      engine.begin().putString(0, key, 0, key.length, key, 0, key.length, 0);
      engine.commit();
      if (i % 4 === 3) await engine.snapshot();
    }
    await engine.barrier();
    const used = { image: sim.crashImage({ choice: 'all' }), state: stateOf(engine) };
    await engine.close();
    return used;
  });
}

/** Opens with the nth `op` failing; returns false when there is no nth. */
async function openWithFailure(sim: SimVfs, op: OpKind, nth: number, state: string) {
  sim.faults.failAt({ op, nth, error: 'EIO' });
  const where = `EIO at ${op} ${nth}`;
  let fired = true;
  await sim.run(async () => {
    try {
      const engine = await Engine.open(engineOptions(sim));
      expect(stateOf(engine), where).toBe(state);
      await engine.close().catch(() => undefined);
    } catch (error) {
      expect(error, where).toBeInstanceOf(EngineError);
    }
    await sim.settle(20).catch(() => undefined);
    expect(sim.openFiles, where).toEqual([]);
    try {
      sim.faults.assertAllFired();
    } catch {
      fired = false;
    }
    sim.faults.clear();
    const engine = await Engine.open(engineOptions(sim));
    expect(stateOf(engine), where).toBe(state);
    await engine.close();
  });
  sim.assertClean();
  return fired;
}

describe('an opening that fails', () => {
  for (const op of OPS) {
    it(`at any ${op} leaves nothing open, and a directory that opens`, async () => {
      const used = await makeUsed();
      const makers = [
        { make: () => new SimVfs({ seed: 52 }), state: '[]' },
        { make: () => SimVfs.fromImage(used.image, { seed: 53 }), state: used.state },
      ];
      let failures = 0;
      for (const { make, state } of makers) {
        for (let nth = 1; await openWithFailure(make(), op, nth, state); nth++) failures++;
      }
      expect(failures).toBeGreaterThan(0);
    });
  }
});

/** R5: a directory keeps the store that it was made with. */
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { Engine } from '../src/engine.js';
import { stateOf } from './sim/state.js';
import { engineOptions } from './sim/workload.js';

describe('the store of a directory', () => {
  it.each([
    ['dash', 'map'],
    ['map', 'dash'],
  ])('R5: %s is kept where none is asked for, and %s is refused', async (store, other) => {
    const sim = new SimVfs({ seed: 11 });
    await sim.run(async () => {
      const { store: _, ...options } = engineOptions(sim);
      const made = await Engine.open({ ...options, store });
      const key = Buffer.from('a');
      made.begin().putString(0, key, 0, 1, key, 0, 1, 0);
      made.commit();
      await made.close();
      const engine = await Engine.open(options);
      expect(engine.storeKind).toBe(store);
      expect(engine.stats().store.kind).toBe(store);
      expect(stateOf(engine)).toContain('"a"');
      await engine.close();
      await expect(Engine.open({ ...options, store: other })).rejects.toMatchObject({
        code: 'ENGINE_WRONG_STORE',
        message: expect.stringMatching(`made with ${store}: open it with --store ${store}`),
      });
    });
  });

  it('R5: is dash where the directory is new and none is asked for', async () => {
    const sim = new SimVfs({ seed: 11 });
    await sim.run(async () => {
      const { store: _, ...options } = engineOptions(sim);
      const engine = await Engine.open(options);
      expect(engine.storeKind).toBe('dash');
      await engine.close();
    });
  });
});

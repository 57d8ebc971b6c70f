import { SimVfs } from '@nendb/vfs/sim';
import { beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../src/engine.js';
import { stateOf } from './sim/state.js';
import { DIR, engineOptions } from './sim/workload.js';

let sim: SimVfs;
beforeEach(() => {
  sim = new SimVfs({ seed: 61 });
});

function put(engine: Engine, name: string, bytes = 1): void {
  const key = Buffer.from(name);
  const value = Buffer.alloc(bytes, 'v');
  engine.begin().putString(0, key, 0, key.length, value, 0, bytes, 0);
  engine.commit();
}

function turns(count: number): Promise<void> {
  return new Promise((resolve) => {
    const next = (left: number) => {
      if (left === 0) resolve();
      else sim.timers.turnEnd(() => next(left - 1));
    };
    next(count);
  });
}

describe('closing', () => {
  it('makes everything durable, and a second call joins the first', async () => {
    await sim.run(async () => {
      const engine = await Engine.open({ ...engineOptions(sim), sync: 'os' });
      put(engine, 'a');
      const first = engine.close();
      expect(engine.close()).toBe(first);
      await first;
      expect(engine.close()).toBe(first);
      sim.assertClean();
      sim.assertDurable(`${DIR}/IDENTITY`);
    });
    sim = SimVfs.fromImage(sim.crashImage({ choice: 'none' }), { seed: 62 });
    await sim.run(async () => {
      const engine = await Engine.open(engineOptions(sim));
      expect(engine.recovery.log.verdict).toBe('clean');
      expect(engine.appliedLsn).toBe(1);
      await engine.close();
    });
  });

  it('ends every kind of use with a typed error', async () => {
    await sim.run(async () => {
      const engine = await Engine.open(engineOptions(sim));
      engine.begin();
      await engine.close();
      const closed = expect.objectContaining({ code: 'ENGINE_CLOSED' });
      expect(engine.commit()).toBe(0);
      expect(() => engine.begin()).toThrow(closed);
      expect(() => engine.publishAddress('redis://127.0.0.1:1')).toThrow(closed);
      await expect(engine.snapshot()).rejects.toEqual(closed);
      expect(engine.health()).toMatchObject({ state: 'closed', healthy: false });
      expect(engine.stats().store.keys).toBe(0);
    });
  });

  it('drops what is staged, and refuses to commit it', async () => {
    await sim.run(async () => {
      const engine = await Engine.open(engineOptions(sim));
      const key = Buffer.from('k');
      engine.begin().putString(0, key, 0, 1, key, 0, 1, 0);
      const closing = engine.close();
      expect(() => engine.commit()).toThrow(expect.objectContaining({ code: 'ENGINE_CLOSED' }));
      await closing;
      const again = await Engine.open(engineOptions(sim));
      expect(stateOf(again)).toBe('[]');
      await again.close();
    });
  });

  it('abandons a snapshot at any moment of it, in order: waiters told, nothing left over', async () => {
    let published = 0;
    let abandoned = 0;
    for (let after = 0; published < 3; after++) {
      sim = new SimVfs({ seed: 63 });
      await sim.run(async () => {
        const engine = await Engine.open(engineOptions(sim));
        for (let i = 0; i < 6; i++) put(engine, `key${i}`, 60_000);
        const outcome = engine.snapshot().then(
          () => 'published',
          (error: { name: string; code: string }) => `${error.name} ${error.code}`,
        );
        await turns(after);
        await engine.close();
        const how = await outcome;
        if (how === 'published') published++;
        else abandoned++;
        expect(['published', 'EngineError ENGINE_CLOSED']).toContain(how);
        sim.assertClean();
        const again = await Engine.open(engineOptions(sim));
        expect(again.recovery.snapshot !== undefined).toBe(how === 'published');
        expect(again.stats().store.keys).toBe(6);
        await again.snapshot();
        await again.close();
        const names = await sim.readdir(DIR);
        expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([]);
      });
      expect(after).toBeLessThan(500);
    }
    expect(abandoned).toBeGreaterThan(3);
  });
});

import { SimVfs } from '@nendb/vfs/sim';
import { beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../src/engine.js';
import { EXPIRY_KEYS_MAX } from '../src/limits.js';
import { engineOptions } from './sim/workload.js';

let sim: SimVfs;
beforeEach(() => {
  sim = new SimVfs({ seed: 71 });
});

const open = () => Engine.open({ ...engineOptions(sim), activeExpiry: true });
const wait = (ms: number) => new Promise<void>((resolve) => sim.timers.after(ms, resolve));

function put(engine: Engine, database: number, name: string, expireAtMs: number): void {
  const key = Buffer.from(name);
  engine.begin().putString(database, key, 0, key.length, key, 0, key.length, expireAtMs);
  engine.commit();
}

describe('active expiry', () => {
  /** It once counted them as removed, and began again in every turn of the event loop. */
  it('on a full disk removes nothing, says so, rests in between, and goes on when there is room', async () => {
    await sim.run(async () => {
      const engine = await open();
      const atMs = engine.nowMs() + 50;
      const keys = EXPIRY_KEYS_MAX * 3;
      for (let i = 0; i < keys; i++) put(engine, 0, `key${i}`, atMs);
      await engine.barrier();
      sim.faults.diskBytesMax = 1;
      for (let full = false; !full; await engine.barrier()) {
        try {
          put(engine, 1, 'fill'.repeat(300), 0);
        } catch {
          full = true;
        }
      }
      const filled = engine.stats().commits;
      let looks = 0;
      const { turnEnd } = sim.timers;
      sim.timers.turnEnd = (callback) => {
        looks++;
        turnEnd.call(sim.timers, callback);
      };
      await wait(1_000);
      sim.timers.turnEnd = turnEnd;
      expect(looks).toBeLessThan(200);
      expect(engine.stats().commits).toBe(filled);
      expect(engine.stats().expiredKeys).toBe(0);
      expect(engine.health().state).toBe('ok');
      sim.faults.diskBytesMax = Number.POSITIVE_INFINITY;
      await wait(3_000);
      expect(engine.stats().expiredKeys).toBe(keys);
      await engine.close();
    });
  });

  it('looks at all 16 databases, whatever namespaces they name', async () => {
    await sim.run(async () => {
      const engine = await open();
      const atMs = engine.nowMs() + 50;
      for (let database = 0; database < 16; database++) put(engine, database, 'k', atMs);
      const tx = engine.begin();
      tx.swapDatabases(0, 15);
      tx.flushDatabase(3);
      engine.commit();
      put(engine, 3, 'again', atMs);
      put(engine, 3, 'stays', 0);
      await wait(500);
      expect(engine.stats().databases).toEqual([
        { database: 3, keys: 1, expiring: 0, fieldExpiring: 0 },
      ]);
      expect(engine.stats().expiredKeys).toBe(16);
      await engine.close();
    });
  });

  it('removes fields past their time by logged effects, and a hash with its last one', async () => {
    await sim.run(async () => {
      let engine = await open();
      const atMs = engine.nowMs() + 50;
      const fields = EXPIRY_KEYS_MAX * 2;
      const tx = engine.begin();
      const add = (hash: string, field: string, expireAtMs: number) => {
        const [key, name] = [Buffer.from(hash), Buffer.from(field)];
        const { length } = name;
        tx.putField(0, key, 0, key.length, name, 0, length, name, 0, length);
        tx.setFieldExpiry(0, key, 0, key.length, name, 0, length, expireAtMs);
      };
      for (let i = 0; i < fields; i++) add('many', `f${i}`, atMs);
      for (let i = 0; i < 5; i++) add(`one${i}`, 'f', atMs);
      for (let i = 0; i < 5; i++) add('some', `f${i}`, i === 0 ? 0 : atMs + 1_000_000 * (i % 2));
      engine.commit();
      expect(engine.stats()).toMatchObject({
        expiredFields: 0,
        databases: [{ database: 0, keys: 7, expiring: 0, fieldExpiring: 7 }],
      });
      await wait(500);
      const left = { database: 0, keys: 1, expiring: 0, fieldExpiring: 1 };
      expect(engine.stats()).toMatchObject({ expiredFields: fields + 7, databases: [left] });
      const lengthOf = () => {
        const length = engine.begin().find(0, Buffer.from('some'), 0, 4)?.length;
        engine.abort();
        return length;
      };
      expect(lengthOf()).toBe(3);
      await engine.close();
      engine = await open();
      expect(engine.stats()).toMatchObject({ expiredFields: 0, databases: [left] });
      expect(lengthOf()).toBe(3);
      await engine.close();
    });
  });

  it('removes a key whose time was past when it was given', async () => {
    await sim.run(async () => {
      const engine = await open();
      put(engine, 0, 'past', 1);
      const key = Buffer.from('past');
      expect(engine.begin().find(0, key, 0, 4)).toBeUndefined();
      engine.abort();
      await wait(300);
      expect(engine.stats()).toMatchObject({ expiredKeys: 1, store: { keys: 0 } });
      await engine.close();
    });
  });
});

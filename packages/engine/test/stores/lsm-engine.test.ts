/** The engine on a tree: what is flushed, what is replayed, when the log goes, what is refused. */
import { readFully, replaceFile } from '@nendb/vfs';
import { SimVfs } from '@nendb/vfs/sim';
import { beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.js';
import type { EngineOptions } from '../../src/types.js';
import { stateOf } from '../sim/state.js';
import { DIR, engineOptions } from '../sim/workload.js';

let sim: SimVfs;
beforeEach(() => {
  sim = new SimVfs({ seed: 33 });
});

const open = (more: Partial<EngineOptions> = {}): Promise<Engine> =>
  Engine.open({ ...engineOptions(sim, 'os', 'lsm'), ...more });

function put(engine: Engine, key: string, value: string, expireAtMs = 0): void {
  const [k, v] = [Buffer.from(key), Buffer.from(value)];
  engine.begin().putString(0, k, 0, k.length, v, 0, v.length, expireAtMs);
  engine.commit();
}

function get(engine: Engine, key: string): string | undefined {
  const k = Buffer.from(key);
  const view = engine.begin().find(0, k, 0, k.length);
  const value = view && Buffer.from(view.bytes()).toString();
  engine.abort();
  return value;
}

function putField(engine: Engine, key: string, field: string, value: string, endMs = 0): void {
  const [k, f, v] = [Buffer.from(key), Buffer.from(field), Buffer.from(value)];
  const tx = engine.begin();
  tx.putField(0, k, 0, k.length, f, 0, f.length, v, 0, v.length);
  if (endMs !== 0) tx.setFieldExpiry(0, k, 0, k.length, f, 0, f.length, endMs);
  engine.commit();
}

const many = (engine: Engine, from: number, to: number): void => {
  for (let i = from; i < to; i++) put(engine, `key${i}`, `value ${i} `.repeat(10));
};

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    sim.timers.after(ms, resolve);
  });

/** All files of a directory, by name. */
async function filesOf(dir: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const name of await sim.readdir(dir)) {
    const file = await sim.open(`${dir}/${name}`, 'read');
    const bytes = Buffer.alloc(await file.size());
    await readFully(file, bytes, 0);
    await file.close();
    files.set(name, bytes);
  }
  return files;
}

async function restore(dir: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const name of await sim.readdir(dir)) await sim.unlink(`${dir}/${name}`);
  for (const [name, bytes] of files) await replaceFile(sim, `${dir}/${name}`, bytes);
}

describe('a database larger than its memory', () => {
  it('R4: holds everything, replays what is not flushed, and keeps the log to what is', async () => {
    await sim.run(async () => {
      let engine = await open();
      many(engine, 0, 600);
      await engine.barrier();
      await engine.snapshot();
      const flushed = engine.appliedLsn;
      expect(engine.stats().wal.firstLsn).toBeGreaterThan(flushed - 200);
      many(engine, 600, 610);
      const before = stateOf(engine);
      await engine.close();
      engine = await open();
      expect(engine.recovery.replayed).toBe(10);
      expect(stateOf(engine)).toBe(before);
      expect(engine.stats()).toMatchObject({
        store: { kind: 'lsm', keys: 610 },
        databases: [{ database: 0, keys: 610, expiring: 0 }],
      });
      expect(engine.stats().store.bytes).toBeGreaterThan(10 * 4096);
      expect(engine.health()).toMatchObject({ healthy: true });
      await engine.close();
    });
  });

  it('R8: loads cold records before a command runs: what is prepared is read without the disk', async () => {
    await sim.run(async () => {
      let engine = await open();
      many(engine, 0, 400);
      await engine.snapshot();
      await engine.close();
      engine = await open();
      const keys = [Buffer.from('key7'), Buffer.from('key301'), Buffer.from('missing')];
      expect(engine.alwaysReady).toBe(false);
      const loading = engine.prepare(0, keys);
      expect(loading).not.toBe(true);
      await loading;
      expect(engine.prepare(0, keys)).toBe(true);
      const reads = sim.counts.read;
      expect(keys.map((key) => get(engine, String(key)))).toEqual([
        'value 7 '.repeat(10),
        'value 301 '.repeat(10),
        undefined,
      ]);
      expect(sim.counts.read).toBe(reads);
      // More than the cache holds: they are loaded once, and not for ever.
      const all = Array.from({ length: 400 }, (_, i) => Buffer.from(`key${i}`));
      await engine.prepare(0, all);
      expect(engine.prepare(0, all)).toBe(true);
      await engine.close();
    });
  });

  it('R8: commands whose keys do not fit the cache come to run, whoever else loads meanwhile', async () => {
    await sim.run(async () => {
      let engine = await open();
      many(engine, 0, 400);
      await engine.snapshot();
      await engine.close();
      engine = await open();
      const worker = async (from: number): Promise<number> => {
        let waits = 0;
        for (let command = 0; command < 20; command++) {
          // A command over two databases asks for both, each time, and needs both at once.
          const keys = Array.from({ length: 60 }, (_, i) =>
            Buffer.from(`key${(from + i * 7) % 400}`),
          );
          for (;;) {
            const here = engine.prepare(0, keys);
            const there = engine.prepare(1, [Buffer.from(`other${from}`)]);
            if (here === true && there === true) break;
            await Promise.all([here, there]);
            if (++waits > 200) return waits;
          }
        }
        return waits;
      };
      const waits = await Promise.all([1, 50, 99, 150, 213, 330].map(worker));
      expect(Math.max(...waits)).toBeLessThanOrEqual(100);
      await engine.close();
    });
  });

  it('keeps counts, times, fields and the map of databases over restarts, flushed or not', async () => {
    await sim.run(async () => {
      const laterMs = Date.UTC(2100, 0, 1);
      let engine = await open();
      many(engine, 0, 100);
      engine.begin().flushDatabase(0);
      engine.commit();
      put(engine, 'a', '1', laterMs);
      for (let i = 0; i < 100; i++) putField(engine, 'hash', `field${i}`, 'v'.repeat(i));
      putField(engine, 'hash', 'ends', 'soon', laterMs);
      putField(engine, 'gone', 'f', 'v');
      await engine.snapshot();
      const k = Buffer.from('gone');
      engine.begin().remove(0, k, 0, k.length);
      engine.commit();
      engine.begin().swapDatabases(0, 3);
      engine.commit();
      for (let round = 0; round < 3; round++) {
        const state = stateOf(engine);
        expect(engine.stats().databases).toEqual([
          { database: 3, keys: 2, expiring: 1, fieldExpiring: 1 },
        ]);
        await engine.close();
        engine = await open();
        expect(stateOf(engine)).toBe(state);
        if (round === 1) await engine.snapshot();
      }
      const h = Buffer.from('hash');
      engine.begin().remove(3, h, 0, h.length);
      engine.commit();
      expect(engine.stats().databases).toEqual([
        { database: 3, keys: 1, expiring: 1, fieldExpiring: 0 },
      ]);
      await engine.close();
    });
  });

  it('removes what has ended, also where a large hash left its ends behind', async () => {
    await sim.run(async () => {
      const engine = await open({ activeExpiry: true });
      const soonMs = engine.nowMs() + 500;
      for (let i = 0; i < 100; i++) putField(engine, 'large', `field${i}`, 'v', soonMs);
      const k = Buffer.from('large');
      engine.begin().remove(0, k, 0, k.length);
      engine.commit();
      putField(engine, 'large', 'field1', 'again');
      putField(engine, 'small', 'field1', 'v', soonMs);
      put(engine, 'string', 'v', soonMs);
      put(engine, 'stays', 'v');
      await sleep(2_000);
      expect(engine.stats()).toMatchObject({ expiredKeys: 1, expiredFields: 1 });
      expect(engine.stats().databases).toEqual([
        { database: 0, keys: 2, expiring: 0, fieldExpiring: 0 },
      ]);
      await engine.close();
    });
  });
});

describe('is refused', () => {
  it('R3: a tree that is ahead of the log', async () => {
    await sim.run(async () => {
      let engine = await open();
      many(engine, 0, 5);
      await engine.close();
      const log = await filesOf(`${DIR}/wal`);
      engine = await open();
      many(engine, 5, 50);
      await engine.snapshot();
      await engine.close();
      await restore(`${DIR}/wal`, log);
      await expect(open()).rejects.toMatchObject({ code: 'ENGINE_CORRUPT' });
    });
  });

  it('R5: a directory with another store, and one whose tree is gone', async () => {
    await sim.run(async () => {
      const engine = await open();
      put(engine, 'a', '1');
      await engine.snapshot();
      await engine.close();
      await expect(open({ store: 'dash' })).rejects.toMatchObject({ code: 'ENGINE_WRONG_STORE' });
      await restore(`${DIR}/lsm`, new Map());
      await expect(open()).rejects.toMatchObject({ code: 'ENGINE_CORRUPT' });
    });
  });

  it('R7: a commit that would write more than a batch of the tree holds, before anything has happened', async () => {
    await sim.run(async () => {
      const engine = await open({ lsm: {} });
      const [k, v] = [Buffer.from('k'), Buffer.from('v')];
      const large = 200 * 1024 * 1024;
      const tx = engine.begin();
      tx.patchString(0, k, 0, 1, large, v, 0, 1, large + 1);
      tx.patchString(0, v, 0, 1, large, v, 0, 1, large + 1);
      expect(() => engine.commit()).toThrow(expect.objectContaining({ code: 'ENGINE_TOO_LARGE' }));
      expect(engine.appliedLsn).toBe(0);
      put(engine, 'k', 'small');
      expect(get(engine, 'k')).toBe('small');
      await engine.close();
    });
  });

  it('R7: writes, while the tree cannot write what it holds; reads go on, and all is well afterwards', async () => {
    await sim.run(async () => {
      const engine = await open();
      many(engine, 0, 10);
      await engine.barrier();
      sim.faults.failAt({ op: 'write', path: '.table', nth: 1, sticky: true, error: 'ENOSPC' });
      let refused: unknown;
      for (let i = 0; i < 2_000 && refused === undefined; i++) {
        try {
          put(engine, `more${i}`, 'x'.repeat(200));
        } catch (error) {
          refused = error;
        }
        if (i % 20 === 0) await sleep(1);
      }
      expect(refused).toMatchObject({ code: 'ENGINE_READ_ONLY' });
      expect(engine.health().healthy).toBe(false);
      expect(engine.prepare(0, [Buffer.from('key1')])).toBe(true);
      expect(get(engine, 'key1')).toBe('value 1 '.repeat(10));
      sim.faults.clear();
      await sleep(60_000);
      put(engine, 'after', 'v');
      expect(engine.health().healthy).toBe(true);
      await engine.close();
    });
  });
});

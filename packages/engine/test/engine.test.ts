import { SimVfs } from '@nendb/vfs/sim';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Engine } from '../src/engine.js';
import { DashStore } from '../src/stores/dash/dash-store.js';
import type { EngineOptions } from '../src/types.js';
import { stateOf } from './sim/state.js';
import { DIR, engineOptions } from './sim/workload.js';

let sim: SimVfs;
beforeEach(() => {
  sim = new SimVfs({ seed: 21 });
});
afterEach(() => {
  vi.restoreAllMocks();
});

function stagePut(engine: Engine, key: string, value: string, expireAtMs = 0): void {
  const [k, v] = [Buffer.from(key), Buffer.from(value)];
  engine.begin().putString(0, k, 0, k.length, v, 0, v.length, expireAtMs);
}

function put(engine: Engine, key: string, value: string, expireAtMs = 0): void {
  stagePut(engine, key, value, expireAtMs);
  engine.commit();
}

async function withEngine(
  body: (engine: Engine) => void | Promise<void>,
  options: Partial<EngineOptions> = {},
): Promise<void> {
  await sim.run(async () => {
    const engine = await Engine.open({ ...engineOptions(sim), ...options });
    try {
      await body(engine);
    } finally {
      await engine.close().catch(() => undefined);
    }
  });
}

describe('a commit', () => {
  it('R9: is applied at once, and durable only after a sync that began after its write', async () => {
    await withEngine(async (engine) => {
      await engine.barrier();
      const syncsBefore = sim.counts.sync;
      const heard: number[] = [];
      engine.onDurable((lsn) => heard.push(lsn));
      put(engine, 'a', '1');
      put(engine, 'b', '2');
      expect(engine.appliedLsn).toBe(2);
      expect(engine.durableLsn).toBe(0);
      expect(stateOf(engine)).toContain('"b"');
      await engine.barrier();
      expect(engine.durableLsn).toBe(2);
      expect(engine.syncedLsn).toBe(2);
      expect(heard).toEqual([2]);
      expect(sim.counts.sync).toBe(syncsBefore + 1);
    });
  });

  it('R2: of many effects takes one LSN, of none takes none', async () => {
    await withEngine((engine) => {
      const tx = engine.begin();
      const key = Buffer.from('k');
      for (let i = 0; i < 5; i++) tx.putField(0, key, 0, 1, Buffer.from([i]), 0, 1, key, 0, 1);
      expect(engine.commit()).toBe(1);
      engine.begin();
      expect(engine.commit()).toBe(1);
      expect(engine.stats()).toMatchObject({ commits: 1, effects: 5 });
    });
  });

  it('R7: that is too large is refused before anything is applied', async () => {
    await withEngine(
      (engine) => {
        put(engine, 'a', '1');
        expect(() => stagePut(engine, 'b', 'x'.repeat(20_000))).toThrow(
          expect.objectContaining({ code: 'ENGINE_TOO_LARGE' }),
        );
        engine.abort();
        put(engine, 'c', '3');
        expect(engine.appliedLsn).toBe(2);
        expect(stateOf(engine)).toBe('[[0,[["a",0,"1"],["c",0,"3"]]]]');
      },
      { commitBytesMax: 17_000, valueBytesMax: 10_000 },
    );
  });

  it('R7: for which the disk has no room is refused before anything is applied, and works when there is room', async () => {
    await withEngine(async (engine) => {
      put(engine, 'a', '1');
      await engine.barrier();
      sim.faults.diskBytesMax = 1;
      let refused = 0;
      for (let i = 0; i < 400 && refused === 0; i++) {
        stagePut(engine, 'big', 'x'.repeat(4_000));
        const before = engine.appliedLsn;
        try {
          engine.commit();
          await engine.barrier();
        } catch (error) {
          expect(error).toMatchObject({ code: 'ENGINE_NO_SPACE' });
          expect(engine.appliedLsn).toBe(before);
          refused++;
        }
      }
      expect(refused).toBe(1);
      expect(engine.health().state).toBe('ok');
      sim.faults.diskBytesMax = Number.POSITIVE_INFINITY;
      await vi.waitFor(async () => {
        await new Promise<void>((resolve) => sim.timers.after(50, resolve));
        put(engine, 'after', '1');
      });
      await engine.barrier();
    });
    await withEngine((engine) => expect(stateOf(engine)).toContain('"after"'));
  });

  it('R7: whose application throws is fatal', async () => {
    await withEngine(async (engine) => {
      const fatal: string[] = [];
      engine.onFatal((error) => fatal.push(error.message));
      vi.spyOn(DashStore.prototype, 'putString').mockImplementationOnce(() => {
        throw new Error('planted');
      });
      expect(() => put(engine, 'a', '1')).toThrow(/planted/);
      expect(fatal).toHaveLength(1);
      expect(engine.health()).toMatchObject({ healthy: false, state: 'failed' });
      expect(() => put(engine, 'b', '2')).toThrow(
        expect.objectContaining({ code: 'ENGINE_FAILED' }),
      );
      await expect(engine.barrier()).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    });
  });

  it('R7: takes a value of the greatest length and none longer, put, patched or in a field', async () => {
    await withEngine(
      (engine) => {
        const key = Buffer.from('k');
        const value = Buffer.alloc(101, 'v');
        const tooLarge = expect.objectContaining({ code: 'ENGINE_TOO_LARGE' });
        const tx = engine.begin();
        tx.putString(0, key, 0, 1, value, 0, 100, 0);
        expect(() => tx.putString(0, key, 0, 1, value, 0, 101, 0)).toThrow(tooLarge);
        tx.patchString(0, key, 0, 1, 99, value, 0, 1, 100);
        expect(() => tx.patchString(0, key, 0, 1, 100, value, 0, 1, 101)).toThrow(tooLarge);
        tx.putField(0, value, 0, 9, key, 0, 1, value, 0, 100);
        expect(() => tx.putField(0, value, 0, 9, key, 0, 1, value, 0, 101)).toThrow(tooLarge);
        expect(engine.commit()).toBe(1);
        expect(engine.stats()).toMatchObject({ effects: 3, store: { keys: 2 } });
      },
      { valueBytesMax: 100 },
    );
  });

  it('R7: that has failed is told to whoever listens later, too', async () => {
    await withEngine(async (engine) => {
      put(engine, 'first', '1');
      await engine.barrier();
      sim.faults.failAt({ op: 'write', nth: 1, error: 'EIO', path: '/wal/' });
      put(engine, 'a', '1');
      await expect(engine.barrier()).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
      const told: unknown[] = [];
      engine.onFatal((error) => told.push(error));
      expect(told).toEqual([expect.objectContaining({ code: 'ENGINE_FAILED' })]);
      const silent = engine.onFatal(() => undefined);
      silent();
    });
  });

  it('frees what a flushed database held', async () => {
    await withEngine((engine) => {
      for (let i = 0; i < 50; i++) put(engine, `k${i}`, 'v', i);
      engine.begin().flushDatabase(0);
      engine.commit();
      expect(engine.stats().store).toMatchObject({ keys: 0 });
      put(engine, 'a', '1');
      engine.begin().flushAll();
      engine.commit();
      expect(engine.stats()).toMatchObject({ databases: [], store: { keys: 0 } });
    });
  });

  it.each(['dash', 'map'])(
    'frees what a flushed database held, a step a turn: %s',
    async (store) => {
      await withEngine(
        async (engine) => {
          put(engine, 'a', '1');
          const emptyBytes = engine.stats().store.bytes;
          for (let i = 0; i < 50; i++) put(engine, `k${i}`, 'v'.repeat(100_000), i);
          const fullBytes = engine.stats().store.bytes;
          expect(fullBytes).toBeGreaterThan(emptyBytes + 3_500_000);
          engine.begin().flushAll();
          engine.commit();
          await new Promise<void>((resolve) => sim.timers.after(1_000, resolve));
          const { bytes, region } = engine.stats().store;
          if (store === 'map') expect(bytes).toBe(0);
          else expect(bytes - (region?.garbageBytes ?? 0)).toBeLessThan(emptyBytes + 1_500_000);
        },
        { store },
      );
    },
  );

  it('R8: cannot begin while another is open, nor end without one', async () => {
    await withEngine((engine) => {
      engine.begin();
      expect(() => engine.begin()).toThrow(/no open transaction/);
      engine.abort();
      expect(() => engine.commit()).toThrow(/begin\(\) first/);
      engine.begin();
      engine.abort();
    });
  });
});

describe('a failed sync', () => {
  it('R10: under always is fatal: the waiter gets the error and nothing more is taken', async () => {
    await withEngine(async (engine) => {
      const fatal: Error[] = [];
      engine.onFatal((error) => fatal.push(error));
      put(engine, 'a', '1');
      await engine.barrier();
      sim.faults.failAt({ op: 'sync', nth: 1, error: 'EIO' });
      put(engine, 'b', '2');
      await expect(engine.barrier()).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
      expect(fatal).toHaveLength(1);
      expect(engine.durableLsn).toBe(1);
      expect(engine.health()).toMatchObject({ state: 'failed', wal: { poisoned: true } });
      expect(() => put(engine, 'c', '3')).toThrow(
        expect.objectContaining({ code: 'ENGINE_FAILED' }),
      );
    });
  });

  it('R10: under a weaker policy refuses writes, serves reads and is unhealthy', async () => {
    await withEngine(
      async (engine) => {
        const fatal: Error[] = [];
        engine.onFatal((error) => fatal.push(error));
        put(engine, 'a', '1');
        await engine.barrier();
        sim.faults.failAt({ op: 'sync', nth: 1, error: 'EIO' });
        await new Promise<void>((resolve) => sim.timers.after(100, resolve));
        sim.faults.assertAllFired();
        expect(() => put(engine, 'b', '2')).toThrow(
          expect.objectContaining({ code: 'ENGINE_READ_ONLY' }),
        );
        expect(stateOf(engine)).toBe('[[0,[["a",0,"1"]]]]');
        expect(engine.health()).toMatchObject({ healthy: false, state: 'read-only' });
        expect(engine.health().reason).toMatch(/EIO|sync/);
        expect(fatal).toEqual([]);
      },
      { sync: { windowMs: 10 } },
    );
  });

  /** Such an engine was once read-only: every read waited for what could not be written any more. */
  it('R9: under a weaker policy is fatal when reads see what will never be written', async () => {
    await withEngine(
      async (engine) => {
        const fatal: Error[] = [];
        engine.onFatal((error) => fatal.push(error));
        put(engine, 'a', '1');
        await engine.barrier();
        sim.faults.failAt({ op: 'sync', nth: 1, error: 'EIO' });
        for (let i = 0; i < 2_000 && fatal.length === 0; i++) {
          await new Promise<void>((resolve) => sim.timers.turnEnd(resolve));
          if (engine.health().state === 'ok') put(engine, `key${i}`, 'x'.repeat(2_000));
        }
        sim.faults.assertAllFired();
        const { state } = engine.health();
        expect(state).toBe(engine.appliedLsn > engine.durableLsn ? 'failed' : 'read-only');
        expect(engine.appliedLsn).toBeGreaterThan(engine.durableLsn);
        expect(fatal).toHaveLength(1);
      },
      { sync: { windowMs: 10 } },
    );
  });

  it('R10: a failed write is fatal under every policy', async () => {
    await withEngine(
      async (engine) => {
        const fatal: Error[] = [];
        engine.onFatal((error) => fatal.push(error));
        put(engine, 'first', '1');
        await engine.barrier();
        sim.faults.failAt({ op: 'write', nth: 1, error: 'EIO', path: '/wal/' });
        put(engine, 'a', '1');
        await expect(engine.barrier()).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
        expect(fatal).toHaveLength(1);
        expect(engine.health().state).toBe('failed');
      },
      { sync: { windowMs: 10 } },
    );
  });
});

describe('snapshots', () => {
  it('R3: get no final name before the log is synced to them', async () => {
    await withEngine(
      async (engine) => {
        put(engine, 'a', '1');
        sim.faults.failAt({ op: 'sync', nth: 1, error: 'EIO', path: '/wal/' });
        await expect(engine.snapshot()).rejects.toThrow();
        expect(sim.statSync(`${DIR}/nendb.snapshot`)).toBeUndefined();
        expect(engine.health().snapshot.lastError).toBeDefined();
      },
      { sync: 'os' },
    );
  });

  it('R4: come by themselves when the log has outgrown them; it is cut behind the .bak', async () => {
    await withEngine(
      async (engine) => {
        const firsts: number[] = [];
        for (let i = 0; i < 120; i++) {
          put(engine, `k${i % 3}`, 'x'.repeat(2_000));
          await engine.barrier();
          await new Promise<void>((resolve) => sim.timers.after(5, resolve));
          firsts.push(engine.stats().wal.firstLsn);
        }
        const { newest } = engine.health().snapshot;
        expect(newest?.header.lsn).toBeGreaterThan(60);
        const cutAt = firsts.findIndex((lsn) => lsn > 1);
        expect(cutAt).toBeGreaterThan(30);
        expect(engine.stats().wal.firstLsn).toBeLessThanOrEqual((newest?.header.lsn ?? 0) - 15);
      },
      { snapshotLogBytesMin: 40_000 },
    );
    await withEngine((engine) => expect(engine.recovery.snapshot?.source).toBe('newest'));
  });

  it('that fail are told in health, are not tried again at once, and harm nothing', async () => {
    await withEngine(
      async (engine) => {
        sim.faults.failAt({ op: 'create', nth: 1, error: 'EIO', path: 'nendb.snapshot' });
        for (let i = 0; i < 25; i++) {
          put(engine, 'k', 'x'.repeat(2_000));
          await engine.barrier();
          await new Promise<void>((resolve) => sim.timers.after(5, resolve));
        }
        expect(engine.health().snapshot.lastError).toMatch(/EIO/);
        expect(engine.health().state).toBe('ok');
        await engine.snapshot();
        expect(engine.health().snapshot.lastError).toBeUndefined();
      },
      { snapshotLogBytesMin: 40_000 },
    );
  });

  it('join the one that is being taken', async () => {
    await withEngine(async (engine) => {
      put(engine, 'a', '1');
      const [first, second] = await Promise.all([engine.snapshot(), engine.snapshot()]);
      expect(second).toBe(first);
      expect(first.header.lsn).toBe(1);
    });
  });
});

describe('keys past their time', () => {
  it('R12: are removed by themselves, as logged deletes in bounded commits', async () => {
    let applied = 0;
    await withEngine(
      async (engine) => {
        const atMs = engine.nowMs() + 1_000;
        for (let i = 0; i < 500; i++) put(engine, `k${i}`, 'v', i < 450 ? atMs : 0);
        await new Promise<void>((resolve) => sim.timers.after(3_000, resolve));
        const stats = engine.stats();
        expect(stats.expiredKeys).toBe(450);
        expect(stats.databases).toEqual([{ database: 0, keys: 50, expiring: 0, fieldExpiring: 0 }]);
        expect(engine.appliedLsn).toBeGreaterThanOrEqual(503);
        applied = engine.appliedLsn;
      },
      { activeExpiry: true },
    );
    await withEngine((engine) => {
      expect(engine.appliedLsn).toBe(applied);
      expect(engine.stats().store.keys).toBe(50);
    });
  });
});

import { SimVfs } from '@nendb/vfs/sim';
import { beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../src/engine.js';
import type { EngineOptions } from '../src/types.js';
import { stateOf } from './sim/state.js';
import { DIR, engineOptions } from './sim/workload.js';

let sim: SimVfs;
beforeEach(() => {
  sim = new SimVfs({ seed: 95 });
});

const open = (options: Partial<EngineOptions> = {}) =>
  Engine.open({ ...engineOptions(sim), ...options });
const wait = (ms: number) => new Promise<void>((resolve) => sim.timers.after(ms, resolve));

function put(engine: Engine, name: string, bytes: number): void {
  const key = Buffer.from(name);
  const value = Buffer.alloc(bytes, 'v');
  engine.begin().putString(0, key, 0, key.length, value, 0, bytes, 0);
  engine.commit();
}

const since = (engine: Engine) => engine.health().snapshot.logBytesSince;

describe('what is known of snapshots', () => {
  it('R4: counts the bytes of commits since the image began, also over a restart', async () => {
    await sim.run(async () => {
      let engine = await open();
      expect(engine.health().snapshot).toEqual({
        savedAtMs: 0,
        inProgress: false,
        logBytesSince: 0,
      });
      put(engine, 'a', 1_000);
      expect(since(engine)).toBeGreaterThan(1_000);
      const taken = engine.snapshot();
      expect(engine.health().snapshot.inProgress).toBe(true);
      put(engine, 'b', 3_000);
      await taken;
      expect(since(engine)).toBeGreaterThan(3_000);
      expect(since(engine)).toBeLessThan(3_100);
      const before = since(engine);
      await engine.close();
      engine = await open();
      expect(engine.recovery.replayed).toBe(1);
      expect(since(engine)).toBe(before);
      await engine.close();
    });
  });

  it('says when it was saved, also over a restart', async () => {
    await sim.run(async () => {
      let engine = await open();
      put(engine, 'a', 10);
      await wait(5_000);
      const fromMs = sim.clock.wallMs();
      const info = await engine.snapshot();
      const { savedAtMs, newest } = engine.health().snapshot;
      expect(newest).toEqual(info);
      expect(savedAtMs).toBeGreaterThanOrEqual(Math.floor(fromMs));
      expect(savedAtMs).toBeLessThanOrEqual(sim.clock.wallMs());
      await engine.close();
      await wait(5_000);
      engine = await open();
      expect(Math.abs(engine.health().snapshot.savedAtMs - savedAtMs)).toBeLessThan(1_000);
      expect(engine.health().snapshot.newest?.header.lsn).toBe(1);
      await engine.close();
    });
  });

  it('R4: one is due when the log has outgrown the image, not before', async () => {
    await sim.run(async () => {
      const engine = await open({ snapshotLogBytesMin: 1_000 });
      put(engine, 'big', 50_000);
      await wait(100);
      expect(engine.health().snapshot.newest?.header.lsn).toBe(1);
      for (let i = 0; i < 24; i++) put(engine, 'small', 2_000);
      await wait(100);
      expect(engine.health().snapshot.newest?.header.lsn).toBe(1);
      for (let i = 0; i < 3; i++) put(engine, 'small', 2_000);
      await wait(100);
      expect(engine.health().snapshot.newest?.header.lsn).toBeGreaterThan(20);
      await engine.close();
    });
  });

  it('R4: one is due at the first commit after a long replay', async () => {
    await sim.run(async () => {
      let engine = await open();
      for (let i = 0; i < 10; i++) put(engine, `k${i}`, 1_000);
      await engine.close();
      engine = await open({ snapshotLogBytesMin: 5_000 });
      put(engine, 'one', 1);
      await wait(100);
      expect(engine.health().snapshot.newest?.header.lsn).toBe(11);
      await engine.close();
    });
  });

  it('a failed one is tried again after as much log again, not at the next commit', async () => {
    await sim.run(async () => {
      const engine = await open({ snapshotLogBytesMin: 10_000 });
      sim.faults.failAt({ op: 'create', nth: 1, error: 'EIO', path: 'snapshot', sticky: true });
      const tries = () => sim.faults.coverage().get('error:create') ?? 0;
      let commits = 0;
      for (; tries() < 3; commits++) {
        put(engine, 'k', 1_000);
        await wait(20);
        expect(commits).toBeLessThan(100);
      }
      expect(commits).toBeGreaterThan(25);
      expect(engine.stats().store.imageBytes).toBe(0);
      sim.faults.clear();
      await engine.snapshot();
      await engine.close();
    });
  });

  it('one of nothing, and two of the same moment, are as good as any', async () => {
    await sim.run(async () => {
      let engine = await open();
      expect((await engine.snapshot()).header.lsn).toBe(0);
      expect((await engine.snapshot()).header.lsn).toBe(0);
      await engine.close();
      engine = await open();
      put(engine, 'a', 1);
      await engine.snapshot();
      await engine.snapshot();
      const state = stateOf(engine);
      await engine.close();
      engine = await open();
      expect(stateOf(engine)).toBe(state);
      expect(engine.recovery.replayed).toBe(0);
      await engine.close();
      expect((await sim.readdir(DIR)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    });
  });

  it('R16: begun inside a transaction shows nothing of it', async () => {
    await sim.run(async () => {
      let engine = await open();
      put(engine, 'a', 1);
      const state = stateOf(engine);
      const tx = engine.begin();
      tx.flushAll();
      const taken = engine.snapshot();
      engine.commit();
      expect(engine.stats().store).toMatchObject({ keys: 0 });
      expect((await taken).header.lsn).toBe(1);
      await engine.barrier();
      const image = sim.crashImage({ choice: 'all' });
      await engine.close();
      // Without the log behind it: what the image alone holds.
      const alone = SimVfs.fromImage(image, { seed: 96 });
      await alone.run(async () => {
        engine = await Engine.open(engineOptions(alone));
        expect(engine.recovery.replayed).toBe(1);
        expect(stateOf(engine)).not.toBe(state);
        expect(stateOf(engine)).toBe('[]');
        await engine.close();
      });
    });
  });
});

describe('a damaged image', () => {
  it('is told in health, and a new one takes its place at once', async () => {
    await sim.run(async () => {
      let engine = await open();
      for (const name of ['a', 'b']) {
        put(engine, name, 1_000);
        await engine.snapshot();
      }
      await engine.close();
      const file = await sim.open(`${DIR}/nendb.snapshot`, 'write');
      await file.writeAt(Buffer.from('rot'), 150);
      await file.close();

      engine = await open();
      expect(engine.recovery.snapshot?.source).toBe('bak');
      const damaged = engine.health();
      expect(damaged).toMatchObject({ healthy: false, state: 'ok' });
      expect(damaged.reason).toMatch(/nendb\.snapshot/);
      expect(damaged.snapshot).toMatchObject({ inProgress: true, newest: { role: 'bak' } });
      await engine.snapshot();
      expect(engine.health()).toMatchObject({ healthy: true, state: 'ok' });
      expect(engine.health().snapshot.damage).toBeUndefined();
      await engine.close();

      engine = await open();
      expect(engine.recovery.snapshot).toMatchObject({ source: 'newest' });
      expect(engine.recovery.snapshot?.reason).toBeUndefined();
      await engine.close();
    });
  });
});

describe('pressure', () => {
  it('R9: shows while more waits for the disk than may, and ends with the next sync', async () => {
    await sim.run(async () => {
      const engine = await open({ pendingBytesMax: 10_000 });
      expect(engine.pressure).toBe(false);
      for (let i = 0; i < 12; i++) put(engine, `k${i}`, 1_000);
      expect(engine.pressure).toBe(true);
      await engine.barrier();
      expect(engine.pressure).toBe(false);
      await engine.close();
    });
  });
});

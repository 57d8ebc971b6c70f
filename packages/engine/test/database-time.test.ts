import { SimVfs } from '@nendb/vfs/sim';
import { beforeEach, describe, expect, it } from 'vitest';
import { DatabaseClock } from '../src/database-clock.js';
import { Engine } from '../src/engine.js';
import { engineOptions } from './sim/workload.js';

const HOUR_MS = 3_600_000;

let sim: SimVfs;
beforeEach(() => {
  sim = new SimVfs({ seed: 91 });
});

const open = () => Engine.open(engineOptions(sim));
const wait = (ms: number) => new Promise<void>((resolve) => sim.timers.after(ms, resolve));

function put(engine: Engine): void {
  const key = Buffer.from('k');
  engine.begin().putString(0, key, 0, 1, key, 0, 1, 0);
  engine.commit();
}

/** The time that the database has after a power cut, with the clock set back by a day. */
async function timeAfterCrash(): Promise<number> {
  sim = SimVfs.fromImage(sim.crashImage({ choice: 'none' }), { seed: 92 });
  sim.jumpClock(-24 * HOUR_MS);
  return sim.run(async () => {
    const engine = await open();
    const nowMs = engine.nowMs();
    await engine.close();
    return nowMs;
  });
}

describe('R12: database time', () => {
  it('starts where the closed log ended, though its last record is older', async () => {
    let last = 0;
    await sim.run(async () => {
      const engine = await open();
      put(engine);
      await engine.snapshot();
      await wait(HOUR_MS);
      last = engine.nowMs();
      await engine.close();
    });
    sim.jumpClock(-24 * HOUR_MS);
    await sim.run(async () => {
      const engine = await open();
      expect(engine.recovery.replayed).toBe(0);
      expect(engine.nowMs()).toBeGreaterThanOrEqual(last);
      await engine.close();
    });
  });

  it('is pinned by an image, though the log was not written to since', async () => {
    await sim.run(async () => {
      const engine = await open();
      put(engine);
      await engine.barrier();
      await wait(HOUR_MS);
      const before = engine.nowMs();
      const { header } = await engine.snapshot();
      expect(header.databaseTimeMs).toBeGreaterThanOrEqual(before);
      expect(header.databaseTimeMs).toBeLessThanOrEqual(engine.nowMs());
      expect(await timeAfterCrash()).toBeGreaterThanOrEqual(header.databaseTimeMs);
    });
  });

  it('advances with the monotonic clock alone, whatever is done to the wall clock', async () => {
    await sim.run(async () => {
      const engine = await open();
      const start = engine.nowMs();
      for (const jumpMs of [-HOUR_MS, HOUR_MS, -50 * HOUR_MS, 1_000 * HOUR_MS]) {
        sim.jumpClock(jumpMs);
        await wait(1_000);
      }
      expect(engine.nowMs() - start).toBeGreaterThanOrEqual(4_000);
      expect(engine.nowMs() - start).toBeLessThan(4_100);
      await engine.close();
    });
  });

  it('is never before a time it was given, by not a millisecond, whatever fractions round to', () => {
    for (let i = 1; i < 3_000; i++) {
      let monotonicMs = i * 1_234.567_891;
      const clock = new DatabaseClock({ wallMs: () => 1_000, monotonicMs: () => monotonicMs });
      const givenMs = 1_790_000_000_000 + i * 7;
      clock.atLeast(givenMs);
      expect(clock.nowMs()).toBe(givenMs);
      monotonicMs += 0.4;
      const later = clock.nowMs();
      expect(later).toBeGreaterThanOrEqual(givenMs);
      clock.atLeast(givenMs - 5);
      expect(clock.nowMs()).toBe(later);
    }
  });
});

/** How writers are slowed down, how background writers are held to a rate, and how failed jobs are tried again. */
import { Prng, SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { RateLimiter } from '../../src/compaction/rate-limiter.js';
import { Background } from '../../src/db/background.js';
import { delayMs, pacedBytesPerSec } from '../../src/db/pacer.js';
import { LsmError } from '../../src/errors.js';
import { bytes, openSim } from '../db/sim-tree.js';

const shape = (frozenMemtables: number, level0Runs: number) => ({
  frozenMemtables,
  level0Runs,
  level0RunsCompact: 4,
});

describe('pacing', () => {
  it('leaves writers free while work keeps up, then slows them ever more', () => {
    expect(pacedBytesPerSec(shape(0, 4))).toBe(0);
    expect(pacedBytesPerSec(shape(1, 12))).toBe(0);
    const rates = [13, 16, 20, 25, 30, 36, 50].map((runs) => pacedBytesPerSec(shape(0, runs)));
    expect([...rates].sort((a, b) => b - a)).toEqual(rates);
    expect(rates[0]).toBeGreaterThan(100 * 1024 * 1024);
    expect(rates.at(-1)).toBe(1024 * 1024);
    expect(pacedBytesPerSec(shape(2, 0))).toBe(0);
    expect(pacedBytesPerSec(shape(5, 0))).toBe(1024 * 1024);
  });

  it('waits milliseconds for a kilobyte, and at most a second at a time', () => {
    expect(delayMs(1024, shape(0, 0))).toBe(0);
    expect(delayMs(1024, shape(2, 0))).toBe(0);
    expect(delayMs(1024, shape(3, 0))).toBeLessThan(1);
    expect(delayMs(1024, shape(0, 36))).toBeCloseTo(1, 0);
    expect(delayMs(1 << 30, shape(0, 36))).toBe(1000);
    expect(delayMs(1024, shape(5, 0))).toBe(Number.POSITIVE_INFINITY);
  });

  it('is felt by who awaits, and ends when the flushes have caught up', async () => {
    const sim = new SimVfs({ record: false });
    await sim.run(async () => {
      const db = await openSim(sim, { memtableBytes: 4096, rateLimitBytesPerSec: 100_000 });
      let paced = 0;
      for (let i = 0; i < 600; i++) {
        await db.put(bytes(`key ${i}`), bytes('x'.repeat(100)));
        if (db.stats().pacedBytesPerSec > 0) paced++;
      }
      expect(paced).toBeGreaterThan(0);
      expect(db.stats().memtables.count).toBeLessThanOrEqual(7);
      await db.flush();
      await db.settle();
      expect(db.stats()).toMatchObject({ pacedBytesPerSec: 0, compactionDebtBytes: 0 });
      await db.close();
    });
    sim.assertClean();
  });
});

describe('the rate limiter', () => {
  it('holds the average of whatever steps to its rate', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const limiter = new RateLimiter(sim.clock, sim.timers, 1_000_000);
      const dice = new Prng(4);
      const startedMs = sim.clock.monotonicMs();
      let bytes = 0;
      for (let i = 0; i < 200; i++) {
        const step = dice.below(100_000);
        bytes += step;
        await limiter.written(step);
      }
      const tookMs = sim.clock.monotonicMs() - startedMs;
      expect(bytes / tookMs).toBeGreaterThan(900);
      expect(bytes / (tookMs + 100)).toBeLessThan(1010);
    });
  });

  it('without a rate waits for nothing', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const limiter = new RateLimiter(sim.clock, sim.timers, undefined);
      const startedMs = sim.clock.monotonicMs();
      for (let i = 0; i < 100; i++) await limiter.written(1e9);
      expect(sim.clock.monotonicMs() - startedMs).toBeLessThan(1);
    });
  });
});

describe('background work', () => {
  it('is tried again after pauses that double, and tells each failure', async () => {
    const sim = new SimVfs();
    const told: number[] = [];
    let tries = 0;
    await sim.run(async () => {
      const background = new Background(sim.timers, {
        async work() {
          tries++;
          if (tries <= 4) throw Object.assign(new Error('no'), { code: 'EIO' });
          return false;
        },
        onFailure: (_error, retryMs) => told.push(retryMs),
      });
      background.kick();
      await sim.settle(5000);
      expect(told).toEqual([100, 200, 400, 800]);
      expect(tries).toBe(5);
      await background.idle();
    });
  });

  it('is not tried again where that cannot help', async () => {
    const sim = new SimVfs();
    const told: number[] = [];
    await sim.run(async () => {
      const background = new Background(sim.timers, {
        async work() {
          throw new LsmError('LSM_CORRUPT', 'a table is damaged');
        },
        onFailure: (_error, retryMs) => told.push(retryMs),
      });
      background.kick();
      await sim.settle(5000);
      background.kickNow();
      await sim.settle(5000);
      expect(told).toEqual([0]);
      expect(background.lastError).toMatchObject({ code: 'LSM_CORRUPT' });
    });
  });
});

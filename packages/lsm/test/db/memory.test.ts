/** Memory: everything that can be given back shares one budget, and whatever it is, reads are right. */
import type { LsmOptions } from '@nendb/lsm';
import { Prng, SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { bytes, contents, openSim, text } from './sim-tree.js';

const valueLog = { thresholdBytes: 300, fileBytes: 4000 };

describe.each([4096, 16 * 1024, 1 << 20])('a cache of %i bytes', (cacheBytes) => {
  it('is kept to, and every read finds what was written', async () => {
    const sim = new SimVfs({ record: false });
    const options: Partial<LsmOptions> = { cacheBytes, memtableBytes: 8192, valueLog };
    await sim.run(async () => {
      let db = await openSim(sim, options);
      const keys = Array.from({ length: 400 }, (_, i) => `key ${String(i).padStart(4, '0')}`);
      const told = (key: string) => `${key} is `.padEnd(key.endsWith('7') ? 500 : 40, '.');
      for (const key of keys) await db.put(bytes(key), bytes(told(key)));
      await db.compact();
      await db.close();
      db = await openSim(sim, options);
      const dice = new Prng(cacheBytes);
      for (let n = 0; n < 1500; n++) {
        const key = keys[dice.below(keys.length)];
        const how = dice.below(4);
        if (how === 0) {
          const ready = db.prepare([bytes(key)]);
          if (ready !== true) await ready;
        }
        const found = how === 1 ? await db.getAsync(bytes(key)) : db.getView(bytes(key));
        expect(text(found)).toBe(told(key));
        expect(db.get(bytes(`${key}?`))).toBeUndefined();
      }
      expect(contents(db)).toEqual(keys.map((key) => [key, told(key)]));
      const { usedBytes, limitBytes, hits, misses } = db.stats().cache;
      expect(limitBytes).toBe(cacheBytes + 8192);
      // Tables and blocks in use are never given up, so the smallest cache may stand above its limit by these.
      expect(usedBytes).toBeLessThanOrEqual(limitBytes + 8192);
      expect(misses).toBeGreaterThan(0);
      if (cacheBytes === 1 << 20) expect(hits).toBeGreaterThan(misses * 10);
      await db.close();
    });
    sim.assertClean();
  });
});

describe('prepare', () => {
  it('R8: brings in what a read needs, long values too, so that the read touches no disk', async () => {
    const sim = new SimVfs({ record: false });
    const options: Partial<LsmOptions> = { memtableBytes: 1 << 16, valueLog, cacheBytes: 1 << 20 };
    await sim.run(async () => {
      let db = await openSim(sim, options);
      const long = 'long'.repeat(200);
      await db.batch().put(bytes('short'), bytes('1')).put(bytes('long'), bytes(long)).write();
      await db.flush();
      await db.close();
      db = await openSim(sim, options);
      for (const key of ['short', 'long', 'missing']) {
        const ready = db.prepare([bytes(key)]);
        if (ready !== true) await ready;
        expect(db.prepare([bytes(key)])).toBe(true);
        const { read, open } = sim.counts;
        expect(text(db.get(bytes(key)))).toBe({ short: '1', long }[key]);
        expect(sim.counts).toMatchObject({ read, open });
      }
      await db.close();
    });
    sim.assertClean();
  });
});

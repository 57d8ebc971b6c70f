/** The rules that make a tree a map, each by its name. */
import type { Lsm, LsmOptions } from '@nendb/lsm';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { bytes, contents, openSim, text } from './sim-tree.js';

const MANUAL: Partial<LsmOptions> = { autoCompact: false, memtableBytes: 1 << 20 };

async function withTree(options: Partial<LsmOptions>, body: (db: Lsm) => Promise<void>) {
  const sim = new SimVfs({ record: false });
  await sim.run(async () => {
    const db = await openSim(sim, options);
    await body(db);
    await db.close();
  });
  sim.assertClean();
}

function put(db: Lsm, key: string, value: string): Promise<void> {
  return db.put(bytes(key), bytes(value));
}

function get(db: Lsm, key: string): string | undefined {
  return text(db.get(bytes(key)));
}

/** Where the versions of a key are found, newest first. */
function sources(db: Lsm, key: string): string[] {
  return db.explain(bytes(key)).steps.map(({ outcome }) => outcome);
}

describe('tombstone permanence', () => {
  it('a tombstone stays while an older version may lie deeper, and goes when it cannot', async () => {
    const reasons: string[] = [];
    const options: Partial<LsmOptions> = {
      memtableBytes: 1 << 20,
      compaction: 'size-tiered',
      onEvent: (event) => event.type === 'compacted' && reasons.push(event.reason),
    };
    await withTree(options, async (db) => {
      await put(db, 'k', 'old');
      await put(db, 'z', 'padding'.repeat(800));
      await db.flush();
      await db.delete(bytes('k'));
      for (const key of ['a', 'b', 'c']) {
        await put(db, key, '1');
        await db.flush();
      }
      await db.settle();
      // The three newest runs were merged: the tombstone is not at the bottom.
      expect(reasons).toEqual(['size-tier']);
      expect(db.stats().readAmplification).toBe(2);
      expect(get(db, 'k')).toBeUndefined();
      expect(sources(db, 'k').at(-1)).toBe('tombstone');
      await db.compact();
      expect(get(db, 'k')).toBeUndefined();
      expect(db.stats().levels.every(({ tombstones }) => tombstones === 0)).toBe(true);
      expect(contents(db).map(([key]) => key)).toEqual(['a', 'b', 'c', 'z']);
    });
  });

  it('a tombstone that a snapshot cannot see stays, and so does what the snapshot sees', async () => {
    await withTree(MANUAL, async (db) => {
      await put(db, 'k', 'old');
      const snapshot = db.snapshot();
      await db.delete(bytes('k'));
      await db.compact();
      expect(text(db.get(bytes('k'), { snapshot }))).toBe('old');
      expect(get(db, 'k')).toBeUndefined();
      snapshot.close();
      await db.compact();
      expect(get(db, 'k')).toBeUndefined();
      expect(db.stats().tables).toBe(0);
    });
  });

  it('R12: an expired entry goes on hiding what it hid, and time never goes back', async () => {
    const sim = new SimVfs({ record: false });
    await sim.run(async () => {
      const db = await openSim(sim, { ...MANUAL, compaction: 'size-tiered' });
      await put(db, 'k', 'older and without end');
      await put(db, 'z', 'padding'.repeat(300));
      await db.flush();
      const expireAtMs = sim.clock.wallMs() + 1000;
      await db.put(bytes('k'), bytes('short-lived'), { expireAtMs });
      await db.flush();
      expect(get(db, 'k')).toBe('short-lived');
      expect(db.expiryOf(bytes('k'))).toBe(expireAtMs);
      sim.jumpClock(1000);
      expect(get(db, 'k')).toBeUndefined();
      expect(sources(db, 'k').at(-1)).toBe('expired value');
      sim.jumpClock(-5000);
      // R12: database time never goes back.
      expect(get(db, 'k')).toBeUndefined();
      await db.compact();
      expect(get(db, 'k')).toBeUndefined();
      expect(contents(db).map(([key]) => key)).toEqual(['z']);
      await db.close();
    });
  });
});

describe('tombstone(seq=N) shadows value(seq=M) iff N > M', () => {
  it('for points and ranges, in the memtable, in tables, and across both', async () => {
    const flushes = [0, 1, 2, 3].map((bits) => [(bits & 1) !== 0, (bits & 2) !== 0]);
    for (const kind of ['point', 'range'] as const) {
      for (const [first, second] of flushes) {
        await withTree(MANUAL, async (db) => {
          const remove = () =>
            kind === 'point' ? db.delete(bytes('k')) : db.deleteRange(bytes('a'), bytes('x'));
          await put(db, 'k', 'M < N');
          if (first) await db.flush();
          await remove();
          if (second) await db.flush();
          expect(get(db, 'k')).toBeUndefined();
          expect(contents(db)).toEqual([]);
          await put(db, 'k', 'M > N');
          expect(get(db, 'k')).toBe('M > N');
          expect(contents(db)).toEqual([['k', 'M > N']]);
          await db.flush();
          await db.compact();
          expect(get(db, 'k')).toBe('M > N');
          expect(contents(db)).toEqual([['k', 'M > N']]);
        });
      }
    }
  });

  it('and with N = M, in one batch, the order in the batch decides', async () => {
    await withTree(MANUAL, async (db) => {
      await db.batch().deleteRange(bytes('a'), bytes('x')).put(bytes('k'), bytes('after')).write();
      await db.batch().put(bytes('m'), bytes('before')).deleteRange(bytes('m'), bytes('n')).write();
      for (const step of [() => db.flush(), () => db.compact()]) {
        expect(contents(db)).toEqual([['k', 'after']]);
        await step();
      }
      expect(contents(db)).toEqual([['k', 'after']]);
    });
  });
});

describe('the memtable always wins', () => {
  it('over every table, for values, tombstones and ranges', async () => {
    await withTree(MANUAL, async (db) => {
      for (const value of ['bottom', 'middle', 'top']) {
        await put(db, 'k', value);
        await put(db, 'gone', value);
        await put(db, 'ranged', value);
        await db.flush();
        if (value === 'bottom') await db.compact();
      }
      await put(db, 'k', 'memtable');
      await db.delete(bytes('gone'));
      await db.deleteRange(bytes('r'), bytes('s'));
      expect(db.explain(bytes('k')).steps).toEqual([
        { source: 'memtable', outcome: 'value', sequence: expect.any(Number) },
      ]);
      expect(contents(db)).toEqual([['k', 'memtable']]);
      expect([get(db, 'gone'), get(db, 'ranged')]).toEqual([undefined, undefined]);
      await db.flush();
      expect(contents(db)).toEqual([['k', 'memtable']]);
    });
  });
});

describe('the value log', () => {
  it('a deleted key came back after value-log GC', async () => {
    // The story: garbage collection elsewhere writes live values again as new puts. A key that was deleted between
    // the look and the write lives on, for its value now has the higher number. Here a value that moves keeps its
    // sequence number, so what shadowed it still does, and what a snapshot saw it still sees.
    const valueLog = { thresholdBytes: 10, fileBytes: 200 };
    await withTree({ ...MANUAL, autoCompact: true, valueLog }, async (db) => {
      const long = (text: string) => text.padEnd(100, '.');
      for (let i = 0; i < 8; i++) await put(db, `k${i}`, long(`first ${i}`));
      await db.flush();
      await db.delete(bytes('k3'));
      const snapshot = db.snapshot();
      for (let i = 4; i < 8; i++) await put(db, `k${i}`, long(`second ${i}`));
      await db.flush();
      await db.delete(bytes('k5'));
      await db.flush();
      await db.compact();
      snapshot.close();
      await db.compact();
      await db.settle();
      const { valueGarbageBytes, valueBytes } = db.stats();
      expect(valueGarbageBytes).toBeLessThanOrEqual(valueBytes * 0.25);
      const expected = [0, 1, 2, 4, 6, 7].map((i) => [
        `k${i}`,
        long(i < 4 ? `first ${i}` : `second ${i}`),
      ]);
      expect(contents(db)).toEqual(expected);
      expect([get(db, 'k3'), get(db, 'k5')]).toEqual([undefined, undefined]);
    });
  });

  it('is emptied by itself: garbage stays below a quarter of it', async () => {
    const valueLog = { thresholdBytes: 10, fileBytes: 1000 };
    const options = { memtableBytes: 4096, valueLog, levelBaseBytes: 2000 };
    await withTree(options, async (db) => {
      for (let i = 0; i < 400; i++) {
        await put(db, `k${i % 13}`, `${i}`.padEnd(150, '.'));
        if (i % 25 === 0) await db.flush();
      }
      await db.flush();
      await db.settle();
      const stats = db.stats();
      expect(stats.valueGarbageBytes).toBeLessThanOrEqual(stats.valueBytes * 0.25);
      expect(stats.valueBytes).toBeLessThan(13 * 200 * 4);
      expect(contents(db)).toHaveLength(13);
    });
  });
});

describe('files', () => {
  it('go only when no reader, snapshot or checkpoint needs them', async () => {
    const sim = new SimVfs({ record: false });
    await sim.run(async () => {
      const db = await openSim(sim, { ...MANUAL, valueLog: { thresholdBytes: 5 } });
      for (let i = 0; i < 20; i++) await put(db, `k${i}`, `long value ${i}`);
      await db.flush();
      const files = async () =>
        (await sim.readdir('/db')).filter((name) => /table|values/.test(name)).sort();
      const before = await files();
      const cursor = db.cursor();
      cursor.next();
      for (let i = 0; i < 20; i++) await put(db, `k${i}`, `other value ${i}`);
      await db.compact();
      await db.settle();
      expect(await files()).toEqual(expect.arrayContaining(before));
      let seen = 1;
      while (cursor.next()) {
        expect(text(cursor.value)).toMatch(/^long/);
        seen++;
      }
      expect(seen).toBe(20);
      cursor.close();
      await db.settle();
      for (const name of before) expect(await files()).not.toContain(name);
      await db.close();
    });
    sim.assertClean();
  });
});

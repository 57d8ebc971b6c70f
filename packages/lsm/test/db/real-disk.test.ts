/**
 * The tree on the real machine, its flushes and compactions on worker threads: what is read while they run, and what is
 * there after it was closed in their midst.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Lsm, type LsmOptions } from '@nendb/lsm';
import { afterAll, describe, expect, it } from 'vitest';
import { bytes, text } from './sim-tree.js';

const isBuilt = existsSync(fileURLToPath(new URL('../../dist/index.js', import.meta.url)));
const root = mkdtempSync(join(tmpdir(), 'nendb-lsm-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const STYLES = ['leveled', 'size-tiered', 'universal'] as const;

describe.runIf(isBuilt)('on the real disk', () => {
  it.each(STYLES)('%s: reads are right while threads flush and compact', async (compaction) => {
    const events: string[] = [];
    const options: LsmOptions = {
      dir: join(root, compaction),
      compaction,
      memtableBytes: 128 * 1024,
      tableBytes: 64 * 1024,
      levelBaseBytes: 256 * 1024,
      cacheBytes: 512 * 1024,
      compression: 'deflate',
      encryption: { key: new Uint8Array(32).fill(1) },
      valueLog: { thresholdBytes: 500, fileBytes: 256 * 1024 },
      logPreallocateBytes: 0,
      onEvent: ({ type }) => events.push(type),
    };
    let db = await Lsm.open(options);
    const expected = new Map<string, string>();
    let dice = 7;
    const below = (bound: number) => {
      dice = (Math.imul(dice, 1_103_515_245) + 12_345) >>> 0;
      return (dice >>> 8) % bound;
    };
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 40; n++) {
        const waiting: Promise<void>[] = [];
        for (let i = 0; i < 60; i++) {
          const key = `key ${below(1500)}`;
          const value = `${round}.${n}.${i} `.padEnd(below(10) === 0 ? 700 : 90, 'x');
          expected.set(key, value);
          waiting.push(db.put(bytes(key), bytes(value)));
        }
        await Promise.all(waiting);
        for (let i = 0; i < 20; i++) {
          const key = `key ${below(1500)}`;
          expect(text(db.get(bytes(key)))).toBe(expected.get(key));
          expect(text(await db.getAsync(bytes(key)))).toBe(expected.get(key));
        }
      }
      // In the midst of whatever runs.
      await db.close();
      db = await Lsm.open(options);
      let seen = 0;
      for await (const [key, value] of db.entries()) {
        expect(text(value)).toBe(expected.get(text(key) ?? ''));
        seen++;
      }
      expect(seen).toBe(expected.size);
    }
    await db.flush();
    await db.settle();
    expect(await db.verify()).toMatchObject({ ok: true, problems: [] });
    const copy = join(root, `${compaction} copy`);
    await db.checkpoint(copy);
    await db.rotateKey();
    expect(await db.verify()).toMatchObject({ ok: true, problems: [] });
    expect(db.health).toMatchObject({ healthy: true, backgroundErrors: 0, leftFiles: 0 });
    await db.close();
    const copied = await Lsm.open({ ...options, dir: copy });
    for (const [key, value] of expected) expect(text(copied.get(bytes(key)))).toBe(value);
    await copied.close();
    expect(events).toEqual(expect.arrayContaining(['flushed', 'compacted']));
  });
});

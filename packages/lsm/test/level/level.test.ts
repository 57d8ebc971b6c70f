/** What NenLevel has beyond the suite of abstract-level: errors, options, what lies in tables, the tree beneath. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lsm, LsmError } from '@nendb/lsm';
import { LevelError, NenLevel, type NenLevelOptions } from '@nendb/lsm/level';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { propertySeeds } from '../seeds.js';
import { runTape } from './tape.js';

const SEEDS = propertySeeds('level');
let root: string;
let made = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'nendb-level-'));
});
afterAll(() => rmSync(root, { recursive: true }));

const newDir = (): string => join(root, String(++made));

/** Everything beyond a few entries goes to tables. */
const SMALL: NenLevelOptions<string, string> = {
  ...{ memtableBytes: 2048, cacheBytes: 4096, blockBytes: 256, tableBytes: 1024 },
  ...{ levelBaseBytes: 4096, logPreallocateBytes: 0, lock: false },
};

async function opened(more: NenLevelOptions<string, string> = {}): Promise<NenLevel> {
  const db = new NenLevel(newDir(), { logPreallocateBytes: 0, lock: false, ...more });
  await db.open();
  return db;
}

const entries = (from: number, to: number): [string, string][] =>
  Array.from({ length: to - from }, (_, i) => [
    `key ${String(from + i).padStart(6, '0')}`,
    `value ${from + i} `.repeat(3),
  ]);

async function fill(db: NenLevel, all: readonly [string, string][]): Promise<void> {
  await db.batch(all.map(([key, value]) => ({ type: 'put', key, value })));
}

describe('errors', () => {
  it("of the tree come with Level's codes and the tree's as cause", async () => {
    const first = new NenLevel(newDir());
    await first.open();
    const second = new NenLevel(first.location);
    const refused = await second.open().catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'LEVEL_DATABASE_NOT_OPEN' });
    expect((refused as Error).cause).toMatchObject({
      code: 'LEVEL_LOCKED',
      cause: { code: 'LSM_LOCKED' },
    });
    const key = 'x'.repeat(70_000);
    await expect(first.put(key, '')).rejects.toBeInstanceOf(LevelError);
    for (const write of [
      () => first.put(key, ''),
      () => first.del(key),
      () => first.batch([{ type: 'del', key }]),
      async () => first.batch().put(key, '').write(),
      async () => first.batch().del(key).write(),
    ]) {
      await expect(write()).rejects.toMatchObject({
        code: 'LEVEL_TOO_LARGE',
        cause: { code: 'LSM_TOO_LARGE' },
      });
    }
    await expect(first.get(key)).rejects.toMatchObject({ code: 'LEVEL_TOO_LARGE' });
    expect(() => first.getSync(key)).toThrow(LevelError);
    await first.close();
    expect(() => first.tree).toThrow(expect.objectContaining({ code: 'LEVEL_DATABASE_NOT_OPEN' }));
  });

  it('of options, directories and snapshots say what to do', async () => {
    expect(() => new NenLevel('')).toThrow(TypeError);
    const dir = newDir();
    const missing = await new NenLevel(dir, { createIfMissing: false })
      .open()
      .catch((error: Error) => error.cause);
    expect(missing).toMatchObject({ code: 'LEVEL_INVALID_ARGUMENT' });
    expect((missing as Error).message).toContain('does not exist');
    const bad = await new NenLevel(dir, { blockBytes: 1 }).open().catch((error: Error) => error);
    expect(bad).toMatchObject({ cause: { cause: { code: 'LSM_BAD_OPTION' } } });
    const [one, two] = [await opened(), await opened()];
    const snapshot = one.snapshot();
    await expect(two.get('a', { snapshot })).rejects.toBeInstanceOf(LevelError);
    await snapshot.close();
    await expect(one.get('a', { snapshot })).rejects.toMatchObject({
      code: 'LEVEL_SNAPSHOT_NOT_OPEN',
    });
    await Promise.all([one.close(), two.close()]);
  });

  it('damage is LEVEL_CORRUPTION', async () => {
    const db = await opened(SMALL);
    await fill(db, entries(0, 200));
    await db.tree.flush();
    const { tables } = await db.tree.verify();
    expect(tables).toBeGreaterThan(0);
    await db.close();
    const { readdirSync, readFileSync, writeFileSync } = await import('node:fs');
    for (const name of readdirSync(db.location).filter((each) => each.endsWith('.table'))) {
      const path = join(db.location, name);
      const bytes = readFileSync(path);
      bytes.fill(0xff, 256, 300);
      writeFileSync(path, bytes);
    }
    const again = new NenLevel(db.location, SMALL);
    await again.open();
    const failed = await again
      .iterator()
      .all()
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'LEVEL_CORRUPTION', cause: { code: 'LSM_CORRUPT' } });
    expect((failed as Error).cause).toBeInstanceOf(LsmError);
    await again.close();
  });
});

describe('reads', () => {
  it('that need the disk see the moment of their call', async () => {
    const db = await opened(SMALL);
    await fill(db, entries(0, 2000));
    await db.tree.flush();
    await db.close();
    await db.open();
    const keys = entries(0, 2000).map(([key]) => key);
    expect(db.tree.prepare(keys.map((key) => Buffer.from(key)))).not.toBe(true);
    const many = db.getMany(keys);
    const has = db.hasMany(keys);
    const written = db.batch(keys.map((key) => ({ type: 'put', key, value: 'later' })));
    const values = await many;
    expect(values).toEqual(entries(0, 2000).map(([, value]) => value));
    expect(await has).toEqual(keys.map(() => true));
    await written;
    expect(await db.get(keys[7])).toBe('later');
    expect(db.getSync(keys[7], { valueEncoding: 'view' })).toEqual(
      Uint8Array.from(Buffer.from('later')),
    );
    await db.close();
  });

  it('of many entries let others run, and hear of an abort on their way', async () => {
    const db = await opened();
    const all = entries(0, 5000);
    await fill(db, all);
    let turns = 0;
    const tick = setInterval(() => turns++, 0);
    expect(await db.iterator().all()).toEqual(all);
    expect(await db.keys().nextv(4999)).toHaveLength(4999);
    clearInterval(tick);
    const abort = new AbortController();
    const reading = db.values({ signal: abort.signal }).all();
    setImmediate(() => abort.abort('enough'));
    await expect(reading).rejects.toMatchObject({ code: 'LEVEL_ABORTED', name: 'AbortError' });
    expect(turns).toBeGreaterThan(0);
    await db.close();
  });

  it('agree with a sorted map, whatever is in tables', async () => {
    const key = fc.constantFrom(...entries(0, 60).map(([each]) => each));
    const command = fc.oneof(
      { weight: 6, arbitrary: fc.tuple(fc.constant('put'), key, fc.string({ maxLength: 90 })) },
      { weight: 2, arbitrary: fc.tuple(fc.constant('del'), key, fc.constant('')) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('clear'), key, key) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('clear 3'), key, key) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('reopen'), key, key) },
      { weight: 3, arbitrary: fc.tuple(fc.constant('walk'), key, key) },
    );
    for (const seed of SEEDS) {
      await fc.assert(
        fc.asyncProperty(fc.array(command, { minLength: 20, maxLength: 150 }), async (commands) => {
          const db = await opened(SMALL);
          const model = new Map<string, string>();
          const between = (from: string, to: string) =>
            [...model].filter(([k]) => k >= from && k < to).sort(([a], [b]) => (a < b ? -1 : 1));
          for (const [what, a, b] of commands) {
            if (what === 'put') {
              model.set(a, b);
              await db.put(a, b);
            } else if (what === 'del') {
              model.delete(a);
              await db.del(a);
            } else if (what === 'clear') {
              for (const [k] of between(a, b)) model.delete(k);
              await db.clear({ gte: a, lt: b });
            } else if (what === 'clear 3') {
              for (const [k] of between(a, b).reverse().slice(0, 3)) model.delete(k);
              await db.clear({ gte: a, lt: b, limit: 3, reverse: true });
            } else if (what === 'reopen') {
              await db.close();
              await db.open();
            } else {
              expect(await db.iterator({ gte: a, lt: b }).all()).toEqual(between(a, b));
              expect(await db.get(a)).toBe(model.get(a));
              const back = db.keys({ gt: a, lte: b, reverse: true, limit: 4 });
              const expected = [...model.keys()].filter((k) => k > a && k <= b).sort();
              expect(await back.all()).toEqual(expected.reverse().slice(0, 4));
            }
          }
          expect(await db.iterator().all()).toEqual(between('', '~'));
          await db.close();
        }),
        { seed, numRuns: 4 },
      );
    }
  });
});

describe('writes', () => {
  it('take the options of the tree: expiry and sync', async () => {
    let nowMs = 1000;
    const db = await opened({ clockMs: () => nowMs });
    await db.put('a', '1', { expireAtMs: 2000, sync: true });
    await db.batch([{ type: 'put', key: 'b', value: '2' }], { expireAtMs: 3000, sync: true });
    await db.batch().put('c', '3').del('d').write({ sync: true });
    await db.del('d', { sync: true });
    expect(await db.keys().all()).toEqual(['a', 'b', 'c']);
    nowMs = 2500;
    expect(await db.keys().all()).toEqual(['b', 'c']);
    nowMs = 3500;
    expect(await db.keys().all()).toEqual(['c']);
    await db.close();
  });

  it('of a batch over sublevels are made together, and seen through the tree', async () => {
    const db = await opened();
    const [users, names] = [db.sublevel('users'), db.sublevel('names')];
    await db.batch([
      { type: 'put', sublevel: users, key: '1', value: 'ada' },
      { type: 'put', sublevel: names, key: 'ada', value: '1' },
    ]);
    expect(db.tree.sequence).toBe(1);
    expect(await users.get('1')).toBe('ada');
    expect(Buffer.from(db.tree.get(Buffer.from('!names!ada')) ?? []).toString()).toBe('1');
    await users.clear();
    expect(await db.keys().all()).toEqual(['!names!ada']);
    await db.close();
  });

  it('clear is one commit, however many keys', async () => {
    const db = await opened();
    await fill(db, entries(0, 1000));
    const { sequence } = db.tree;
    await db.clear();
    expect(db.tree.sequence).toBe(sequence + 1);
    await db.clear();
    expect(db.tree.sequence).toBe(sequence + 1);
    await fill(db, entries(0, 5000));
    const snapshot = db.snapshot();
    await db.put('later', '');
    await db.clear({ snapshot });
    expect(await db.keys().all()).toEqual(['later']);
    await snapshot.close();
    await db.compactRange('a', 'z');
    expect(db.tree.stats().levels.reduce((sum, { entries: n }) => sum + n, 0)).toBe(1);
    await db.close();
  });

  it('that the tree makes are seen by Level, and the directory is a tree', async () => {
    const db = await opened();
    await db.put('a', '1');
    await db.tree.transact((t) => t.put(Buffer.from('b'), Buffer.from('2')));
    expect(await db.iterator().all()).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
    await db.close();
    const tree = await Lsm.open({ dir: db.location, mustExist: true });
    expect(tree.has(Buffer.from('b'))).toBe(true);
    await tree.close();
  });
});

it('the adapter to tape tells what fails', async () => {
  const results = await runTape((test) => {
    test('fine', (t) => {
      const { ok, end } = t as { ok(value: boolean, name: string): void; end(): void };
      ok.call(t, true, 'holds');
      ok.call(t, false, 'does not');
      end.call(t);
    });
    test('throws', async () => {
      throw new Error('broken');
    });
  });
  expect(results).toMatchObject({ tests: 2, skipped: [] });
  expect(results.failures).toHaveLength(2);
  expect(results.failures[0]).toContain('fine: does not');
  expect(results.failures[1]).toContain('broken');
});

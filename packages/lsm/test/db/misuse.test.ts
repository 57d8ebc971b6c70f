/** What the tree refuses, and how it says so. */
import { Batch, Lsm, LsmError, type LsmErrorCode, type LsmOptions } from '@nendb/lsm';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { bytes, openSim, text } from './sim-tree.js';

const wrong = <T>(value: unknown): T => value as T;

async function codeOf(work: () => unknown): Promise<LsmErrorCode | string> {
  try {
    await work();
    return 'nothing';
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    const { code, message } = error as LsmError;
    // What was expected, what came, what to do.
    if (error instanceof LsmError) expect(message).toMatch(/[:,]/);
    return code;
  }
}

describe('options', () => {
  const cases: [keyof LsmOptions, unknown][] = [
    ['dir', ''],
    ['memtableBytes', 10],
    ['cacheBytes', -1],
    ['compaction', 'none'],
    ['compression', 'zip'],
    ['encryption', { key: new Uint8Array(5) }],
    ['encryption', { keyring: {} }],
    ['valueLog', { thresholdBytes: 0 }],
    ['rateLimitBytesPerSec', 0],
    ['log', {}],
    ['log', null],
    ['databaseUuid', new Uint8Array(3)],
    ['clockMs', 5],
    ['lock', 'yes'],
    ['mustExist', 1],
    ['blockBytes', 3],
    ['filterBitsPerKey', 99],
    ['tableBytes', 0.5],
    ['level0RunsCompact', 0],
    ['onEvent', 'log'],
  ];
  it.each(cases)('%s: %j is refused by its name', async (name, value) => {
    const vfs = new SimVfs();
    const options = { dir: '/db', vfs, [name]: value };
    const error = await Lsm.open(wrong(options)).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(LsmError);
    expect((error as LsmError).code).toBe('LSM_BAD_OPTION');
    expect((error as LsmError).message).toContain(name);
    expect(vfs.changeCount).toBe(0);
  });
});

describe('a tree', () => {
  it('that is closed while reads are on their way lets them end', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const options = { valueLog: { thresholdBytes: 50 }, memtableBytes: 1 << 16 };
      let db = await openSim(sim, options);
      for (let i = 0; i < 40; i++) await db.put(bytes(`k${i}`), bytes('v'.repeat(i * 4)));
      await db.flush();
      await db.close();
      db = await openSim(sim, options);
      const reads = [0, 7, 20, 39].map((i) => codeOf(() => db.getAsync(bytes(`k${i}`))));
      const prepared = codeOf(() => db.prepare([bytes('k30'), bytes('k5')]));
      await db.close();
      for (const said of [...(await Promise.all(reads)), await prepared]) {
        expect(['nothing', 'LSM_CLOSED']).toContain(said);
      }
    });
    sim.assertClean();
  });

  it('refuses keys, values and times that are none', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const db = await openSim(sim);
      const k = bytes('k');
      const refused: [() => unknown, LsmErrorCode][] = [
        [() => db.put(wrong('text'), k), 'LSM_BAD_OPTION'],
        [() => db.put(k, wrong('text')), 'LSM_BAD_OPTION'],
        [() => db.put(wrong(undefined), k), 'LSM_BAD_OPTION'],
        [() => db.put(new Uint8Array(70_000), k), 'LSM_TOO_LARGE'],
        [() => db.put(k, k, { expireAtMs: -1 }), 'LSM_BAD_OPTION'],
        [() => db.put(k, k, { expireAtMs: 1.5 }), 'LSM_BAD_OPTION'],
        [() => db.putSync(wrong(5), k), 'LSM_BAD_OPTION'],
        [() => db.delete(wrong(null)), 'LSM_BAD_OPTION'],
        [() => db.deleteRange(wrong('a'), k), 'LSM_BAD_OPTION'],
        [() => db.get(wrong('k')), 'LSM_BAD_OPTION'],
        [() => db.getAsync(wrong('k')), 'LSM_BAD_OPTION'],
        [() => db.explain(wrong('k')), 'LSM_BAD_OPTION'],
        [() => db.cursor({ gte: wrong('k') }), 'LSM_BAD_OPTION'],
        [() => db.cursor({ limit: -1 }), 'LSM_BAD_OPTION'],
        [() => db.get(k, { snapshot: wrong({ sequence: 1 }) }), 'LSM_BAD_OPTION'],
        [() => db.batch().put(wrong('k'), k), 'LSM_BAD_OPTION'],
        [() => db.apply(1, new Batch().put(k, k)), 'LSM_WRONG_LOG'],
        [() => db.transact(() => undefined, { retriesMax: -1 }), 'LSM_BAD_OPTION'],
      ];
      for (const [work, code] of refused) expect(await codeOf(work), `${work}`).toBe(code);
      expect(db.sequence).toBe(0);
      await db.close();
    });
    sim.assertClean();
  });

  it('refuses what was closed', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const db = await openSim(sim);
      const k = bytes('k');
      await db.put(k, k);
      const snapshot = db.snapshot();
      snapshot.close();
      snapshot.close();
      expect(await codeOf(() => db.get(k, { snapshot }))).toBe('LSM_CLOSED');
      const cursor = db.cursor();
      expect(await codeOf(() => cursor.key)).toBe('LSM_CLOSED');
      cursor.close();
      cursor.close();
      expect(await codeOf(() => cursor.next())).toBe('LSM_CLOSED');
      expect(await codeOf(() => cursor.seek(k))).toBe('LSM_CLOSED');
      const batch = db.batch().put(k, k);
      await batch.write();
      expect(await codeOf(() => batch.write())).toBe('LSM_CLOSED');
      expect(await codeOf(() => batch.put(k, k))).toBe('LSM_CLOSED');
      await db.batch().write();
      const t = db.begin();
      t.abort();
      t.abort();
      expect(await codeOf(() => t.get(k))).toBe('TXN_CLOSED');
      const late = db.begin();
      const flushing = db.flush();
      const closing = db.close();
      expect(await codeOf(() => flushing)).toMatch(/LSM_CLOSED|nothing/);
      await closing;
      await db.close();
      const calls = [
        () => db.get(k),
        () => db.put(k, k),
        () => db.putSync(k, k),
        () => db.flush(),
        () => db.compact(),
        () => db.cursor(),
        () => db.snapshot(),
        () => db.begin(),
        () => db.verify(),
        () => db.checkpoint('/copy'),
        () => db.prepare([k]),
        () => db.sync(),
        () => late.get(k),
        () => late.commit(),
      ];
      for (const call of calls) expect(await codeOf(call), `${call}`).toBe('LSM_CLOSED');
    });
    sim.assertClean();
  });

  it('is open once, and belongs to one database', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      expect(await codeOf(() => openSim(sim, { mustExist: true }))).toBe('LSM_MISSING');
      const databaseUuid = new Uint8Array(16).fill(3);
      const db = await openSim(sim, { databaseUuid });
      expect(db.databaseUuid).toEqual(databaseUuid);
      expect(await codeOf(() => openSim(sim))).toBe('LSM_LOCKED');
      await db.close();
      const other = new Uint8Array(16).fill(4);
      expect(await codeOf(() => openSim(sim, { databaseUuid: other }))).toBe('LSM_FOREIGN');
      const again = await openSim(sim, { mustExist: true });
      await again.close();
    });
    sim.assertClean();
  });

  it('copies what it is given and what it gives', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const db = await openSim(sim);
      const [key, value] = [bytes('key'), bytes('value')];
      const done = db.put(key, value);
      key.fill(0);
      value.fill(0);
      await done;
      const found = db.get(bytes('key'));
      expect(text(found)).toBe('value');
      found?.fill(0);
      expect(text(db.getView(bytes('key')))).toBe('value');
      await db.flush();
      db.get(bytes('key'))?.fill(0);
      expect(text(db.get(bytes('key')))).toBe('value');
      await db.close();
    });
  });
});

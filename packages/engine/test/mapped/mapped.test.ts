/** R17: when a mapped region may be trusted, and that it is right whichever way it came to be. */
import { readFileSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Engine } from '../../src/engine.js';
import { DashStore } from '../../src/stores/dash/dash-store.js';
import { stateOf } from '../sim/state.js';
import { MappedDatabase, put } from './machine.js';

let database: MappedDatabase;
beforeEach(() => {
  database = new MappedDatabase();
});
afterEach(() => database.remove());

/** Strings, hashes packed and nested, times, a flushed and a swapped database. */
function fill(engine: Engine, round: number): void {
  const tx = engine.begin();
  const at = Date.now() + 1_000_000;
  for (let i = 0; i < 40; i++) {
    const key = Buffer.from(`key ${round} ${i}`);
    tx.putString(round % 3, key, 0, key.length, key, 0, key.length, i % 2 === 0 ? 0 : at + i);
  }
  const hash = Buffer.from(`hash ${round}`);
  for (let i = 0; i < 10 + (round % 2) * 150; i++) {
    const field = Buffer.from(`field ${i}`);
    tx.putField(4, hash, 0, hash.length, field, 0, field.length, field, 0, field.length);
    if (i % 3 === 0) {
      tx.setFieldExpiry(4, hash, 0, hash.length, field, 0, field.length, at + i);
    }
  }
  tx.setExpiry(4, hash, 0, hash.length, at);
  if (round % 4 === 3) tx.flushDatabase(1);
  if (round % 5 === 4) tx.swapDatabases(0, 2);
  engine.commit();
  put(engine, 'last', `round ${round}`, 5);
}

/** Opens what was left, expects it to be taken as it is or not, and gives its state and counts. */
async function reopened(left: MappedDatabase, trusted: boolean, reason: RegExp) {
  const engine = await left.open();
  try {
    expect(engine.recovery.region).toMatchObject({ path: left.region, trusted });
    expect(engine.recovery.region?.reason).toMatch(reason);
    const { databases } = engine.stats();
    return { state: stateOf(engine), databases };
  } finally {
    await engine.close();
  }
}

const seen = (engine: Engine) => ({
  state: stateOf(engine),
  databases: engine.stats().databases,
});

describe('a mapped region', () => {
  it('R17: is taken as it was left by a process that was killed, at any commit', async () => {
    const engine = await database.open();
    expect(engine.recovery.region).toMatchObject({ trusted: false, reason: 'it is new' });
    for (let round = 0; round < 12; round++) {
      fill(engine, round);
      const left = database.killed();
      const now = seen(engine);
      const found = await reopened(left, true, /left on this boot of the machine at record/);
      expect(found).toEqual(now);
    }
    await engine.close();
  });

  it('R17: is taken as it was closed, and goes on from there', async () => {
    let expected: unknown;
    for (let round = 0; round < 6; round++) {
      const engine = await database.open();
      if (round > 0) {
        expect(engine.recovery.region).toMatchObject({
          trusted: true,
          reason: `it was closed at record ${round * 2}`,
        });
        expect(engine.recovery.replayed).toBe(0);
        expect(seen(engine)).toEqual(expected);
      }
      fill(engine, round);
      if (round === 3) await engine.snapshot();
      expected = seen(engine);
      await engine.close();
    }
  });

  it('R17: is brought up to the log where a record was cut off in the middle', async () => {
    const engine = await database.open();
    for (let round = 0; round < 4; round++) fill(engine, round);
    const copies: MappedDatabase[] = [];
    for (const method of ['putString', 'putField', 'setFieldExpiry', 'setExpiry'] as const) {
      let calls = 0;
      const original = DashStore.prototype[method] as (...args: unknown[]) => void;
      const spy = vi.spyOn(DashStore.prototype, method).mockImplementation(function (
        this: DashStore,
        ...args: unknown[]
      ) {
        if (++calls % 13 === 5) copies.push(database.killed());
        original.apply(this, args);
      } as never);
      fill(engine, copies.length + 5);
      spy.mockRestore();
      const now = seen(engine);
      put(engine, 'behind', 'it');
      const tx = engine.begin();
      tx.remove(0, Buffer.from('behind'), 0, 6);
      engine.commit();
      for (const left of copies.splice(0)) {
        const again = await left.open();
        expect(again.recovery).toMatchObject({ region: { trusted: true }, replayed: 1 });
        // The transaction is there as a whole; the one behind it was not committed yet.
        put(again, 'last', JSON.parse(now.state).find(([n]: [number]) => n === 5)[1][0][2], 5);
        expect(seen(again)).toEqual(now);
        await again.close();
      }
    }
    await engine.close();
  });

  it('R17: of another boot of the machine is rebuilt from snapshot and log', async () => {
    const engine = await database.open();
    fill(engine, 0);
    await engine.snapshot();
    fill(engine, 1);
    const now = seen(engine);
    const left = database.killed();
    await engine.close();
    const region = readFileSync(left.region);
    region.fill(0, 72, 112);
    region.write('another boot', 72);
    region.writeUInt32LE(crc32(region.subarray(72, 112)), 112);
    writeFileSync(left.region, region);
    expect(await reopened(left, false, /in use when the machine stopped/)).toEqual(now);
    expect(await reopened(left, true, /closed/)).toEqual(now);
  });

  it('R17: ahead of the log is rebuilt', async () => {
    const engine = await database.open();
    fill(engine, 0);
    const before = seen(engine);
    const older = database.killed();
    fill(engine, 1);
    const left = database.killed(older, database);
    await engine.close();
    expect(await reopened(left, false, /the log ends|reach|ends/)).toEqual(before);
  });

  it('R17: older than the log is brought up to it, and rebuilt where the log went on without it', async () => {
    const engine = await database.open();
    fill(engine, 0);
    const older = database.killed();
    fill(engine, 1);
    const now = seen(engine);
    expect(await reopened(database.killed(database, older), true, /at record 2/)).toEqual(now);
    await engine.close();
    const alone = await database.open({ pmemPath: undefined });
    fill(alone, 2);
    const later = seen(alone);
    await alone.close();
    expect(await reopened(database, false, /the log went on without it/)).toEqual(later);
  });

  it('R17: so old that the log begins behind it is rebuilt', async () => {
    const engine = await database.open({ segmentBytesMax: 4096 });
    fill(engine, 0);
    const older = database.killed();
    for (let round = 1; round < 4; round++) {
      fill(engine, round);
      await engine.snapshot();
    }
    const now = seen(engine);
    expect(engine.stats().wal.firstLsn).toBeGreaterThan(3);
    const left = database.killed(database, older);
    await engine.close();
    expect(await reopened(left, false, /begins|gone|cut/)).toEqual(now);
  });

  it('R17: of another database is rebuilt', async () => {
    const other = new MappedDatabase();
    try {
      const [engine, stranger] = [await database.open(), await other.open()];
      fill(engine, 0);
      fill(stranger, 3);
      const now = seen(engine);
      const left = database.killed(database, other);
      await engine.close();
      await stranger.close();
      expect(await reopened(left, false, /of another database/)).toEqual(now);
    } finally {
      other.remove();
    }
  });

  it('R17: whose bytes were damaged is rebuilt', async () => {
    const engine = await database.open();
    fill(engine, 0);
    fill(engine, 1);
    const now = seen(engine);
    // The preamble, an allocator's word, the space of the tables, a record of the log's marks.
    for (const [at, bytes] of [
      [41, 'x'],
      [200, '\xff\xff\xff\xff\xff\xff\xff'],
      [4160, 'xxxxxxxx'],
    ] as const) {
      const left = database.killed();
      const region = readFileSync(left.region);
      region.write(bytes, at, 'latin1');
      writeFileSync(left.region, region);
      expect(await reopened(left, false, /./), `damage at ${at}`).toEqual(now);
      expect(await reopened(left, true, /closed/)).toEqual(now);
    }
    await engine.close();
  });

  it('R17: whose building was cut off is built again', async () => {
    const first = await database.open({ pmemPath: undefined });
    fill(first, 0);
    const now = seen(first);
    await first.close();
    let left: MappedDatabase | undefined;
    const original = DashStore.prototype.putField;
    const spy = vi.spyOn(DashStore.prototype, 'putField').mockImplementationOnce(function (
      this: DashStore,
      ...args
    ) {
      left = database.killed();
      original.apply(this, args);
    });
    await (await database.open()).close();
    spy.mockRestore();
    if (!left) throw new Error('expected the building to be seen');
    expect(await reopened(left, false, /building was cut off/)).toEqual(now);
  });

  it('is made anew where another size is asked for', async () => {
    const engine = await database.open();
    fill(engine, 0);
    const now = seen(engine);
    await engine.close();
    const larger = await database.open({ regionBytes: 16 * 1024 * 1024 });
    expect(larger.recovery.region).toMatchObject({ trusted: false });
    expect(larger.stats().store.region).toMatchObject({ bytesMax: 16 * 1024 * 1024 });
    expect(seen(larger)).toEqual(now);
    await larger.close();
  });

  it('is nobody else’s file, and not of another store', async () => {
    writeFileSync(database.region, 'the diary of somebody else');
    await expect(database.open()).rejects.toMatchObject({ code: 'ENGINE_CORRUPT' });
    expect(readFileSync(database.region, 'utf8')).toBe('the diary of somebody else');
    const other = { dir: `${database.dir}-other`, store: 'map' };
    const refused = { code: 'ENGINE_BAD_OPTION', message: expect.stringMatching(/leave --pmem/) };
    await expect(database.open(other)).rejects.toMatchObject(refused);
    await (await database.open({ ...other, pmemPath: undefined })).close();
    await expect(database.open({ ...other, store: undefined })).rejects.toMatchObject(refused);
  });

  it('is locked: a second database cannot have it', async () => {
    const engine = await database.open();
    const other = new MappedDatabase();
    try {
      await expect(other.open({ pmemPath: database.region })).rejects.toMatchObject({
        code: 'ENGINE_LOCKED',
      });
    } finally {
      other.remove();
      await engine.close();
    }
  });
});

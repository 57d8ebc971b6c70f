import { crc32, putPreamble } from '@nendb/codec';
import { SimVfs } from '@nendb/vfs/sim';
import { beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../src/engine.js';
import { decodeIdentity, encodeIdentity } from '../src/identity.js';
import type { EngineOptions } from '../src/types.js';
import { stateOf } from './sim/state.js';
import { DIR, engineOptions } from './sim/workload.js';

let sim: SimVfs;
beforeEach(() => {
  sim = new SimVfs({ seed: 11 });
});

function put(engine: Engine, key: string, value: string): void {
  const tx = engine.begin();
  const [k, v] = [Buffer.from(key), Buffer.from(value)];
  tx.putString(0, k, 0, k.length, v, 0, v.length, 0);
  engine.commit();
}

/** Runs `body` on an engine and closes it. */
async function withEngine(
  body: (engine: Engine) => void | Promise<void>,
  options: Partial<EngineOptions> = {},
) {
  await sim.run(async () => {
    const engine = await Engine.open({ ...engineOptions(sim), ...options });
    await body(engine);
    await engine.close();
  });
}

/** Names and bytes of everything but LOCK, whose text may change. */
function contents(): Map<string, string> {
  sim.flush();
  const files = sim.crashImage({ choice: 'all' }).files();
  files.delete(`${DIR}/LOCK`);
  return new Map([...files].map(([path, bytes]) => [path, Buffer.from(bytes).toString('hex')]));
}

async function expectRefused(code: string, message: RegExp, options: Partial<EngineOptions> = {}) {
  const before = contents();
  await sim.run(async () => {
    await expect(Engine.open({ ...engineOptions(sim), ...options })).rejects.toMatchObject({
      name: 'EngineError',
      code,
      message: expect.stringMatching(message),
    });
  });
  expect(contents()).toEqual(before);
  sim.assertClean();
}

async function flipByte(path: string, at: number): Promise<void> {
  await sim.run(async () => {
    const file = await sim.open(path, 'write');
    const byte = Buffer.alloc(1);
    await file.readAt(byte, at);
    byte[0] ^= 0x40;
    await file.writeAt(byte, at);
    await file.close();
  });
}

async function segmentsInOrder(): Promise<string[]> {
  const names = await sim.run(() => sim.readdir(`${DIR}/wal`));
  return names
    .filter((name) => name.endsWith('.wal'))
    .sort()
    .map((name) => `${DIR}/wal/${name}`);
}

describe('opening', () => {
  it('recovers what was committed, and R2: under a greater epoch', async () => {
    let epoch = 0;
    await withEngine((engine) => {
      put(engine, 'a', '1');
      put(engine, 'b', '2');
      epoch = engine.epoch;
    });
    await withEngine((engine) => {
      expect(engine.recovery).toMatchObject({ replayed: 2, log: { verdict: 'clean', lastLsn: 2 } });
      expect(engine.epoch).toBeGreaterThan(epoch);
      expect(stateOf(engine)).toBe('[[0,[["a",0,"1"],["b",0,"2"]]]]');
      put(engine, 'c', '3');
      expect(engine.appliedLsn).toBe(3);
    });
  });

  it('R4: replays only what follows the snapshot, and all of it from the .bak when the newest is damaged', async () => {
    await withEngine(async (engine) => {
      put(engine, 'a', '1');
      await engine.snapshot();
      put(engine, 'b', '2');
      await engine.snapshot();
      put(engine, 'c', '3');
    });
    await withEngine((engine) => {
      expect(engine.recovery).toMatchObject({ replayed: 1, snapshot: { source: 'newest' } });
    });
    await flipByte(`${DIR}/nendb.snapshot`, 150);
    await withEngine((engine) => {
      expect(engine.recovery).toMatchObject({ replayed: 2, snapshot: { source: 'bak' } });
      expect(engine.recovery.snapshot?.reason).toMatch(/nendb\.snapshot/);
      expect(stateOf(engine)).toBe('[[0,[["a",0,"1"],["b",0,"2"],["c",0,"3"]]]]');
    });
  });

  it('R4: rebuilds everything from the log when the only image is damaged, and says so', async () => {
    await withEngine(async (engine) => {
      put(engine, 'a', '1');
      await engine.snapshot();
      put(engine, 'b', '2');
    });
    await flipByte(`${DIR}/nendb.snapshot`, 150);
    await withEngine((engine) => {
      expect(engine.recovery.snapshotRefused).toMatch(/nendb\.snapshot/);
      expect(engine.recovery.replayed).toBe(2);
      expect(stateOf(engine)).toBe('[[0,[["a",0,"1"],["b",0,"2"]]]]');
    });
  });

  it('R4: refuses, naming the images, when all are damaged and the log begins behind them', async () => {
    await withEngine(async (engine) => {
      for (let i = 0; i < 30; i++) {
        put(engine, `key${i}`, 'x'.repeat(2_000));
        if (i % 10 === 9) await engine.snapshot();
      }
      expect(engine.stats().wal.firstLsn).toBeGreaterThan(1);
    });
    for (const name of ['nendb.snapshot', 'nendb.snapshot.bak']) {
      await flipByte(`${DIR}/${name}`, 1_000);
    }
    await expectRefused('ENGINE_CORRUPT', /nendb\.snapshot[\s\S]*nendb\.snapshot\.bak/);
    await flipByte(`${DIR}/nendb.snapshot.bak`, 1_000);
    await withEngine((engine) => expect(engine.stats().store.keys).toBe(30));
  });

  it('R11: refuses a directory that another writer holds, naming the writer', async () => {
    await withEngine(async (engine) => {
      engine.publishAddress('redis://127.0.0.1:7000');
      await expect(Engine.open(engineOptions(sim))).rejects.toMatchObject({
        code: 'ENGINE_LOCKED',
        message: expect.stringMatching(/7000/),
      });
    });
    await withEngine((engine) => put(engine, 'a', '1'));
  });

  it('refuses a directory that is not writable', async () => {
    await withEngine((engine) => put(engine, 'a', '1'));
    for (const error of ['EACCES', 'EROFS']) {
      sim.faults.clear();
      sim.faults.failAt({ op: 'lock', nth: 1, error });
      await expectRefused('ENGINE_NOT_WRITABLE', new RegExp(error));
    }
  });

  it('R5: refuses the other store, an unknown one, and a tree that is not there', async () => {
    await withEngine((engine) => put(engine, 'a', '1'));
    await expectRefused('ENGINE_WRONG_STORE', /made with dash: open it with/, { store: 'lsm' });
    await expectRefused('ENGINE_STORE_UNAVAILABLE', /no store "mop"/, { store: 'mop' });
    const identity = await readIdentityBytes();
    await writeIdentityBytes(encodeIdentity({ ...decodeIdentity(identity), storeKind: 'lsm' }));
    await expectRefused('ENGINE_WRONG_STORE', /made with lsm: open it with/, { store: 'dash' });
    await expectRefused('ENGINE_CORRUPT', /expected a tree in .*lsm/);
  });

  it('R6: refuses a newer format of the identity, of the snapshot and of the log', async () => {
    await withEngine(async (engine) => {
      put(engine, 'a', '1');
      await engine.snapshot();
    });
    const [segment] = (await segmentsInOrder()).slice(-1);
    for (const path of [`${DIR}/IDENTITY`, `${DIR}/nendb.snapshot`, segment]) {
      const restore = await makeNewer(path);
      await expectRefused('ENGINE_TOO_NEW', /newer release/);
      await restore();
    }
    await withEngine((engine) => expect(engine.appliedLsn).toBe(1));
  });

  it('R5: refuses a log that has vanished beside its identity, and artefacts of another database', async () => {
    await withEngine((engine) => put(engine, 'a', '1'));
    const segments = await sim.run(() => sim.readdir(`${DIR}/wal`));
    const identity = await readIdentityBytes();
    await writeIdentityBytes(
      encodeIdentity({ ...decodeIdentity(identity), databaseUuid: sim.random.uuid() }),
    );
    await expectRefused('ENGINE_WRONG_DATABASE', /database/);
    await writeIdentityBytes(identity);
    for (const name of segments) sim.unlinkSync(`${DIR}/wal/${name}`);
    await expectRefused('ENGINE_MISSING_LOG', /log/);
  });

  it('R5: refuses a log without its identity', async () => {
    await withEngine((engine) => put(engine, 'a', '1'));
    sim.unlinkSync(`${DIR}/IDENTITY`);
    await expectRefused('ENGINE_CORRUPT', /IDENTITY/);
  });

  it('R13: refuses a log that is damaged in the middle, naming the file, and changes nothing', async () => {
    await withEngine(async (engine) => {
      for (let i = 0; i < 40; i++) {
        put(engine, `key${i}`, 'x'.repeat(2_000));
        await engine.barrier();
      }
    });
    const segments = await segmentsInOrder();
    expect(segments.length).toBeGreaterThan(3);
    for (const segment of [segments[0], segments[1]]) {
      await flipByte(segment, 4_000);
      await expectRefused('ENGINE_CORRUPT', new RegExp(segment.split('/').at(-1) as string));
      await flipByte(segment, 4_000);
    }
    const moved = `${DIR}/wal/moved-away`;
    sim.renameSync(segments[1], moved);
    await expectRefused('ENGINE_CORRUPT', /./);
    sim.renameSync(moved, segments[1]);
    await withEngine((engine) => expect(engine.appliedLsn).toBe(40));
  });

  it('R3: refuses an image that is ahead of the log', async () => {
    await withEngine(async (engine) => {
      put(engine, 'a', '1');
    });
    const older = sim.crashImage({ choice: 'all' });
    await withEngine(async (engine) => {
      for (let i = 0; i < 5; i++) put(engine, `k${i}`, 'v');
      await engine.snapshot();
    });
    const image = await readBytes(`${DIR}/nendb.snapshot`);
    sim = SimVfs.fromImage(older, { seed: 12 });
    await writeBytes(`${DIR}/nendb.snapshot`, image);
    await expectRefused('ENGINE_CORRUPT', /./);
  });

  it('R2: spends no epoch twice that an image knows of, although the log has forgotten it', async () => {
    await withEngine((engine) => put(engine, 'a', '1'));
    const before = sim.crashImage({ choice: 'all' });
    let spent = 0;
    for (let i = 0; i < 3; i++) {
      await withEngine(async (engine) => {
        await engine.snapshot();
        spent = engine.epoch;
      });
    }
    const image = await readBytes(`${DIR}/nendb.snapshot`);
    sim = SimVfs.fromImage(before, { seed: 12 });
    await writeBytes(`${DIR}/nendb.snapshot`, image);
    await withEngine((engine) => {
      expect(engine.recovery.snapshot?.info.header.epoch).toBe(spent);
      expect(engine.epoch).toBeGreaterThan(spent);
    });
  });

  it('R5: refuses an identity that is cut, grown, or holds something else, naming it', async () => {
    await withEngine((engine) => put(engine, 'a', '1'));
    const identity = await readIdentityBytes();
    const odd = [
      Buffer.alloc(0),
      identity.subarray(0, 10),
      identity.subarray(0, 50),
      identity.subarray(0, identity.length - 1),
      Buffer.concat([identity, Buffer.alloc(1)]),
      Buffer.concat([identity, Buffer.alloc(100_000)]),
      Buffer.from('#!/bin/sh\n'.repeat(20)),
      forgedIdentity(identity, 'not json'),
      forgedIdentity(identity, '"map"'),
      forgedIdentity(identity, '{"storeKind":"map"}'),
      forgedIdentity(identity, '{"storeKind":"map","ready":true,"more":1}'),
      forgedIdentity(identity, ''),
    ];
    for (let bit = 0; bit < identity.length * 8; bit += 5) {
      const flipped = Buffer.from(identity);
      flipped[bit >> 3] ^= 1 << (bit & 7);
      odd.push(flipped);
    }
    for (const bytes of odd) {
      await writeIdentityBytes(bytes);
      await expectRefused('ENGINE_CORRUPT', /IDENTITY/);
    }
    await writeIdentityBytes(identity);
    await withEngine((engine) => expect(engine.appliedLsn).toBe(1));
  });

  it('R7: a limit that was lowered does not keep what is in the log or in an image from being read', async () => {
    const value = 'x'.repeat(3_000_000);
    await withEngine(async (engine) => {
      put(engine, 'big', value);
      await engine.snapshot();
      put(engine, 'bigger', `${value}${value}`);
    });
    const lower = { commitBytesMax: 20_000, valueBytesMax: 10_000 };
    await withEngine(async (engine) => {
      expect(engine.recovery.replayed).toBe(1);
      expect(stateOf(engine)).toBe(`[[0,[["big",0,"${value}"],["bigger",0,"${value}${value}"]]]]`);
      await engine.snapshot();
    }, lower);
    await withEngine((engine) => expect(engine.recovery.replayed).toBe(0), lower);
  });

  it('goes on with the making of a database that a crash interrupted, at every point of it', async () => {
    await sim.run(async () => (await Engine.open(engineOptions(sim))).close());
    let images = 0;
    for (const { image } of sim.crashImages({ subsetsMax: 64, samples: 8 })) {
      const after = SimVfs.fromImage(image, { seed: 2 });
      await after.run(async () => {
        const engine = await Engine.open(engineOptions(after));
        expect(engine.appliedLsn).toBe(0);
        await engine.close();
      });
      images++;
    }
    expect(images).toBeGreaterThan(50);
  });

  it('R12: database time never goes back, not even over a restart with the clock set back', async () => {
    let last = 0;
    await withEngine((engine) => {
      put(engine, 'a', '1');
      last = engine.nowMs();
    });
    for (const jumpMs of [-3_600_000, 3_600_000, -10 * 365 * 86_400_000]) {
      sim.jumpClock(jumpMs);
      await withEngine((engine) => {
        expect(engine.nowMs()).toBeGreaterThanOrEqual(last);
        put(engine, 'b', '2');
        sim.jumpClock(-86_400_000);
        expect(engine.nowMs()).toBeGreaterThanOrEqual(last);
        last = engine.nowMs();
      });
    }
  });

  it('R12: a key once past its time stays gone when the clock is set back', async () => {
    const key = Buffer.from('k');
    await withEngine((engine) => {
      const tx = engine.begin();
      tx.putString(0, key, 0, 1, key, 0, 1, engine.nowMs() + 1_000);
      engine.commit();
    });
    sim.jumpClock(10_000);
    await withEngine((engine) => {
      expect(stateOf(engine)).toBe('[[0,[]]]');
      put(engine, 'later', '1');
    });
    sim.jumpClock(-3_600_000);
    await withEngine((engine) => expect(stateOf(engine)).toBe('[[0,[["later",0,"1"]]]]'));
  });

  it('removes what an interrupted replacement of the identity left, and nothing of others', async () => {
    await withEngine((engine) => put(engine, 'a', '1'));
    const left = `${DIR}/IDENTITY.0123.tmp`;
    const foreign = [`${DIR}/IDENTITY.backup`, `${DIR}/notes.tmp`];
    for (const path of [left, ...foreign]) await writeBytes(path, Buffer.from('x'));
    await withEngine((engine) => expect(engine.appliedLsn).toBe(1));
    expect(sim.statSync(left)).toBeUndefined();
    for (const path of foreign) expect(sim.statSync(path)).toBeDefined();
  });

  it('names each option that is wrong', async () => {
    const options = { dir: '', sync: 'sometimes', commitBytesMax: -1 } as unknown as EngineOptions;
    await expect(Engine.open(options)).rejects.toMatchObject({
      code: 'ENGINE_BAD_OPTION',
      message: expect.stringMatching(/dir[\s\S]*sync[\s\S]*commitBytesMax/),
    });
    await expect(Engine.open({ dir: 5 } as unknown as EngineOptions)).rejects.toMatchObject({
      code: 'ENGINE_BAD_OPTION',
      message: expect.stringMatching(/expected string, received number/),
    });
  });

  it('refuses an option before anything is made', async () => {
    for (const wrong of [
      { segmentBytesMax: 4_095 },
      { segmentBytesMax: 2 ** 35 },
      { commitBytesMax: 2 ** 30 + 1 },
      { commitBytesMax: 0.5 },
      { pendingBytesMax: 0 },
      { sync: { windowMs: 0.5 } },
      { sync: { windowMs: 3_600_001 } },
      { sync: { windowMs: Number.POSITIVE_INFINITY } },
      { sync: { every: 0 } },
      { sync: { every: 1, windowMs: 1 } },
      { segmentBytes: 100_000 },
    ] as Partial<EngineOptions>[]) {
      await expectRefused('ENGINE_BAD_OPTION', new RegExp(Object.keys(wrong)[0]), wrong);
    }
    expect(contents().size).toBe(0);
    for (const edge of [
      { segmentBytesMax: 4_096, commitBytesMax: 2 ** 30, sync: { windowMs: 3_600_000 } },
      { segmentBytesMax: 2 ** 34, preallocate: false, pendingBytesMax: 1 },
    ]) {
      await withEngine((engine) => put(engine, 'a', '1'), edge);
    }
  });
});

async function readBytes(path: string): Promise<Buffer> {
  return sim.run(async () => {
    const file = await sim.open(path, 'read');
    const bytes = Buffer.alloc(await file.size());
    await file.readAt(bytes, 0);
    await file.close();
    return bytes;
  });
}

async function writeBytes(path: string, bytes: Uint8Array): Promise<void> {
  await sim.run(async () => {
    if (await sim.stat(path)) await sim.unlink(path);
    const file = await sim.open(path, 'create');
    await file.writeAt(bytes, 0);
    await file.close();
  });
}

const readIdentityBytes = () => readBytes(`${DIR}/IDENTITY`);
const writeIdentityBytes = (bytes: Uint8Array) => writeBytes(`${DIR}/IDENTITY`, bytes);

/** The identity with another body, checksum included. */
function forgedIdentity(identity: Buffer, body: string): Buffer {
  const bytes = Buffer.alloc(52 + body.length + 4);
  identity.copy(bytes, 0, 0, 48);
  bytes.writeUInt32LE(body.length, 48);
  bytes.write(body, 52);
  bytes.writeUInt32LE(crc32(bytes.subarray(48, 52 + body.length)), 52 + body.length);
  return bytes;
}

/** Raises the version in a file's preamble, checksum included; returns how to undo it. */
async function makeNewer(path: string): Promise<() => Promise<void>> {
  const bytes = await readBytes(path);
  const newer = Buffer.from(bytes);
  putPreamble(newer, 0, {
    magic: bytes.toString('latin1', 0, 8),
    version: 99,
    compat: 0,
    readOnlyCompat: 0,
    incompat: 0,
    databaseUuid: new Uint8Array(bytes.subarray(24, 40)),
  });
  await writeBytes(path, newer);
  return () => writeBytes(path, bytes);
}

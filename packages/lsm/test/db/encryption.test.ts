/** Encryption of every file, keys that change while the tree is in use, and keys that do not fit. */
import { Keyring } from '@nendb/codec';
import { type Lsm, LsmError, type LsmOptions } from '@nendb/lsm';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { bytes, contents, DIR, openSim, text } from './sim-tree.js';

const KEY = new Uint8Array(32).fill(5);
const OTHER = new Uint8Array(32).fill(6);
const SECRET = 'attack at dawn';
const valueLog = { thresholdBytes: 40 };
const OPTIONS: Partial<LsmOptions> = { memtableBytes: 1 << 16, valueLog, logSegmentBytes: 4096 };

async function fill(db: Lsm, from: number): Promise<void> {
  for (let i = from; i < from + 6; i++) {
    await db.put(bytes(`key ${SECRET} ${i}`), bytes(i % 2 === 0 ? SECRET : SECRET.repeat(5)));
  }
}

/** Everything that is on the disk below `/db`, by path. */
function filesOf(sim: SimVfs): Map<string, Uint8Array> {
  sim.flush();
  const files = new Map<string, Uint8Array>();
  for (const [path, content] of sim.crashImage({ choice: 'all' }).files()) {
    if (path.startsWith(`${DIR}/`)) files.set(path, content);
  }
  return files;
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(LsmError);
  return (error as LsmError).code;
}

describe('an encrypted tree', () => {
  it('shows nothing of keys and values in any file, and is read with its key', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const options = { ...OPTIONS, encryption: { key: KEY } };
      let db = await openSim(sim, options);
      await fill(db, 0);
      await db.flush();
      await fill(db, 6);
      await db.compact();
      await fill(db, 12);
      const files = filesOf(sim);
      const kinds = [...files.keys()].map((path) => path.replace(/.*[/.]/, ''));
      expect(kinds).toEqual(
        expect.arrayContaining(['MANIFEST', 'KEYRING', 'table', 'values', 'wal']),
      );
      for (const [path, content] of files) {
        expect(Buffer.from(content).includes(SECRET), path).toBe(false);
      }
      await db.close();
      db = await openSim(sim, options);
      expect(contents(db)).toHaveLength(18);
      expect(await db.verify()).toMatchObject({ ok: true });
      await db.close();
    });
    sim.assertClean();
  });

  it('tells a wrong key from damage, and changes nothing then', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const db = await openSim(sim, { ...OPTIONS, encryption: { key: KEY } });
      await fill(db, 0);
      await db.flush();
      await db.close();
      const clear = await openSim(sim, { ...OPTIONS, dir: '/clear' });
      await fill(clear, 0);
      await clear.close();
      const before = sim.changeCount;
      expect(await refusal(openSim(sim, { ...OPTIONS, encryption: { key: OTHER } }))).toBe(
        'LSM_WRONG_KEY',
      );
      expect(await refusal(openSim(sim, OPTIONS))).toBe('LSM_WRONG_KEY');
      const key = { encryption: { key: KEY }, dir: '/clear' };
      expect(await refusal(openSim(sim, { ...OPTIONS, ...key }))).toBe('LSM_WRONG_KEY');
      const ring = Keyring.create(KEY, sim.random, { createdAtMs: 0 });
      const encryption = { keyring: ring };
      expect(await refusal(openSim(sim, { ...OPTIONS, encryption }))).toBe('LSM_WRONG_KEY');
      const changed = sim.changes
        .slice(before)
        .filter(({ path, kind }) => !path.endsWith('LOCK') && kind !== 'syncDir');
      expect(changed).toEqual([]);
    });
    sim.assertClean();
  });

  it.each(['its own', "the caller's"])(
    'rotates a key of %s ring while it is in use',
    async (whose) => {
      const sim = new SimVfs();
      await sim.run(async () => {
        const ring = Keyring.create(KEY, sim.random, { createdAtMs: 0 });
        const encryption = whose === 'its own' ? { key: KEY } : { keyring: ring };
        const options = { ...OPTIONS, encryption };
        let db = await openSim(sim, options);
        await fill(db, 0);
        await db.flush();
        const snapshot = db.snapshot();
        await fill(db, 6);
        const cursor = db.cursor({ snapshot });
        const old = new Set(await sim.readdir(DIR));
        if (whose !== 'its own') ring.add(sim.random, sim.clock.wallMs());
        await db.rotateKey();
        let seen = 0;
        while (cursor.next()) seen++;
        expect(seen).toBe(6);
        cursor.close();
        snapshot.close();
        await db.settle();
        const left = (await sim.readdir(DIR)).filter((name) => /table|values/.test(name));
        expect(left.filter((name) => old.has(name))).toEqual([]);
        expect(left.length).toBeGreaterThan(1);
        await fill(db, 12);
        await db.close();
        db = await openSim(sim, options);
        expect(contents(db)).toHaveLength(18);
        expect(await db.verify()).toMatchObject({ ok: true });
        await db.close();
      });
      sim.assertClean();
    },
  );

  it('a lost keyring is damage, not a wrong key', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const options = { ...OPTIONS, encryption: { key: KEY } };
      const db = await openSim(sim, options);
      await db.close();
      await sim.unlink(`${DIR}/KEYRING`);
      expect(await refusal(openSim(sim, options))).toBe('LSM_CORRUPT');
    });
  });

  it('cannot rotate what it has not: a tree in the clear', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const db = await openSim(sim);
      expect(await refusal(db.rotateKey())).toBe('LSM_BAD_OPTION');
      expect(text(db.get(bytes('none')))).toBeUndefined();
      await db.close();
    });
  });
});

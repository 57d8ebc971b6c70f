/**
 * Every byte of a manifest and a keyring flipped: the tree is refused with file and offset, or what it holds is all
 * there. Files that are missing or stand in each other's place are found as well.
 */
import { LsmError, type LsmOptions } from '@nendb/lsm';
import { damaged, type SimImage, SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { bytes, contents, DIR, openSim } from './sim-tree.js';

const KEY = new Uint8Array(32).fill(5);
const OPTIONS: Partial<LsmOptions> = {
  memtableBytes: 1 << 16,
  valueLog: { thresholdBytes: 40 },
  autoCompact: false,
};

async function made(options: Partial<LsmOptions>): Promise<{ image: SimImage; held: string }> {
  const sim = new SimVfs();
  let held = '';
  await sim.run(async () => {
    const db = await openSim(sim, options);
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 4; i++) {
        await db.put(bytes(`k${i}`), bytes(`${round}`.padEnd(i * 20, '.')));
      }
      await db.flush();
    }
    held = JSON.stringify(contents(db));
    await db.close();
  });
  sim.flush();
  return { image: sim.crashImage({ choice: 'all' }), held };
}

/** What an opening of `image` says: `all there`, or the error's code, file and offset. */
async function outcome(image: SimImage, options: Partial<LsmOptions>, held: string) {
  const sim = SimVfs.fromImage(image, { record: false, order: 'fifo' });
  let said = '';
  await sim.run(async () => {
    try {
      const db = await openSim(sim, options);
      said = JSON.stringify(contents(db)) === held ? 'all there' : 'WRONG';
      await db.close();
    } catch (error) {
      if (!(error instanceof LsmError)) throw error;
      said = `${error.code} ${error.file} ${error.offset !== undefined}`;
    }
  });
  return said;
}

describe.each([
  ['in the clear', OPTIONS],
  ['encrypted', { ...OPTIONS, encryption: { key: KEY } }],
] as const)('a tree %s', (name, options) => {
  it('every flipped byte of MANIFEST is found, with file and offset', async () => {
    const { image, held } = await made(options);
    const path = `${DIR}/MANIFEST`;
    const length = image.files().get(path)?.length ?? 0;
    const harmless: number[] = [];
    for (let byte = 0; byte < length; byte++) {
      const bad = damaged(image, { kind: 'bit-flip', path, byte, bit: byte % 8 });
      const said = await outcome(bad, options, held);
      if (said === 'all there') harmless.push(byte);
      else expect(said, `byte ${byte}`).toBe(`LSM_CORRUPT ${path} true`);
    }
    // Nothing depends on the frame that only says that the tree was closed.
    const endBytes = name === 'encrypted' ? 24 + 16 : 24;
    expect(length).toBeGreaterThan(350);
    for (const byte of harmless) expect(byte).toBeGreaterThanOrEqual(length - endBytes);
  }, 60_000);

  it('a missing file is refused by its name', async () => {
    const { image, held } = await made(options);
    const names = [...image.files().keys()].filter((path) =>
      /MANIFEST|table|values|wal/.test(path),
    );
    expect(names.length).toBeGreaterThan(5);
    for (const path of names) {
      const said = await outcome(damaged(image, { kind: 'deleted', path }), options, held);
      expect(said, path).toMatch(/^LSM_CORRUPT \/db/);
    }
  });

  it('two tables in each other’s place are found when they are read', async () => {
    const { image, held } = await made(options);
    const [path, withPath] = [...image.files().keys()]
      .filter((each) => each.endsWith('.table'))
      .sort();
    const said = await outcome(damaged(image, { kind: 'swapped', path, withPath }), options, held);
    expect(said).toMatch(/^LSM_CORRUPT \/db\/.*table true$/);
  });
});

it('every flipped byte of KEYRING is damage, never a wrong key', async () => {
  const options = { ...OPTIONS, encryption: { key: KEY } };
  const { image, held } = await made(options);
  const path = `${DIR}/KEYRING`;
  const length = image.files().get(path)?.length ?? 0;
  for (let byte = 0; byte < length; byte++) {
    const bad = damaged(image, { kind: 'bit-flip', path, byte, bit: byte % 8 });
    const said = await outcome(bad, options, held);
    expect(said, `byte ${byte}`).toBe(`LSM_CORRUPT ${path} true`);
  }
});

it('a damaged table stops compactions, and says so; whatever else is intact is read and written', async () => {
  const { image } = await made({ ...OPTIONS, autoCompact: false });
  const path = [...image.files().keys()].filter((each) => each.endsWith('.table')).sort()[0];
  const bad = damaged(image, { kind: 'bit-flip', path, byte: 150, bit: 3 });
  const sim = SimVfs.fromImage(bad, { record: false });
  await sim.run(async () => {
    const told: string[] = [];
    const db = await openSim(sim, {
      ...OPTIONS,
      onEvent: (event) => {
        if (event.type === 'backgroundError') told.push(`${event.job} ${event.retryMs}`);
      },
    });
    for (let again = 0; again < 2; again++) {
      const error = await db.compact().catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'LSM_CORRUPT', file: path });
    }
    expect(told).toEqual(['compaction 0']);
    expect(db.health).toMatchObject({ healthy: false, poisoned: false });
    expect(await db.verify()).toMatchObject({ ok: false, problems: [{ file: path }] });
    await db.put(bytes('new'), bytes('1'));
    await db.flush();
    expect(Buffer.from(db.get(bytes('new')) ?? []).toString()).toBe('1');
    expect(Buffer.from(db.get(bytes('k1')) ?? []).toString()).toBe('2'.padEnd(20, '.'));
    await db.close();
  });
  sim.assertClean();
});

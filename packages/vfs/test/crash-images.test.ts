import { replaceFile, writeFully } from '@nendb/vfs';
import {
  type CrashProfile,
  everything,
  nothingUnsynced,
  type SimImage,
  SimVfs,
} from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (image: SimImage, path: string): string | undefined => {
  const found = image.files().get(path);
  return found === undefined ? undefined : Buffer.from(found).toString();
};

async function machine(seed = 1): Promise<SimVfs> {
  const sim = new SimVfs({ seed });
  await sim.run(sim.mkdir('/db'));
  sim.flush();
  return sim;
}

describe('crash images', () => {
  test('rule 2: replaceFile leaves the old bytes or the new ones at every crash point', async () => {
    const sim = await machine();
    await sim.run(replaceFile(sim, '/db/x', bytes('old')));
    const from = sim.changeCount;
    await sim.run(replaceFile(sim, '/db/x', bytes('new')));
    const seen = new Set<string | undefined>();
    let images = 0;
    for (const kind of ['kill', 'power'] as const) {
      for (const { at, image } of sim.crashImages({ from, kind })) {
        const found = text(image, '/db/x');
        expect(['old', 'new']).toContain(found);
        if (at === sim.changeCount) expect(found).toBe('new');
        seen.add(found);
        images++;
      }
    }
    expect([...seen].sort()).toEqual(['new', 'old']);
    expect(images).toBeGreaterThan(15);
  });

  test('rule 1: a file is durable after fsync of the file and of its directory, not before', async () => {
    const sim = await machine();
    await sim.run(async () => {
      const file = await sim.open('/db/a', 'create');
      await writeFully(file, bytes('abc'), 0);
      await file.sync();
      await file.close();
    });
    const unnamed = [...sim.crashImages({ from: sim.changeCount })].map(({ image }) =>
      text(image, '/db/a'),
    );
    expect(unnamed.sort()).toEqual(['abc', undefined]);
    expect(() => sim.assertDurable('/db/a')).toThrow('sync its directory');
    await sim.run(sim.syncDir('/db'));
    for (const { image } of sim.crashImages({ from: sim.changeCount })) {
      expect(text(image, '/db/a')).toBe('abc');
    }
    sim.assertDurable('/db/a');
  });

  test('a lost sector is old, an earlier state, or rubbish; synced bytes stay', async () => {
    const sim = await machine();
    const file = sim.openSync('/db/a', 'create');
    file.writeAtSync(bytes('synced'), 0);
    file.syncSync();
    sim.syncDirSync('/db');
    file.writeAtSync(bytes(' more'), 6);
    file.writeAtSync(Buffer.alloc(600, 'z'), 11);
    const all = [...sim.crashImages({ from: sim.changeCount, samples: 200 })].map(({ image }) =>
      text(image, '/db/a'),
    );
    expect(all.every((found) => found?.startsWith('synced'))).toBe(true);
    expect(all).toContain('synced');
    expect(all).toContain(`synced more${'z'.repeat(600)}`);
    expect(all).toContain(`synced${'\0'.repeat(605)}`);
    expect(all.some((found) => found?.length === 11)).toBe(true);
    expect(all.some((found) => found !== undefined && /[^\0z]/.test(found.slice(512)))).toBe(true);
  });

  test('profiles none and all give one image each, kill keeps the cache apart from the disk', async () => {
    const sim = await machine();
    const file = sim.openSync('/db/a', 'create');
    file.writeAtSync(bytes('abc'), 0);
    const at = sim.changeCount;
    const none = [...sim.crashImages({ from: at, profile: nothingUnsynced })];
    const all = [...sim.crashImages({ from: at, profile: everything })];
    expect(none.map(({ image }) => text(image, '/db/a'))).toEqual([undefined]);
    expect(all.map(({ image }) => text(image, '/db/a'))).toEqual(['abc']);
    const killed = SimVfs.fromImage(sim.crashImage({ kind: 'kill' }));
    expect(killed.readdirSync('/db')).toEqual(['a']);
    expect([...killed.crashImages({ to: 0 })].map(({ image }) => text(image, '/db/a'))).toContain(
      undefined,
    );
  });

  test('a profile is an object: one that keeps names in the order in which they were made', async () => {
    const journalled: CrashProfile = {
      name: 'journalled',
      choices: (units) => [...units.keys(), units.length].map((mask) => ({ mask })),
      fates: (units, choice) => {
        const kept = typeof choice === 'object' && 'mask' in choice ? choice.mask : 0;
        return units.map((unit, i) => (unit.type === 'name' && i < kept ? 'kept' : 'old'));
      },
    };
    const sim = await machine();
    for (const name of ['a', 'b', 'c']) sim.openSync(`/db/${name}`, 'create');
    const found = [...sim.crashImages({ from: sim.changeCount, profile: journalled })].map(
      ({ image }) => [...image.files().keys()].join(' '),
    );
    expect(found).toEqual(['', '/db/a', '/db/a /db/b', '/db/a /db/b /db/c']);
  });

  test('order is kept per name; a rename is one step for both of its names', async () => {
    const sim = await machine();
    const make = (content: string): void => {
      const file = sim.openSync('/db/a', 'create');
      file.writeAtSync(bytes(content), 0);
      file.syncSync();
      file.closeSync();
    };
    make('old');
    sim.syncDirSync('/db');
    sim.renameSync('/db/a', '/db/b');
    make('new');
    sim.unlinkSync('/db/b');
    const found = [...sim.crashImages({ from: sim.changeCount })].map(({ image }) =>
      [...image.files()].map(([path, content]) => `${path}=${Buffer.from(content)}`).sort(),
    );
    // Nothing; renamed; renamed and made anew; renamed and unlinked; everything. Never `old` twice.
    const possible = [['a=old'], ['b=old'], ['a=new', 'b=old'], [], ['a=new']];
    expect(new Set(found.map(String))).toEqual(
      new Set(possible.map((names) => String(names.map((name) => `/db/${name}`)))),
    );
  });

  test('a directory that is lost takes what is in it along', async () => {
    const sim = await machine();
    sim.mkdirSync('/db/sub');
    const file = sim.openSync('/db/sub/a', 'create');
    file.writeAtSync(bytes('abc'), 0);
    file.syncSync();
    sim.syncDirSync('/db/sub');
    const found = [...sim.crashImages({ from: sim.changeCount })].map(({ image }) =>
      text(image, '/db/sub/a'),
    );
    expect(found.sort()).toEqual(['abc', undefined]);
  });

  test('an unlink that is lost brings the file back with its bytes', async () => {
    const sim = await machine();
    await sim.run(replaceFile(sim, '/db/a', bytes('abc')));
    sim.unlinkSync('/db/a');
    const found = [...sim.crashImages({ from: sim.changeCount })].map(({ image }) =>
      text(image, '/db/a'),
    );
    expect(found.sort()).toEqual(['abc', undefined]);
  });
});

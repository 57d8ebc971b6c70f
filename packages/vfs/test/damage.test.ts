import { replaceFile } from '@nendb/vfs';
import {
  DAMAGE_COVERAGE,
  DAMAGE_KINDS,
  type Damage,
  damaged,
  damagedImages,
  nothingUnsynced,
  SimImage,
  SimVfs,
} from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';

const block = (letter: string): Uint8Array => Buffer.alloc(512, letter);

/** The first letter of each sector of a file; a dot for zeros. */
function letters(image: SimImage, path = '/log'): string | undefined {
  const found = image.files().get(path);
  if (found === undefined) return undefined;
  return Array.from({ length: Math.ceil(found.length / 512) }, (_, i) =>
    String.fromCharCode(found[i * 512] || '.'.charCodeAt(0)),
  ).join('');
}

/** `/log` was durable as `ab`, `abc`, `xbc`; `/current` as `1`, then `2`. */
async function history(): Promise<SimVfs> {
  const sim = new SimVfs();
  await sim.run(async () => {
    const file = await sim.open('/log', 'create');
    await file.writeAt(Buffer.concat([block('a'), block('b')]), 0);
    await file.sync();
    await sim.syncDir('/');
    await file.writeAt(block('c'), 1024);
    await file.sync();
    await file.writeAt(block('x'), 0);
    await file.sync();
    await file.close();
    await replaceFile(sim, '/current', Buffer.from('1'));
    await replaceFile(sim, '/current', Buffer.from('2'));
  });
  return sim;
}

const image = async (): Promise<SimImage> => (await history()).crashImage();

describe('damage to an image', () => {
  test('flips one bit, and leaves the image as it was', async () => {
    const before = await image();
    const hash = before.hash();
    const after = damaged(before, { kind: 'bit-flip', path: '/log', byte: 700, bit: 3 });
    const [old, now] = [before, after].map((one) => one.files().get('/log') ?? new Uint8Array());
    expect(now[700]).toBe(old[700] ^ 8);
    expect(now.filter((byte, i) => byte !== old[i]).length).toBe(1);
    expect(new SimImage(before.state, '', 0, 1, before.origin).hash()).toBe(hash);
    expect(after.label).toBe(
      `${before.label}; {"kind":"bit-flip","path":"/log","byte":700,"bit":3}`,
    );
  });

  const path = '/log';
  test.each<[Damage, string | undefined]>([
    [{ kind: 'zeroed', path, sector: 1 }, 'x.c'],
    [{ kind: 'lost', path, sector: 0 }, 'abc'],
    [{ kind: 'lost', path, sector: 2 }, 'xb.'],
    [{ kind: 'stale', path, sector: 0, age: 1 }, 'abc'],
    [{ kind: 'stale', path, sector: 2, age: 1 }, 'xb.'],
    [{ kind: 'misdirected', path, sector: 0, toPath: path, toSector: 2 }, 'abx'],
    [{ kind: 'rolled-back', path, age: 0 }, 'abc'],
    [{ kind: 'rolled-back', path, age: 1 }, 'ab'],
    [{ kind: 'deleted', path }, undefined],
    [{ kind: 'swapped', path, withPath: '/current' }, '2'],
  ])('%o', async (damage, expected) => {
    const sim = await history();
    expect(letters(damaged(sim.crashImage(), damage))).toBe(expected);
    expect(sim.coverage.times(`damage:${damage.kind}`)).toBe(1);
  });

  test('rolls a path back to what it durably led to, also where that was another file', async () => {
    const before = await image();
    const after = damaged(before, { kind: 'rolled-back', path: '/current', age: 0 });
    expect(letters(after, '/current')).toBe('1');
    expect(letters(after)).toBe('xbc');
  });

  test('swaps names whole', async () => {
    const after = damaged(await image(), { kind: 'swapped', path: '/current', withPath: '/log' });
    expect(letters(after, '/current')).toBe('xbc');
    expect([...after.files().keys()].sort()).toEqual(['/current', '/log']);
  });

  test('misdirects into another file', async () => {
    const damage = {
      kind: 'misdirected',
      path,
      sector: 0,
      toPath: '/current',
      toSector: 0,
    } as const;
    const after = damaged(await image(), damage);
    expect(letters(after)).toBe('abc');
    expect(Buffer.from(after.files().get('/current') ?? []).toString()).toBe('x');
  });

  test('reaches the cache of a kernel that lives on, and stays after the power cut', async () => {
    const sim = await history();
    const file = sim.openSync(path, 'write');
    file.writeAtSync(block('d'), 1536);
    const killed = damaged(sim.crashImage({ kind: 'kill' }), { kind: 'zeroed', path, sector: 1 });
    expect(letters(killed)).toBe('x.cd');
    const after = SimVfs.fromImage(killed);
    expect(letters(after.crashImage({ profile: nothingUnsynced }))).toBe('x.c');
    const gone = damaged(sim.crashImage({ kind: 'kill' }), { kind: 'deleted', path });
    expect(letters(SimVfs.fromImage(gone).crashImage({ choice: 'all' }))).toBeUndefined();
  });

  test('refuses what is not there', async () => {
    const before = await image();
    const refused = (damage: Damage) => () => damaged(before, damage);
    expect(refused({ kind: 'deleted', path: '/no' })).toThrow('ENOENT');
    expect(refused({ kind: 'zeroed', path: '/', sector: 0 })).toThrow('EISDIR');
    expect(refused({ kind: 'zeroed', path, sector: 3 })).toThrow(RangeError);
    expect(refused({ kind: 'bit-flip', path, byte: 0, bit: 8 })).toThrow(RangeError);
    expect(refused({ kind: 'rolled-back', path, age: 2 })).toThrow('expected an age below 2');
  });
});

describe('damages drawn by dice', () => {
  test('are of every kind, differ, and are the same for the same seed', async () => {
    const sim = await history();
    const draw = (seed: number) =>
      [...damagedImages(sim.crashImage(), { seed })].map(({ damage }) => JSON.stringify(damage));
    const drawn = draw(1);
    expect(draw(1)).toEqual(drawn);
    expect(draw(2)).not.toEqual(drawn);
    expect(new Set(drawn).size).toBe(drawn.length);
    for (const kind of DAMAGE_KINDS) expect(drawn.join()).toContain(`"kind":"${kind}"`);
    sim.coverage.assertComplete(DAMAGE_COVERAGE);
  });

  test('say exactly what is done: it can be done again', async () => {
    const before = await image();
    const hashes = new Set<string>();
    for (const { damage, image: after } of damagedImages(before, { seed: 3, samples: 3 })) {
      expect(after.hash(), after.label).not.toBe(before.hash());
      hashes.add(`${damage.kind} ${after.hash()}`);
      const again = damaged(before, JSON.parse(JSON.stringify(damage)) as Damage);
      expect(again.hash()).toBe(after.hash());
    }
    expect(hashes.size).toBeGreaterThan(15);
  });

  test('touch nothing but the files that they name', async () => {
    const before = await image();
    for (const { damage, image: after } of damagedImages(before, { seed: 5, samples: 6 })) {
      const named = JSON.stringify(damage);
      for (const [path, content] of before.files()) {
        if (!named.includes(`"${path}"`)) expect(after.files().get(path), named).toEqual(content);
      }
    }
  });

  test('are of the kinds and files asked for; what cannot be done is left out', async () => {
    const before = await image();
    const options = { kinds: ['bit-flip', 'swapped'], path: '/current' } as const;
    const drawn = [...damagedImages(before, options)].map(({ damage }) => damage);
    expect(drawn.length).toBe(4);
    expect(drawn.every(({ kind, path }) => kind === 'bit-flip' && path === '/current')).toBe(true);
    expect([...damagedImages(new SimVfs().crashImage())]).toEqual([]);
  });
});

/**
 * Ordered mode: names, sizes and blocks survive as a prefix of what was done; new blocks are filled
 * before anybody can reach them; bytes in place survive in any subset.
 */
import { replaceFile, type VfsFile } from '@nendb/vfs';
import { ext4Ordered, posixWeak, SECTOR_BYTES, type SimImage, SimVfs } from '@nendb/vfs/sim';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytes } from './disk-fixture.js';
import { propertySeeds } from './seeds.js';

const show = (image: SimImage): string =>
  [...image.files()]
    .map(([path, content]) => `${path.slice(1)}=${Buffer.from(content).toString('latin1')}`)
    .sort()
    .join(' ');

const outcomes = (sim: SimVfs, samples = 16): Set<string> =>
  new Set(
    [...sim.crashImages({ from: sim.changeCount, profile: ext4Ordered, samples })].map((c) =>
      show(c.image),
    ),
  );

function create(sim: SimVfs, path: string, content: string): VfsFile {
  const file = sim.openSync(path, 'create');
  if (content !== '') file.writeAtSync(bytes(content), 0);
  return file;
}

describe('ext4-ordered', () => {
  test('names and sizes survive in the order in which they were made', () => {
    const sim = new SimVfs();
    const a = create(sim, '/a', 'one');
    create(sim, '/b', 'two');
    a.writeAtSync(bytes('+'), 3);
    sim.unlinkSync('/b');
    expect(outcomes(sim)).toEqual(
      new Set(['', 'a=', 'a=one', 'a=one b=', 'a=one b=two', 'a=one+ b=two', 'a=one+']),
    );
  });

  test('a rename without a sync is never of half a file: it is not rubbish, nor zeros', () => {
    const sim = new SimVfs();
    create(sim, '/a', 'old').syncSync();
    sim.syncDirSync('/');
    const from = sim.changeCount;
    create(sim, '/a.tmp', 'x'.repeat(1500));
    sim.renameSync('/a.tmp', '/a');
    const found = new Set<string>();
    for (const { image } of sim.crashImages({ from, profile: ext4Ordered })) {
      found.add(Buffer.from(image.files().get('/a') ?? []).toString());
    }
    expect(found).toEqual(new Set(['old', 'x'.repeat(1500)]));
  });

  test('a sync of one file commits what came before it, other names included', () => {
    const sim = new SimVfs();
    create(sim, '/a', 'one');
    const b = create(sim, '/b', 'two');
    create(sim, '/c', '');
    b.syncSync();
    b.writeAtSync(bytes('+'), 3);
    expect(outcomes(sim)).toEqual(new Set(['a=one b=two c=', 'a=one b=two+ c=']));
  });

  test('bytes written in place survive in any subset, whatever the journal says', () => {
    const sim = new SimVfs();
    const file = create(sim, '/a', 'a'.repeat(1024));
    file.syncSync();
    sim.syncDirSync('/');
    file.writeAtSync(Buffer.alloc(512, 'x'), 0);
    create(sim, '/b', '');
    file.writeAtSync(Buffer.alloc(512, 'y'), 512);
    const found = [...outcomes(sim, 100)].map((text) => text.replace(/(.)\1+/g, '$1')).sort();
    expect(found).toEqual(['a', 'xa', 'ay', 'xy'].flatMap((t) => [`a=${t}`, `a=${t} b=`]).sort());
  });

  test('a sync of bytes in place commits no journal', () => {
    const sim = new SimVfs();
    const file = create(sim, '/a', 'old');
    file.syncSync();
    sim.syncDirSync('/');
    create(sim, '/b', '');
    file.writeAtSync(bytes('new'), 0);
    file.syncSync();
    expect(outcomes(sim)).toEqual(new Set(['a=new', 'a=new b=']));
  });

  test('a block that was freed and given anew does not hold its old bytes', () => {
    const sim = new SimVfs();
    const file = create(sim, '/a', 'old');
    file.syncSync();
    sim.syncDirSync('/');
    file.truncateSync(0);
    file.writeAtSync(bytes('n'), 2);
    expect(outcomes(sim)).toEqual(new Set(['a=old', 'a=', 'a=\0\0n']));
  });

  test('what an earlier boot left in the cache comes before everything', async () => {
    const sim = new SimVfs();
    create(sim, '/a', 'one');
    const after = SimVfs.fromImage(sim.crashImage({ kind: 'kill' }));
    create(after, '/b', '');
    expect(outcomes(after)).toEqual(new Set(['', 'a=one', 'a=one b=']));
    await after.run(replaceFile(after, '/c', bytes('c')));
    expect(outcomes(after)).toEqual(new Set(['a=one b= c=c']));
  });

  test('a sync that failed leaves its bytes out, and commits nothing', () => {
    const sim = new SimVfs();
    const file = create(sim, '/a', 'old');
    file.syncSync();
    sim.syncDirSync('/');
    create(sim, '/b', '');
    file.writeAtSync(bytes('longer'), 0);
    sim.faults.failAt({ op: 'sync', nth: 1, error: 'EIO' });
    expect(() => file.syncSync()).toThrow('EIO');
    expect(outcomes(sim)).toEqual(new Set(['a=old', 'a=old b=']));
  });
});

const step = fc.oneof(
  fc.record({
    type: fc.constant('write' as const),
    file: fc.nat(1),
    at: fc.nat(1200),
    length: fc.integer({ min: 1, max: 900 }),
  }),
  fc.record({ type: fc.constant('truncate' as const), file: fc.nat(1), size: fc.nat(1500) }),
  fc.record({ type: fc.constant('sync' as const), file: fc.nat(1) }),
  fc.record({ type: fc.constant('rename' as const), file: fc.nat(1) }),
);

describe('ext4-ordered, any program', () => {
  test.each(propertySeeds('ext4-ordered'))(
    'has names and sizes of one moment, not before the last commit, seed %i',
    (seed) => {
      fc.assert(
        fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
          const sim = new SimVfs({ seed });
          const files = [create(sim, '/0', ''), create(sim, '/1', '')];
          const shapes: string[] = [];
          const held = new Set<string>();
          const note = (): void => {
            const killed = sim.crashImage({ kind: 'kill' }).files();
            for (const content of killed.values())
              for (const text of sectors(content)) held.add(text);
            while (shapes.length <= sim.changeCount) shapes.push(shape(killed));
          };
          for (const [n, one] of steps.entries()) {
            const file = files[one.file];
            if (one.type === 'write') file.writeAtSync(Buffer.alloc(one.length, n + 1), one.at);
            else if (one.type === 'truncate') file.truncateSync(one.size);
            else if (one.type === 'sync') file.syncSync();
            else sim.renameSync(...renamed(sim, one.file));
            note();
          }
          const possible = new Set(shapes);
          // Boot, and the two files before the first step.
          for (const early of ['', '/0 0', '/0 0 /1 0']) possible.add(early);
          for (const { image } of sim.crashImages({
            from: sim.changeCount,
            profile: ext4Ordered,
            samples: 6,
          })) {
            expect(possible).toContain(shape(image.files()));
            for (const content of image.files().values()) {
              // What some sector held at some time, cut or continued with zeros: never rubbish.
              for (const text of sectors(content)) {
                expect(
                  [...held].some((other) => alike(text, other)),
                  image.label,
                ).toBe(true);
              }
            }
          }
        }),
        { seed, numRuns: 40 },
      );
    },
  );

  test('is never worse than posix-weak: whatever it leaves, that can leave', () => {
    const sim = new SimVfs();
    const file = create(sim, '/a', 'a'.repeat(600));
    file.syncSync();
    sim.syncDirSync('/');
    file.writeAtSync(bytes('b'), 0);
    create(sim, '/b', 'b');
    const images = (profile: typeof posixWeak) =>
      new Set([...sim.crashImages({ from: sim.changeCount, profile })].map((c) => c.image.hash()));
    const weak = images(posixWeak);
    for (const hash of images(ext4Ordered)) expect(weak).toContain(hash);
  });
});

const shape = (files: ReadonlyMap<string, Uint8Array>): string =>
  [...files]
    .map(([path, content]) => `${path} ${content.length}`)
    .sort()
    .join(' ');

/** The file's present name and its other one. */
function renamed(sim: SimVfs, file: number): [string, string] {
  const [one, other] = [`/${file}`, `/${file}-moved`];
  return sim.statSync(one) === undefined ? [other, one] : [one, other];
}

/** The sectors of a file, each without the zeros at its end. */
function sectors(content: Uint8Array): string[] {
  const count = Math.ceil(content.length / SECTOR_BYTES);
  return Array.from({ length: count }, (_, i) =>
    Buffer.from(content.subarray(i * SECTOR_BYTES, (i + 1) * SECTOR_BYTES))
      .toString('latin1')
      .replace(/\0+$/, ''),
  );
}

const alike = (one: string, other: string): boolean => other.startsWith(one);

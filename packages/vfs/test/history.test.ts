import { replaceFile, type VfsFile, writeFully } from '@nendb/vfs';
import { type SimOptions, SimVfs } from '@nendb/vfs/sim';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { propertySeeds } from './seeds.js';

/** Several writers at once, so that the order of completion is the scheduler's. */
async function busy(options: SimOptions, watch?: (sim: SimVfs) => void): Promise<SimVfs> {
  const sim = new SimVfs(options);
  await sim.run(async () => {
    await sim.mkdir('/db');
    const writers = ['a', 'b', 'c'].map(async (name, i) => {
      const file = await sim.open(`/db/${name}`, 'create');
      for (let n = 0; n < 6; n++) {
        await writeFully(file, Buffer.alloc(300 + 211 * i, n + 1), n * 200);
        if (n % 2 === 0) await file.sync();
        watch?.(sim);
      }
      await file.close();
      await sim.syncDir('/db');
      await replaceFile(sim, '/db/current', Buffer.from(name));
    });
    await Promise.all(writers);
    await sim.unlink('/db/a');
  });
  return sim;
}

const hashes = (sim: SimVfs): string[] =>
  [...sim.crashImages({ samples: 6, subsetsMax: 16 })].map(
    ({ at, image }) => `${at} ${image.hash()}`,
  );

describe('the history', () => {
  test('one seed is one interleaving and one set of images; another seed is another', async () => {
    const [one, same, other] = await Promise.all([1, 1, 2].map((seed) => busy({ seed })));
    expect(same.changes).toEqual(one.changes);
    expect(hashes(same)).toEqual(hashes(one));
    expect(other.changes).not.toEqual(one.changes);
    const first = await busy({ seed: 1, order: 'fifo' });
    const second = await busy({ seed: 2, order: 'fifo' });
    expect(second.changes.map(({ kind }) => kind)).toEqual(first.changes.map(({ kind }) => kind));
  });

  test('an image of the past is what an image then was: the machine lives on unharmed', async () => {
    const then: { at: number; seed: number; hash: string; killed: string }[] = [];
    const sim = await busy({ seed: 3 }, (running) => {
      const at = running.changeCount;
      const seed = then.length + 1;
      const hash = running.crashImage({ choice: { seed } }).hash();
      const killed = running.crashImage({ kind: 'kill', choice: 'all' }).hash();
      then.push({ at, seed, hash, killed });
    });
    expect(then.length).toBe(18);
    for (const { at, seed, hash, killed } of then) {
      expect(sim.crashImage({ at, choice: { seed } }).hash()).toBe(hash);
      expect(sim.crashImage({ at, kind: 'kill', choice: 'all' }).hash()).toBe(killed);
    }
  });

  test('a machine that does not record gives images of now only', async () => {
    const sim = await busy({ seed: 3, record: false });
    const recorded = await busy({ seed: 3 });
    expect(sim.changeCount).toBe(recorded.changeCount);
    expect(sim.changes).toEqual([]);
    expect(sim.crashImage({ choice: 'all' }).hash()).toBe(
      recorded.crashImage({ choice: 'all' }).hash(),
    );
    expect(() => sim.crashImage({ at: 3 })).toThrow('record: true');
    expect(() => recorded.crashImage({ at: 1000 })).toThrow('expected a crash point from 0 to');
  });

  test('machines on one image do not see each other, and throw their own dice', async () => {
    const image = (await busy({ seed: 5 })).crashImage({ choice: 'all' });
    const [one, other] = [SimVfs.fromImage(image), SimVfs.fromImage(image)];
    one.unlinkSync('/db/b');
    expect(other.readdirSync('/db').sort()).toEqual(['b', 'c', 'current']);
    expect([...image.files().keys()].sort()).toEqual(['/db/b', '/db/c', '/db/current']);
    const again = SimVfs.fromImage(one.crashImage({ choice: 'all' }));
    expect(again.random.uuid()).not.toEqual(one.random.uuid());
    expect(again.clock.wallMs()).toBeGreaterThan(one.clock.wallMs());
  });

  test('a kill can stop the next write in the middle, and loses nothing before it', async () => {
    const sim = new SimVfs();
    const file = sim.openSync('/a', 'create');
    file.writeAtSync(Buffer.from('first '), 0);
    file.writeAtSync(Buffer.alloc(2000, 'x'), 6);
    const sizes = [...sim.crashImages({ kind: 'kill', from: 2, to: 2 })].map(
      ({ image }) => image.files().get('/a')?.length ?? -1,
    );
    expect(sizes[0]).toBe(6);
    expect(sizes.length).toBeGreaterThan(1);
    for (const size of sizes.slice(1)) expect(size > 6 && size < 2006).toBe(true);
  });

  test('flush makes everything durable', async () => {
    const sim = new SimVfs();
    sim.mkdirSync('/db');
    sim.openSync('/db/a', 'create').writeAtSync(Buffer.from('x'), 0);
    sim.flush();
    expect(sim.crashPoint().units).toEqual([]);
    sim.assertDurable('/db/a');
  });
});

const step = fc.oneof(
  fc.record({
    type: fc.constant('write' as const),
    at: fc.nat(4000),
    length: fc.integer({ min: 1, max: 1500 }),
  }),
  fc.record({ type: fc.constant('truncate' as const), size: fc.nat(5000) }),
  fc.record({ type: fc.constant('sync' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** One file, every state since its last sync, and the sectors that were written when it was synced. */
class Oracle {
  readonly sim: SimVfs;
  states: Buffer[] = [Buffer.alloc(0)];
  durable = new Set<number>();
  readonly #file: VfsFile;
  #written = new Set<number>();

  constructor(seed: number) {
    this.sim = new SimVfs({ seed });
    this.#file = this.sim.openSync('/a', 'create');
    this.sim.syncDirSync('/');
  }

  apply(one: Step, fill: number): void {
    if (one.type === 'write') {
      this.#file.writeAtSync(Buffer.alloc(one.length, fill), one.at);
      const last = Math.floor((one.at + one.length - 1) / 512);
      for (let i = Math.floor(one.at / 512); i <= last; i++) this.#written.add(i);
    } else if (one.type === 'truncate') {
      this.#file.truncateSync(one.size);
      for (const i of this.#written) if (i * 512 >= one.size) this.#written.delete(i);
    } else {
      this.#file.syncSync();
      this.states = [];
      this.durable = new Set(this.#written);
    }
    const now = Buffer.alloc(this.#file.sizeSync());
    this.#file.readAtSync(now, 0);
    this.states.push(now);
  }

  /** Whether some state since the last sync has these bytes at `at`; beyond its end it has zeros. */
  explains(found: Buffer, at: number): boolean {
    return this.states.some((state) => {
      const expected = Buffer.alloc(found.length);
      if (at < state.length) state.copy(expected, 0, at, at + found.length);
      return expected.equals(found);
    });
  }
}

describe('a power cut', () => {
  test.each(propertySeeds('a power cut'))(
    'leaves in each written sector a state since the last sync, seed %i',
    (seed) => {
      fc.assert(
        fc.property(fc.array(step, { minLength: 1, maxLength: 10 }), (steps) => {
          const oracle = new Oracle(seed);
          for (const [n, one] of steps.entries()) oracle.apply(one, n + 1);
          const { sim } = oracle;
          const sizes = oracle.states.map((state) => state.length);
          for (const { image } of sim.crashImages({ from: sim.changeCount, subsetsMax: 8 })) {
            const found = Buffer.from(image.files().get('/a') ?? []);
            expect(sizes).toContain(found.length);
            for (let i = 0; i * 512 < found.length; i++) {
              // Where nothing was ever durable, rubbish may be.
              if (!oracle.durable.has(i)) continue;
              const bytes = found.subarray(i * 512, (i + 1) * 512);
              expect(oracle.explains(bytes, i * 512), `${image.label}, sector ${i}`).toBe(true);
            }
          }
        }),
        { seed, numRuns: 60 },
      );
    },
  );
});

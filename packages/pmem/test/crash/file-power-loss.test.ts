/**
 * The backend `file` on a simulated disk that loses power: sectors survive in any subset, names too.
 * A region that was told to be there is there, at the step before or after.
 */
import { PmemError, Region } from '@nendb/pmem';
import type { Vfs, VfsFile } from '@nendb/vfs';
import { type SimImage, SimVfs } from '@nendb/vfs/sim';
import { expect, test } from 'vitest';
import { testSeeds } from '../seeds.js';
import { Life, wrongWith } from './life.js';

const AT = { backend: 'file', path: '/db/region' } as const;
const REGION_BYTES = 32 * 1024;
const ACTS = 14;

interface Lived {
  states: string[];
  /** For each state, the changes of the disk when the act that reached it was done. */
  reached: number[];
  /** Changes of the disk when the region was there. */
  openedAt: number;
}

async function live(sim: SimVfs, vfs: Vfs, seed: number): Promise<Lived> {
  const lived: Lived = { states: [], reached: [], openedAt: Number.POSITIVE_INFINITY };
  await sim.run(async () => {
    const region = await Region.open({ ...AT, vfs, bytesMax: REGION_BYTES });
    lived.openedAt = sim.changeCount;
    const life = new Life(region, seed);
    const note = () => {
      while (lived.reached.length <= life.done) lived.reached.push(sim.changeCount);
    };
    note();
    life.begin();
    note();
    for (let act = 0; act < ACTS; act++) {
      life.act();
      note();
    }
    lived.states = life.states;
    await region.close();
  });
  return lived;
}

/** What is wrong with what recovers from an image of position `at`; empty where nothing is. */
function recover(image: SimImage, at: number, { states, reached, openedAt }: Lived) {
  const sim = SimVfs.fromImage(image, { seed: 3 });
  return sim.run(async () => {
    let region: Region;
    try {
      region = await Region.open({ ...AT, vfs: sim, create: false });
    } catch (error) {
      const missing = error instanceof PmemError && error.code === 'PMEM_MISSING';
      return missing && at < openedAt ? '' : String(error);
    }
    const first = reached.findLastIndex((reachedAt) => reachedAt <= at);
    const next = reached.findIndex((reachedAt) => reachedAt > at);
    const end = next === -1 ? states.length : reached.lastIndexOf(reached[next]) + 1;
    const wrong = wrongWith(region, states, Math.max(first, 0), end);
    await region.close();
    return wrong;
  });
}

/** Crashes a life at every change of the disk; the first thing wrong. */
async function search(
  seed: number,
  wrap: (sim: SimVfs) => Vfs = (sim) => sim,
  kind: 'power' | 'kill' = 'power',
) {
  const sim = new SimVfs({ seed });
  const lived = await live(sim, wrap(sim), seed);
  const seen = new Set<string>();
  let images = 0;
  for (const { at, image } of sim.crashImages({ samples: 10, subsetsMax: 32, seen, kind })) {
    images++;
    const wrong = await recover(image, at, lived);
    if (wrong !== '') return { images, found: `${wrong} (${image.label})` };
  }
  return { images, found: undefined };
}

/** A machine on which syncs of files do nothing where `skips` says so. */
function withoutSyncs(sim: SimVfs, skips: (nth: number) => boolean): Vfs {
  let nth = 0;
  const wrap = (file: VfsFile): VfsFile =>
    new Proxy(file, {
      get(target, key) {
        if (key === 'syncSync') {
          return (options?: { dataOnly?: boolean }) => {
            if (!skips(nth++)) target.syncSync(options);
          };
        }
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  return new Proxy<Vfs>(sim, {
    get(target, key) {
      if (key === 'open')
        return async (...of: Parameters<Vfs['open']>) => wrap(await target.open(...of));
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test.each(testSeeds('file on a disk that loses power'))(
  'every image recovers to the step before or after, seed %i',
  async (seed) => {
    const { images, found } = await search(seed);
    expect(found).toBeUndefined();
    expect(images).toBeGreaterThan(50);
    expect((await search(seed, undefined, 'kill')).found).toBeUndefined();
  },
);

test.each([
  ['no sync at all', () => true],
  ['every second sync left out', (nth: number) => nth % 2 === 1],
  ['one sync in seven left out', (nth: number) => nth % 7 === 5],
])('and %s is found', async (_what, skips) => {
  let found: string | undefined;
  for (let seed = 1; seed <= 10 && found === undefined; seed++) {
    ({ found } = await search(seed, (sim) => withoutSyncs(sim, skips)));
  }
  expect(found).toBeDefined();
});

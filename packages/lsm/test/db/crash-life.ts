/**
 * A tree under an external log that lives on a machine that can die at any change of its disk: flushes, compactions,
 * value-log garbage collection, manifest rotation, checkpoints; and what each image of it must hold.
 *
 * The log is the test's own, so that an image costs one opening of the tree alone. What was applied up to n is state
 * n; a tree that opens says `flushedSequence`, and must hold exactly that state.
 */
import { Batch, Lsm, type LsmOptions } from '@nendb/lsm';
import type { Vfs } from '@nendb/vfs';
import {
  type CrashKind,
  ext4Ordered,
  Prng,
  posixWeak,
  type SimImage,
  SimVfs,
} from '@nendb/vfs/sim';
import { bytes, contents, DIR, SMALL } from './sim-tree.js';

export const COPY = '/copy';

/** Small blocks, tables and files, so that little work makes many changes. */
const TINY: Partial<LsmOptions> = {
  memtableBytes: 16 * 1024,
  tableBytes: 1024,
  blockBytes: 256,
  filterBitsPerKey: 0,
  cacheBytes: 64 * 1024,
  level0RunsCompact: 2,
  manifestGrowthBytes: 700,
};

/** Encrypted trees get another key after this round. */
const ROTATION_ROUND = 7;

/** What a life was and had promised. */
export interface Life {
  sim: SimVfs;
  options: Partial<LsmOptions>;
  /** State n is that after n commits. */
  states: string[];
  /** When the log was synced up to what, ascending in both. */
  synced: { at: number; sequence: number }[];
  /** When the owner was told that everything up to there is in tables. */
  flushed: { at: number; sequence: number }[];
  /** Why compactions ran, and what else happened. */
  happened: Set<string>;
  /** When the checkpoint was begun and finished, and what it holds. */
  copied?: { from: number; done: number; sequence: number };
}

/** Lives through `rounds` flushes of a few commits each, on the machine as `seenAs` shows it. */
export async function live(
  seed: number,
  given: Partial<LsmOptions>,
  rounds: number,
  seenAs: (sim: SimVfs) => Vfs = (same) => same,
): Promise<Life> {
  const sim = new SimVfs({ seed });
  const dice = new Prng(seed, 77);
  const happened = new Set<string>();
  const onEvent: LsmOptions['onEvent'] = (event) =>
    happened.add(event.type === 'compacted' ? event.reason : event.type);
  const options = { ...TINY, ...given, onEvent };
  const life: Life = { sim, options, states: [''], synced: [], flushed: [], happened };
  await sim.run(async () => {
    const db = await openWith(life, seenAs(sim), DIR);
    const map = new Map<string, string>();
    const batch = new Batch();
    for (let round = 0; round < rounds; round++) {
      for (let i = dice.below(6) + 1; i > 0; i--) {
        change(batch, map, dice);
        db.apply(life.states.length, batch);
        life.states.push(textOf(map));
      }
      if (round === rounds - 3) await checkpoint(db, life);
      else await db.flush();
      if (dice.below(4) === 0) await db.settle();
      if (dice.below(9) === 0) await db.compact();
      if (round === ROTATION_ROUND && given.encryption !== undefined) await db.rotateKey();
    }
    await db.settle();
    if (db.stats().manifestRotations > 1) happened.add('manifest rotation');
    await db.close();
  });
  sim.assertClean();
  return life;
}

/** Changes of the disk after which a finished checkpoint is no longer opened: nothing touches it any more. */
const COPY_CHECKED_FOR = 30;

/** Opens an image of `life` and throws unless it holds what it must; returns what is flushed in it. */
export async function check(life: Life, at: number, image: SimImage): Promise<number> {
  const after = SimVfs.fromImage(image, { seed: 7, record: false, order: 'fifo' });
  let flushed = 0;
  await after.run(async () => {
    flushed = await checkTree(life, after);
    const { copied } = life;
    if (copied === undefined || at < copied.from || at > copied.done + COPY_CHECKED_FOR) return;
    if ((await after.stat(`${COPY}/MANIFEST`)) === undefined) return;
    const copy = await openWith(undefined, after, COPY, life.options);
    expectState(life, copy, 'the checkpoint');
    if (copy.flushedSequence !== copied.sequence) {
      throw new Error('the checkpoint is of another moment');
    }
    await copy.close();
  });
  return flushed;
}

async function checkTree(life: Life, after: SimVfs): Promise<number> {
  const db = await openWith(undefined, after, DIR, life.options);
  const { flushedSequence } = db;
  expectState(life, db, 'the tree');
  await db.close();
  return flushedSequence;
}

/** Throws unless a tree that was flushed up to `flushed` may be found after a crash at `at`. */
export function checkBounds(life: Life, at: number, flushed: number): void {
  const told = newestAt(life.flushed, at);
  if (flushed < told) throw new Error(`expected ${told} to be flushed, got ${flushed}`);
  const safe = newestAt(life.synced, at);
  if (flushed > safe) throw new Error(`R3: ${flushed} is in tables, the log is synced to ${safe}`);
}

/** What a sweep over crash images goes by. */
export interface Sweep {
  options: Partial<LsmOptions>;
  /** Different images to check. */
  imagesMax: number;
  /** No life is begun after this, by `performance.now()`. Default never. */
  untilMs?: number;
  /** The machine as the tree sees it: for planted bugs. */
  seenAs?: (sim: SimVfs) => Vfs;
}

/**
 * Checks images of lives from `seed` on; returns how many different ones, and what happened in these lives. An image
 * that comes again is held against the promises of its moment only.
 */
export async function sweepCrashes(
  seed: number,
  { options, imagesMax, untilMs = Number.POSITIVE_INFINITY, seenAs }: Sweep,
): Promise<{ images: number; happened: Set<string> }> {
  const happened = new Set<string>();
  let images = 0;
  for (let n = 0; images < imagesMax && performance.now() < untilMs; n++) {
    const life = await live(seed + n, options, 24, seenAs);
    for (const each of life.happened) happened.add(each);
    const kind: CrashKind = n % 4 === 3 ? 'kill' : 'power';
    const profile = n % 3 === 2 ? ext4Ordered : posixWeak;
    const seen = new Map<string, number>();
    const choices = { kind, profile, samples: 12, subsetsMax: 32 };
    for (const { at, image } of life.sim.crashImages(choices)) {
      try {
        const known = seen.get(image.hash());
        const flushed = known ?? (await check(life, at, image));
        checkBounds(life, at, flushed);
        const { copied } = life;
        if (copied !== undefined && at >= copied.done && !image.files().has(`${COPY}/MANIFEST`)) {
          throw new Error('the checkpoint is gone');
        }
        if (known === undefined && ++images >= imagesMax) break;
        seen.set(image.hash(), flushed);
      } catch (cause) {
        throw new Error(`seed ${seed + n}, ${image.label}: ${cause}`, { cause });
      }
    }
  }
  return { images, happened };
}

async function checkpoint(db: Lsm, life: Life): Promise<void> {
  const from = life.sim.changeCount;
  await db.checkpoint(COPY);
  life.copied = { from, done: life.sim.changeCount, sequence: life.states.length - 1 };
}

function change(batch: Batch, map: Map<string, string>, dice: Prng): void {
  batch.clear();
  for (let ops = dice.below(3); ops >= 0; ops--) {
    const key = `k${String(dice.below(30)).padStart(2, '0')}`;
    const kind = dice.below(10);
    if (kind < 7) {
      const value = `${dice.below(1000)}`.padEnd(dice.below(2) === 0 ? 4 : 120, '.');
      batch.put(bytes(key), bytes(value));
      map.set(key, value);
    } else if (kind < 9) {
      batch.delete(bytes(key));
      map.delete(key);
    } else {
      const end = `k${String(dice.below(30)).padStart(2, '0')}`;
      batch.deleteRange(bytes(key), bytes(end));
      for (const each of [...map.keys()]) if (each >= key && each < end) map.delete(each);
    }
  }
}

function openWith(
  life: Life | undefined,
  vfs: Vfs,
  dir: string,
  options: Partial<LsmOptions> | undefined = life?.options,
): Promise<Lsm> {
  return Lsm.open({
    ...SMALL,
    ...options,
    vfs,
    dir,
    log: {
      async synced(sequence) {
        // A sync is a while on its way; what is in flight then must not count yet.
        await vfs.stat(dir);
        life?.synced.push({ at: life.sim.changeCount, sequence });
      },
      onFlushed: (sequence) => life?.flushed.push({ at: life.sim.changeCount, sequence }),
    },
  });
}

function expectState(life: Life, db: Lsm, what: string): void {
  const found = contents(db).map(([key, value]) => `${key}=${value}`);
  const expected = life.states[db.flushedSequence];
  if (found.join(' ') === expected) return;
  throw new Error(
    `${what} at ${db.flushedSequence} holds ${found.join(' ')}, expected ${expected}`,
  );
}

function textOf(map: ReadonlyMap<string, string>): string {
  return [...map]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}

function newestAt(moments: readonly { at: number; sequence: number }[], at: number): number {
  let newest = 0;
  for (const moment of moments) if (moment.at <= at) newest = Math.max(newest, moment.sequence);
  return newest;
}

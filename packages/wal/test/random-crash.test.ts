/**
 * Random lives of a log, each ended by random crashes, some of them crashing again while they
 * recover. A seed that fails is printed with the image; `NENDB_TEST_SEED` runs it again.
 */
import { Prng, type SimImage, SimVfs } from '@nendb/vfs/sim';
import type { SyncPolicy, WalOptions } from '@nendb/wal';
import { expect, test } from 'vitest';
import { propertySeeds } from './seeds.js';
import {
  append,
  appendBatch,
  appendSync,
  DIR,
  Oracle,
  openSim,
  reboot,
  sync,
  verify,
  watch,
} from './sim-log.js';

const POLICIES: SyncPolicy[] = ['always', 'always', 'os', { windowMs: 3 }, { every: 4 }];
const IMAGES_MAX = 120;

interface Life {
  sim: SimVfs;
  oracle: Oracle;
  options: Partial<WalOptions>;
}

/** Some appends, syncs, quiet times, truncations and reopenings. */
async function live(seed: number, dice: Prng): Promise<Life> {
  const options: Partial<WalOptions> = {
    sync: POLICIES[dice.below(POLICIES.length)],
    preallocate: dice.below(4) !== 0,
    preallocateBytes: 512 << dice.below(3),
    segmentBytesMax: 4096 << dice.below(2),
    inlineSyncMsMax: seed % 2,
  };
  const sim = new SimVfs({ seed });
  const oracle = new Oracle();
  const bytes = () => dice.below(dice.below(3) === 0 ? 2500 : 200);
  await sim.run(async () => {
    let { wal } = await openSim(sim, options);
    watch(sim, wal, oracle);
    const pending: Promise<unknown>[] = [];
    for (let left = 5 + dice.below(12); left > 0; left--) {
      const what = dice.below(12);
      if (what < 4) {
        await append(wal, oracle, bytes());
      } else if (what < 6) {
        pending.push(append(wal, oracle, bytes()), append(wal, oracle, bytes()));
      } else if (what === 6) {
        const sizes = Array.from({ length: 1 + dice.below(4) }, bytes);
        pending.push(appendBatch(wal, oracle, sizes));
      } else if (what === 7) {
        appendSync(wal, oracle, bytes());
      } else if (what === 8) {
        await sync(sim, wal, oracle);
      } else if (what === 9) {
        await sim.settle(dice.below(400));
      } else if (what === 10) {
        const cut = dice.below(wal.lastLsn + 2);
        oracle.cuts.push({ at: sim.changeCount, lsn: Math.max(1, cut) });
        await wal.truncateBefore(cut);
      } else {
        await wal.close();
        oracle.synced.push({ at: sim.changeCount, lsn: wal.syncedLsn });
        ({ wal } = await openSim(sim, options));
        watch(sim, wal, oracle);
      }
    }
    await Promise.all(pending);
  });
  return { sim, oracle, options };
}

/** Opens the log on `image`, checks it, appends one record, and then dies again, everywhere. */
async function dieAgain(image: SimImage, life: Life, floor: number, seen: Set<string>) {
  const { oracle, options } = life;
  let first = 0;
  const after = await reboot(
    image,
    options,
    async (_sim, wal, recovery) => {
      first = recovery.lastLsn;
      await wal.append(Buffer.from('one more'));
    },
    true,
  );
  const longer = Oracle.after(oracle, first, 0);
  longer.payloads.push('one more');
  longer.unitEnds.add(first + 1);
  for (const kind of ['power', 'kill'] as const) {
    for (const nested of after.crashImages({ kind, samples: 1, subsetsMax: 2, seen })) {
      await reboot(nested.image, options, async (_sim, wal, recovery) => {
        // Until its recovery is synced a power cut may take back what only a cache held.
        const held = recovery.lastLsn > first ? longer : oracle;
        await verify(wal, recovery, held, life.sim.changeCount, [{ at: 0, lsn: floor }]);
      });
    }
  }
}

test.each(propertySeeds('wal crashes'))(
  'R13, R14: any crash of any life, seed %i',
  async (seed) => {
    const dice = new Prng(seed, 1);
    const seen = new Set<string>();
    let images = 0;
    for (let round = 0; images < IMAGES_MAX; round++) {
      const life = await live(seed + round, dice);
      const { sim, oracle, options } = life;
      for (const kind of ['power', 'kill'] as const) {
        const synced = options.sync === 'always' ? oracle.durable : oracle.synced;
        const promises = kind === 'kill' ? oracle.durable : synced;
        for (const { at, image } of sim.crashImages({ kind, samples: 2, subsetsMax: 4 })) {
          if (dice.below(3) !== 0) continue;
          images++;
          if (dice.below(20) === 0) {
            await dieAgain(image, life, Oracle.promised(synced, at), seen);
            continue;
          }
          await reboot(image, options, async (_sim, wal, recovery) => {
            await verify(wal, recovery, oracle, at, promises);
          });
        }
      }
    }
    expect(images).toBeGreaterThanOrEqual(IMAGES_MAX);
  },
);

/**
 * A crash tore one slot of HEAD. The next opening began with the other, the only valid one, and died
 * as well: no slot was left, and a whole log could not be opened.
 */
test.each([0, 4096])(
  'R14: HEAD with its slot at %i torn outlives a crash while it is mended',
  async (at) => {
    const before = new SimVfs({ record: false });
    await before.run(async () => {
      const { wal } = await openSim(before);
      await wal.append(Buffer.from('kept'));
      await wal.close();
      const head = await before.open(`${DIR}/HEAD`, 'write');
      await head.writeAt(Buffer.alloc(512, 'torn'), at);
      await head.sync();
      await head.close();
    });
    const sim = SimVfs.fromImage(before.crashImage());
    await sim.run(async () => {
      const { wal } = await openSim(sim);
      await wal.close();
    });
    for (const kind of ['power', 'kill'] as const) {
      for (const { image } of sim.crashImages({ kind })) {
        await reboot(image, {}, async (_sim, _wal, recovery) => {
          expect(recovery.lastLsn).toBe(1);
        });
      }
    }
  },
);

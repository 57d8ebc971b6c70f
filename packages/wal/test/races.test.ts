/**
 * Everything at once on one log: writers, readers, tails, leases, cuts from both ends, syncs and a close,
 * none waiting for another, over random interleavings of a simulated machine.
 *
 * Each record names its LSN and the timeline that it was written on; `truncateAfter` ends one and
 * begins another. Whatever is read must be of a timeline that was not cut off before it was asked for,
 * in order, without a hole; nobody waits for ever; nothing but the documented codes comes out.
 */
import { Prng, SimVfs } from '@nendb/vfs/sim';
import {
  type SyncPolicy,
  type Wal,
  WalError,
  type WalErrorCode,
  type WalEvent,
  type WalOptions,
} from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { propertySeeds } from './seeds.js';
import { openSim } from './sim-log.js';

const POLICIES: SyncPolicy[] = ['always', 'os', { windowMs: 3 }, { every: 4 }];
const ROUNDS = 40;

class World {
  readonly counts = new Map<string, number>();

  constructor(
    readonly sim: SimVfs,
    readonly wal: Wal,
    readonly dice: Prng,
    /** Where each timeline was cut, as the log tells when it is done. */
    readonly cutAt: readonly number[],
  ) {}

  get timeline(): number {
    return this.cutAt.length;
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  payload(): Buffer {
    const lsn = this.wal.lastLsn + 1;
    const { dice } = this;
    const bytes = dice.below(dice.below(4) === 0 ? 1500 : 60);
    return Buffer.from(`${lsn} ${this.timeline} `.padEnd(bytes, 'x'));
  }

  /** A wait of random length: some turns, or some ms. */
  async pause(): Promise<void> {
    const { dice, sim } = this;
    if (dice.below(3) === 0) {
      await new Promise<void>((resolve) => {
        sim.timers.after(dice.below(20), resolve);
      });
      return;
    }
    for (let turns = dice.below(6); turns > 0; turns--) {
      await new Promise<void>((resolve) => sim.timers.turnEnd(resolve));
    }
  }
}

/** Runs `work`; one of `codes` is fine, and counted. */
async function allow(
  world: World,
  what: string,
  codes: readonly WalErrorCode[],
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
    world.count(what);
  } catch (error) {
    if (!(error instanceof WalError) || !codes.includes(error.code)) throw error;
    world.count(`${what} ${error.code}`);
  }
}

/** Sees what a reader yields, and when: order, and that it was not cut off before. */
class Witness {
  readonly #world: World;
  #lsn: number;

  constructor(world: World, from: number) {
    this.#world = world;
    this.#lsn = from - 1;
  }

  see(lsn: number, payload: Uint8Array): void {
    const text = Buffer.from(payload).toString();
    const [named, timeline] = text.split(' ').map(Number);
    expect(named, 'a record under another LSN').toBe(lsn);
    expect(lsn, 'a hole, or a repetition').toBe(this.#lsn + 1);
    this.#lsn = lsn;
    const { cutAt } = this.#world;
    for (let later = timeline; later < cutAt.length; later++) {
      expect(lsn, `a record of timeline ${timeline} beyond the cut ${later}`).toBeLessThanOrEqual(
        cutAt[later],
      );
    }
  }
}

const ACTORS: Record<string, (world: World) => Promise<void>> = {
  async append(world) {
    const { wal, dice } = world;
    const some = Array.from({ length: 1 + dice.below(3) }, () =>
      allow(world, 'append', ['WAL_BUSY', 'WAL_CLOSED'], () => wal.append(world.payload())),
    );
    await Promise.all(some);
  },

  async batch(world) {
    const { wal, dice } = world;
    const first = wal.lastLsn + 1;
    const records = Array.from({ length: 1 + dice.below(4) }, (_, i) =>
      Buffer.from(`${first + i} ${world.timeline} `.padEnd(dice.below(900), 'y')),
    );
    await allow(world, 'batch', ['WAL_BUSY', 'WAL_CLOSED'], () => wal.appendBatch(records));
  },

  async appendSync(world) {
    await allow(world, 'appendSync', ['WAL_BUSY', 'WAL_CLOSED'], async () =>
      world.wal.appendSync(world.payload()),
    );
  },

  async sync(world) {
    await allow(world, 'sync', ['WAL_BUSY', 'WAL_CLOSED'], () => world.wal.sync());
  },

  async read(world) {
    const { wal, dice } = world;
    const from = wal.firstLsn + dice.below(wal.lastLsn + 2 - wal.firstLsn);
    const witness = new Witness(world, from);
    await allow(world, 'read', ['WAL_TRUNCATED_AWAY'], async () => {
      for await (const { lsn, payload } of wal.read({ from })) {
        witness.see(lsn, payload);
        if (dice.below(20) === 0) return;
        if (dice.below(3) === 0) await world.pause();
      }
    });
  },

  async replay(world) {
    const { wal } = world;
    const from = wal.firstLsn;
    const witness = new Witness(world, from);
    await allow(world, 'replay', ['WAL_TRUNCATED_AWAY'], () =>
      wal.replay(from, (lsn, bytes, start, end) => witness.see(lsn, bytes.subarray(start, end))),
    );
  },

  async tail(world) {
    const { wal, dice } = world;
    const stop = new AbortController();
    const from = wal.firstLsn + dice.below(wal.lastLsn + 2 - wal.firstLsn);
    const witness = new Witness(world, from);
    const tail = wal.tail({ from, signal: stop.signal });
    const following = allow(world, 'tail', ['WAL_TRUNCATED_AWAY'], async () => {
      for await (const { lsn, payload } of tail) {
        expect(lsn, 'a tail ran ahead').toBeLessThanOrEqual(wal.durableLsn);
        witness.see(lsn, payload);
        world.count('tailed');
        if (dice.below(3) === 0) await world.pause();
      }
    });
    for (let left = dice.below(4); left > 0; left--) await world.pause();
    if (dice.below(2) === 0) stop.abort();
    else await tail.return();
    await following;
  },

  async lease(world) {
    const { wal, dice } = world;
    const codes: WalErrorCode[] = ['WAL_BUSY', 'WAL_CLOSED', 'WAL_LEASE_LOST'];
    await allow(world, 'lease', codes, async () => {
      const lsn = wal.firstLsn + dice.below(wal.lastLsn + 2 - wal.firstLsn);
      const lease = wal.retain(lsn, { bytesMax: dice.below(3) === 0 ? 4096 : 1 << 20 });
      try {
        await world.pause();
        if (lease.lost) return;
        expect(wal.firstLsn, 'what a lease holds was cut').toBeLessThanOrEqual(lease.lsn);
        if (lease.lsn <= wal.lastLsn) {
          lease.advance(lease.lsn + dice.below(wal.lastLsn + 2 - lease.lsn));
        }
        await world.pause();
      } finally {
        lease.release();
      }
    });
  },

  async before(world) {
    const { wal, dice } = world;
    const codes: WalErrorCode[] = ['WAL_BUSY', 'WAL_CLOSED'];
    await allow(world, 'before', codes, () => wal.truncateBefore(dice.below(wal.lastLsn + 2)));
  },

  async after(world) {
    const { wal, dice } = world;
    const codes: WalErrorCode[] = [
      'WAL_BUSY',
      'WAL_CLOSED',
      'WAL_BAD_OPTION',
      'WAL_TRUNCATED_AWAY',
    ];
    await allow(world, 'after', codes, async () => {
      const lsn = Math.max(wal.firstLsn - 1, wal.lastLsn - dice.below(12));
      const cut = await wal.truncateAfter(lsn);
      expect(cut.lastLsn).toBe(lsn);
    });
  },
};

async function race(seed: number): Promise<Map<string, number>> {
  const sim = new SimVfs({ seed, record: false });
  const dice = new Prng(seed, 9);
  const options: Partial<WalOptions> = {
    sync: POLICIES[dice.below(POLICIES.length)],
    preallocate: dice.below(3) !== 0,
    preallocateBytes: 512,
    segmentBytesMax: 4096,
    leaseBytesMax: dice.below(2) === 0 ? 4096 : 1 << 20,
  };
  let counts = new Map<string, number>();
  await sim.run(async () => {
    const cutAt: number[] = [];
    const onEvent = (event: WalEvent): void => {
      if (event.type === 'cut') cutAt.push(event.lastLsn);
    };
    const { wal } = await openSim(sim, { ...options, onEvent });
    const world = new World(sim, wal, dice, cutAt);
    counts = world.counts;
    const names = Object.keys(ACTORS);
    const running: Promise<void>[] = [];
    for (let left = ROUNDS; left > 0; left--) {
      running.push(ACTORS[names[dice.below(names.length)]](world));
      if (dice.below(2) === 0) await world.pause();
    }
    if (dice.below(2) === 0) await Promise.all(running);
    await wal.close();
    await Promise.all(running);
    expect(wal.stats.leases).toBe(0);
    const { wal: again, recovery } = await openSim(sim, options);
    expect(recovery.verdict).toBe('clean');
    await again.close();
  });
  sim.assertClean();
  return counts;
}

describe('everything at once', () => {
  test.each(propertySeeds('wal races'))(
    'R9, R10: ends as it should, from seed %i',
    async (first) => {
      const total = new Map<string, number>();
      for (let seed = first; seed < first + 60; seed++) {
        try {
          for (const [what, count] of await race(seed)) {
            total.set(what, (total.get(what) ?? 0) + count);
          }
        } catch (error) {
          throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, {
            cause: error,
          });
        }
      }
      for (const what of Object.keys(ACTORS)) expect(total.get(what), what).toBeGreaterThan(10);
      expect(total.get('tailed')).toBeGreaterThan(100);
    },
  );
});

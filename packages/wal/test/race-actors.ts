/**
 * Those who use one log at the same time, none waiting for another: see `races.test.ts`.
 *
 * Each record names its LSN and the timeline that it was written on; `truncateAfter` ends one and
 * begins another. Whatever is read must be of a timeline that was not cut off before it was asked for,
 * in order, without a hole.
 */
import type { Vfs } from '@nendb/vfs';
import type { Prng } from '@nendb/vfs/sim';
import { type Position, type Wal, WalError, type WalErrorCode } from '@nendb/wal';
import { expect } from 'vitest';

/** What else may come out where the disk fails. */
const FAILURES: readonly string[] = [
  'WAL_POISONED',
  'WAL_OUTCOME_UNKNOWN',
  'WAL_FULL',
  'EIO',
  'ENOSPC',
];

/** A record that was acknowledged. */
interface Ack {
  lsn: number;
  timeline: number;
}

export class World {
  readonly counts = new Map<string, number>();

  constructor(
    readonly machine: Pick<Vfs, 'timers'>,
    readonly wal: Wal,
    readonly dice: Prng,
    /** Where each timeline was cut, as the log tells when it is done. */
    readonly cutAt: readonly number[],
    /** Whether the disk may fail. */
    readonly faulty: boolean,
  ) {}

  readonly acks: Ack[] = [];
  /** Beyond it, a cut that failed may have been made. */
  doubtfulLsn = Number.POSITIVE_INFINITY;

  get timeline(): number {
    return this.cutAt.length;
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** Notes that `count` records from `position` on were acknowledged. */
  acked({ lsn }: Pick<Position, 'lsn'>, timeline: number, count = 1): void {
    for (let i = 0; i < count; i++) this.acks.push({ lsn: lsn + i, timeline });
  }

  /** Whether `ack` must be in a log that begins at `firstLsn`. */
  expects({ lsn, timeline }: Ack, firstLsn: number): boolean {
    if (lsn < firstLsn || lsn > this.doubtfulLsn) return false;
    return this.cutAt.slice(timeline).every((cut) => lsn <= cut);
  }

  payload(): Buffer {
    const lsn = this.wal.lastLsn + 1;
    const { dice } = this;
    const bytes = dice.below(dice.below(4) === 0 ? 1500 : 60);
    return Buffer.from(`${lsn} ${this.timeline} `.padEnd(bytes, 'x'));
  }

  /** A wait of random length: some turns, or some ms. */
  async pause(): Promise<void> {
    const { dice, machine } = this;
    if (dice.below(3) === 0) {
      await new Promise<void>((resolve) => {
        machine.timers.after(dice.below(20), resolve);
      });
      return;
    }
    for (let turns = dice.below(6); turns > 0; turns--) {
      await new Promise<void>((resolve) => machine.timers.turnEnd(resolve));
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
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const expected: readonly string[] = world.faulty ? [...codes, ...FAILURES] : codes;
    if (!expected.includes(code)) throw error;
    if (error instanceof WalError || world.faulty) world.count(`${what} ${code}`);
    else throw error;
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

export const ACTORS: Record<string, (world: World) => Promise<void>> = {
  async append(world) {
    const { wal, dice } = world;
    const { timeline } = world;
    const some = Array.from({ length: 1 + dice.below(3) }, () =>
      allow(world, 'append', ['WAL_BUSY', 'WAL_CLOSED'], async () => {
        world.acked(await wal.append(world.payload()), timeline);
      }),
    );
    await Promise.all(some);
  },

  async batch(world) {
    const { wal, dice } = world;
    const first = wal.lastLsn + 1;
    const records = Array.from({ length: 1 + dice.below(4) }, (_, i) =>
      Buffer.from(`${first + i} ${world.timeline} `.padEnd(dice.below(900), 'y')),
    );
    const { timeline } = world;
    await allow(world, 'batch', ['WAL_BUSY', 'WAL_CLOSED'], async () => {
      world.acked(await wal.appendBatch(records), timeline, records.length);
    });
  },

  async appendSync(world) {
    await allow(world, 'appendSync', ['WAL_BUSY', 'WAL_CLOSED'], async () => {
      world.acked(world.wal.appendSync(world.payload()), world.timeline);
    });
  },

  async through(world) {
    const { wal, timeline } = world;
    await allow(world, 'through', ['WAL_BUSY', 'WAL_CLOSED'], async () => {
      const lsn = wal.submitWritten(world.payload());
      await wal.whenDurable(lsn);
      world.acked({ lsn }, timeline);
    });
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
      const before = world.doubtfulLsn;
      world.doubtfulLsn = Math.min(before, lsn);
      const cut = await wal.truncateAfter(lsn).catch((error: WalError) => {
        // Refused, or failed before it counted: unless the log has failed with it.
        if (!wal.health.poisoned) world.doubtfulLsn = before;
        throw error;
      });
      world.doubtfulLsn = before;
      expect(cut.lastLsn).toBe(lsn);
    });
  },
};

/**
 * Everything at once on one log: writers, readers, tails, leases, cuts from both ends, syncs, listeners
 * that call back, and a close, none waiting for another, over random interleavings of a simulated
 * machine, whose disk fails in half of the runs.
 *
 * Nobody waits for ever, nothing but the documented codes comes out, nobody sees what was cut off, and
 * what was acknowledged is there afterwards.
 */
import { Prng, SimVfs } from '@nendb/vfs/sim';
import type { SyncPolicy, WalEvent, WalOptions } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { ACTORS, World } from './race-actors.js';
import { propertySeeds } from './seeds.js';
import { openSim } from './sim-log.js';

const POLICIES: SyncPolicy[] = ['always', 'os', { windowMs: 3 }, { every: 4 }];
const ROUNDS = 40;
const REACTIONS = 20;
const FAULTY_OPS = [
  ...(['write', 'sync', 'syncDir', 'rename', 'open', 'create'] as const),
  ...(['unlink', 'truncate', 'read'] as const),
];

/** What may have been done although an error comes back. */
const AFTER_THE_FACT: readonly string[] = ['write', 'rename', 'unlink', 'truncate'];

/** What is called back from where the log tells its news. */
const REACTIONS_TO_NEWS = [
  'append',
  'appendSync',
  'through',
  'batch',
  'before',
  'read',
  'lease',
  'sync',
];

async function race(seed: number, faulty: boolean): Promise<Map<string, number>> {
  const sim = new SimVfs({ seed, record: false });
  const dice = new Prng(seed, 9);
  const options: Partial<WalOptions> = {
    sync: POLICIES[dice.below(POLICIES.length)],
    preallocate: dice.below(3) !== 0,
    preallocateBytes: 512,
    segmentBytesMax: 4096,
    leaseBytesMax: dice.below(2) === 0 ? 4096 : 1 << 20,
    inlineSyncMsMax: dice.below(2),
  };
  const cutAt: number[] = [];
  const running: Promise<void>[] = [];
  let reactions = REACTIONS;
  const hear = (world: World | undefined, what: string): void => {
    if (!world || reactions === 0 || dice.below(3) !== 0) return;
    reactions--;
    world.count(`in ${what}`);
    running.push(ACTORS[REACTIONS_TO_NEWS[dice.below(REACTIONS_TO_NEWS.length)]](world));
  };
  const world = await sim.run(async () => {
    let heard: World | undefined;
    const onEvent = (event: WalEvent): void => {
      if (event.type === 'cut') cutAt.push(event.lastLsn);
      hear(heard, event.type);
    };
    const { wal } = await openSim(sim, { ...options, onEvent });
    const world = new World(sim, wal, dice, cutAt, faulty);
    heard = world;
    wal.onDurable(() => hear(world, 'durable'));
    if (faulty) {
      const op = FAULTY_OPS[dice.below(FAULTY_OPS.length)];
      const error = dice.below(4) === 0 ? 'ENOSPC' : 'EIO';
      const takesEffect = AFTER_THE_FACT.includes(op) && dice.below(2) === 0;
      const nth = 1 + dice.below(op === 'write' || op === 'sync' ? 30 : 5);
      sim.faults.failAt({ op, nth, error, takesEffect });
    }
    const names = Object.keys(ACTORS);
    for (let left = ROUNDS; left > 0; left--) {
      running.push(ACTORS[names[dice.below(names.length)]](world));
      if (dice.below(2) === 0) await world.pause();
    }
    if (dice.below(2) === 0) await settle(running);
    await wal.close().catch((error: unknown) => {
      if (!faulty) throw error;
      world.count('close failed');
    });
    await settle(running);
    expect(wal.stats.leases).toBe(0);
    if (wal.health.poisoned) world.count('poisoned');
    return world;
  });
  sim.assertClean();
  sim.faults.clear();
  await checkLeft(SimVfs.fromImage(sim.crashImage({ kind: 'kill' }), { seed }), options, world);
  if (options.sync !== 'always') return world.counts;
  const cut = sim.crashImage({ kind: 'power', choice: { seed } });
  await checkLeft(SimVfs.fromImage(cut, { seed }), options, world);
  return world.counts;
}

/** Waits for all, those included that they begin. */
async function settle(running: Promise<void>[]): Promise<void> {
  while (running.length > 0) await running.shift();
}

/** What was acknowledged, and not cut off, is in the log that was left. */
async function checkLeft(sim: SimVfs, options: Partial<WalOptions>, world: World): Promise<void> {
  await sim.run(async () => {
    const { wal, recovery } = await openSim(sim, options);
    if (!world.faulty) expect(recovery.verdict).toBe('clean');
    const found = new Map<number, string>();
    for await (const { lsn, payload } of wal.read()) found.set(lsn, `${Buffer.from(payload)}`);
    for (const ack of world.acks) {
      if (!world.expects(ack, wal.firstLsn)) continue;
      const begins = `${ack.lsn} ${ack.timeline} `;
      expect(found.get(ack.lsn)?.startsWith(begins), `LSN ${begins}`).toBe(true);
    }
    await wal.close();
  });
  sim.assertClean();
}

describe.each([false, true])('everything at once, on a disk that fails: %j', (faulty) => {
  test.each(propertySeeds('wal races'))(
    'R9, R10: ends as it should, from seed %i',
    async (first) => {
      const total = new Map<string, number>();
      for (let seed = first; seed < first + 20; seed++) {
        try {
          for (const [what, count] of await race(seed, faulty)) {
            total.set(what, (total.get(what) ?? 0) + count);
          }
        } catch (error) {
          const why = error instanceof Error ? error.message : error;
          throw new Error(`seed ${seed}, ${faulty}: ${why}`, { cause: error });
        }
      }
      for (const what of Object.keys(ACTORS)) expect(total.get(what), what).toBeGreaterThan(2);
      expect(total.get('tailed')).toBeGreaterThan(50);
      expect(total.get('in synced')).toBeGreaterThan(5);
      expect((total.get('poisoned') ?? 0) > 2).toBe(faulty);
    },
  );
});

/** The races of `races.test.ts` on the real file system, where the order is the kernel's and the pool's. */
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeVfs } from '@nendb/vfs';
import { Prng } from '@nendb/vfs/sim';
import { type SyncPolicy, Wal, type WalEvent, type WalOptions } from '@nendb/wal';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACTORS, World } from './race-actors.js';
import { propertySeeds } from './seeds.js';

const ROUNDS = 60;

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'nendb-wal-races-'));
});
afterAll(() => rmSync(root, { recursive: true }));

const DESCRIPTORS = '/proc/self/fd';
const hasProc = existsSync(DESCRIPTORS);

/** What this process has open in `dir`. */
function openIn(dir: string): string[] {
  return readdirSync(DESCRIPTORS).flatMap((descriptor) => {
    try {
      const path = readlinkSync(`${DESCRIPTORS}/${descriptor}`);
      return path.startsWith(dir) ? [path] : [];
    } catch {
      // The one that listed them is closed by now.
      return [];
    }
  });
}

test.each(
  propertySeeds('wal races, for real').flatMap((seed): [SyncPolicy, number][] => [
    ['always', seed],
    [{ windowMs: 3 }, seed],
  ]),
)('R9, R10: everything at once under %j ends as it should, from seed %i', async (sync, seed) => {
  const dir = mkdtempSync(join(root, 'log'));
  const dice = new Prng(seed, 9);
  const options: WalOptions = {
    dir,
    sync,
    preallocateBytes: 512,
    segmentBytesMax: 4096,
    leaseBytesMax: 1 << 20,
    inlineSyncMsMax: dice.below(2),
  };
  const cutAt: number[] = [];
  const onEvent = (event: WalEvent): void => {
    if (event.type === 'cut') cutAt.push(event.lastLsn);
  };
  const { wal } = await Wal.open({ ...options, onEvent });
  const world = new World(nodeVfs, wal, dice, cutAt, false);
  const names = Object.keys(ACTORS);
  const running: Promise<void>[] = [];
  for (let left = ROUNDS; left > 0; left--) {
    running.push(ACTORS[names[dice.below(names.length)]](world));
    if (dice.below(2) === 0) await world.pause();
  }
  if (dice.below(2) === 0) await Promise.all(running);
  if (hasProc) expect(openIn(dir).length).toBeGreaterThan(1);
  await wal.close();
  await Promise.all(running);
  expect(wal.stats.leases).toBe(0);
  if (hasProc) expect(openIn(dir)).toEqual([]);
  const { wal: again, recovery } = await Wal.open(options);
  expect(recovery.verdict).toBe('clean');
  const found = new Map<number, string>();
  for await (const { lsn, payload } of again.read()) found.set(lsn, `${Buffer.from(payload)}`);
  const expected = world.acks.filter((ack) => world.expects(ack, again.firstLsn));
  for (const { lsn, timeline } of expected) {
    expect(found.get(lsn)?.startsWith(`${lsn} ${timeline} `), `LSN ${lsn}`).toBe(true);
  }
  await again.close();
  expect((await Wal.verify(dir)).findings).toEqual([]);
});

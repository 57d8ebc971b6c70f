/**
 * Bugs planted around a sound log, as a machine that skips what the log asks for: the crash tests'
 * own oracle must find each, or it proves nothing.
 */
import type { Vfs, VfsFile } from '@nendb/vfs';
import { SimVfs } from '@nendb/vfs/sim';
import { Wal } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { append, appendBatch, DIR, Oracle, reboot, SMALL, verify, watch } from './sim-log.js';

/** What of a call is left out, by the path it is about. */
interface Omissions {
  sync?: (path: string, nth: number) => boolean;
  syncDir?: boolean;
}

/** `sim`, but for some calls that return without having done anything. */
function omitting(sim: SimVfs, omit: Omissions): Vfs {
  const counts = new Map<string, number>();
  const skips = (path: string): boolean => {
    const nth = (counts.get(path) ?? 0) + 1;
    counts.set(path, nth);
    return omit.sync?.(path, nth) ?? false;
  };
  const wrap = (file: VfsFile): VfsFile =>
    new Proxy(file, {
      get(target, key) {
        if (key === 'sync') {
          return async (options?: { dataOnly?: boolean }) => {
            if (!skips(target.path)) await target.sync(options);
          };
        }
        if (key === 'syncSync') {
          return (options?: { dataOnly?: boolean }) => {
            if (!skips(target.path)) target.syncSync(options);
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
      if (key === 'openSync')
        return (...of: Parameters<Vfs['openSync']>) => wrap(target.openSync(...of));
      if (key === 'syncDir' && omit.syncDir) return async () => undefined;
      if (key === 'syncDirSync' && omit.syncDir) return () => undefined;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Whether some crash of a log that lived with `omit` breaks a promise; and how many were tried. */
async function search(omit: Omissions): Promise<{ found: string | undefined; images: number }> {
  const sim = new SimVfs({ seed: 11 });
  const oracle = new Oracle();
  await sim.run(async () => {
    const { wal } = await Wal.open({
      dir: DIR,
      vfs: omitting(sim, omit),
      ...SMALL,
      inlineSyncMsMax: 1,
    });
    watch(sim, wal, oracle);
    await append(wal, oracle, 300);
    await Promise.all([1500, 900].map((bytes) => append(wal, oracle, bytes)));
    await appendBatch(wal, oracle, [1200, 900]);
    await append(wal, oracle, 1400);
    await append(wal, oracle, 900);
    oracle.cuts.push({ at: sim.changeCount, lsn: 3 });
    await wal.truncateBefore(3);
    await append(wal, oracle, 20);
  });
  let images = 0;
  for (const { at, image } of sim.crashImages({ samples: 3, subsetsMax: 8 })) {
    images++;
    try {
      await reboot(image, {}, async (_sim, wal, recovery) => {
        await verify(wal, recovery, oracle, at, oracle.durable);
      });
    } catch (error) {
      return { found: error instanceof Error ? error.message : String(error), images };
    }
  }
  return { found: undefined, images };
}

describe('the crash oracle', () => {
  test('finds nothing in the log as it is', async () => {
    expect(await search({})).toMatchObject({ found: undefined });
  });

  test.each<[string, Omissions]>([
    [
      'segments are never synced',
      { sync: (path) => path.endsWith('.tmp') || path.endsWith('.spare') },
    ],
    [
      'one sync among many is skipped',
      { sync: (path, nth) => path.endsWith('1.wal') && nth === 1 },
    ],
    ['a spare is not synced before it gets its name', { sync: (path) => path.endsWith('.spare') }],
    ['names are never synced', { syncDir: true }],
    ['HEAD is never synced', { sync: (path) => path.includes('HEAD') }],
  ])('finds that %s', async (_what, omit) => {
    const { found, images } = await search(omit);
    expect(found, `not found in ${images} images`).toBeDefined();
  });
});

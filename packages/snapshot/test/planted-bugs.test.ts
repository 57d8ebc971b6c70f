/**
 * Bugs planted around a sound writer, as a machine that does not do what the writer asks for: the
 * crash tests' own oracle must find each, or it proves nothing.
 */
import type { Task, Vfs, VfsFile } from '@nendb/vfs';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import makeWriter, { type WriterInit } from '../src/writer-task.js';
import { BAK, contents, loadedNumber, NEWEST, write } from './fixture.js';

/** What the machine does instead of what it was asked for, by name of the call. */
type Instead = (sim: SimVfs) => Partial<Vfs> & { file?: (file: VfsFile) => Partial<VfsFile> };

/** `target`, but for the members of `other`. */
function patched<T extends object>(target: T, other: Partial<T>): T {
  return new Proxy(target, {
    get(_target, key) {
      const source = key in other ? other : target;
      const value: unknown = Reflect.get(source, key);
      return typeof value === 'function' ? value.bind(source) : value;
    },
  });
}

/** `sim` with the bug, the writer's task included. */
function planted(sim: SimVfs, instead: Instead): Vfs {
  const { file, ...calls } = instead(sim);
  const wrap = (opened: VfsFile) => (file ? patched(opened, file(opened)) : opened);
  const vfs: Vfs = patched<Vfs>(sim, {
    openSync: (path, mode) => wrap(sim.openSync(path, mode)),
    executor: { start: (_module, init) => inPlace(init as WriterInit) },
    ...calls,
  });
  const inPlace = async (init: WriterInit): Promise<Task> => {
    const methods: Record<string, (input: never) => unknown> = makeWriter(init, vfs);
    return {
      call: async (method, input) => methods[method](structuredClone(input) as never),
      close: async () => undefined,
    };
  };
  return vfs;
}

/** The first broken promise that some crash of a machine with the bug shows. */
async function search(instead: Instead): Promise<string | undefined> {
  const sim = new SimVfs({ seed: 5 });
  const doneAt: number[] = [];
  const readyAt: number[] = [];
  await sim.run(async () => {
    const vfs = planted(sim, instead);
    for (let n = 1; n <= 4; n++) {
      const beforePublish = async () => {
        // The log is synced here: something that a crash can come before.
        const log = await sim.open(`/log-${n}`, 'create');
        await log.sync();
        await log.close();
        readyAt[n] = sim.changeCount;
      };
      await write(vfs, n, { chunks: [contents(n, 2000)], keep: 1, beforePublish });
      doneAt[n] = sim.changeCount;
    }
  });
  const newest = (moments: number[], at: number) =>
    moments.reduce((best, moment, n) => (moment <= at ? n : best), 0);
  for (const { at, image } of sim.crashImages({ samples: 3 })) {
    const after = SimVfs.fromImage(image, { seed: 7, record: false });
    try {
      const found = await after.run(() => loadedNumber(after, 2000));
      if (found < newest(doneAt, at)) return `${image.label}: image ${found} after a later one`;
      if (found > newest(readyAt, at)) return `${image.label}: image ${found} before its log`;
    } catch (error) {
      return `${image.label}: ${error}`;
    }
  }
  return undefined;
}

describe('the crash oracle', () => {
  it('finds nothing in the writer as it is', async () => {
    expect(await search(() => ({}))).toBeUndefined();
  });

  it.each<[string, Instead]>([
    ['the image is never synced', () => ({ file: () => ({ syncSync: () => undefined }) })],
    [
      'the last sync of the image is left out',
      () => ({
        file: (file) => ({
          syncSync: (options) => (options?.dataOnly ? file.syncSync(options) : undefined),
        }),
      }),
    ],
    ['the directory is never synced', () => ({ syncDir: async () => undefined })],
    [
      'the newest image is unlinked before the new one takes its name',
      (sim) => ({
        async rename(from, to) {
          if (to === NEWEST && (await sim.stat(BAK)) === undefined) return sim.rename(from, to);
          if (from === NEWEST) return sim.unlink(from);
          return sim.rename(from, to);
        },
      }),
    ],
    [
      'the .bak is vacated before the newest image is there to take it, and the newest is lost',
      (sim) => ({
        async rename(from, to) {
          if (from === NEWEST || from === BAK) await sim.unlink(from);
          else await sim.rename(from, to);
        },
      }),
    ],
    [
      'the image gets its name before the log is told',
      (sim) => ({
        openSync(path, mode) {
          const file = sim.openSync(path, mode);
          return patched(file, {
            closeSync() {
              file.closeSync();
              if (mode === 'create') sim.renameSync(path, NEWEST);
            },
          });
        },
        async rename(from, to) {
          if (!from.endsWith('.tmp')) await sim.rename(from, to);
        },
      }),
    ],
  ])('finds that %s', async (_bug, instead) => {
    expect(await search(instead)).toMatch(/image|expected|corrupt|valid/i);
  });
});

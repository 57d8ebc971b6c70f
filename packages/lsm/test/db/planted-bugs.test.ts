/**
 * Bugs planted below the tree, so that it writes as if its authors had forgotten something: the sweep over crash
 * images has to find each of them.
 */
import type { Executor, Vfs, VfsFile } from '@nendb/vfs';
import type { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { sweepCrashes } from './crash-life.js';

/** A machine on which something is left out. */
interface Bug {
  /** Whether the sync of the file at `path` is forgotten. */
  file?: (path: string) => boolean;
  /** Whether syncs of directories are. */
  directories?: boolean;
}

const nothing = async (): Promise<void> => {};

function forgetful(sim: SimVfs, { file: forgets = () => false, directories = false }: Bug): Vfs {
  const seen = (file: VfsFile): VfsFile =>
    forgets(file.path) ? overlay(file, { sync: nothing, syncSync: () => undefined }) : file;
  const vfs: Vfs = overlay<Vfs>(sim, {
    open: async (path, mode) => seen(await sim.open(path, mode)),
    openSync: (path, mode) => seen(sim.openSync(path, mode)),
    ...(directories && { syncDir: nothing, syncDirSync: () => undefined }),
    executor: inPlace(() => vfs),
  });
  return vfs;
}

/** Tasks that see the same machine as their owner. */
function inPlace(vfs: () => Vfs): Executor {
  return {
    async start(module, init) {
      const source = module.href.replace(/\.js$/, '.ts');
      const { default: factory } = (await import(/* @vite-ignore */ source)) as {
        default: (init: unknown, vfs: Vfs) => Record<string, (input: unknown) => unknown>;
      };
      const methods = factory(init, vfs());
      return {
        call: async (method, input) => methods[method](input),
        close: nothing,
      };
    },
  };
}

/** `base` with some members replaced; private fields of `base` stay its own. */
function overlay<T extends object>(base: T, changed: Partial<T>): T {
  return new Proxy(base, {
    get(target, name) {
      if (name in changed) return changed[name as keyof T];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const BUGS: [string, Bug, RegExp][] = [
  ['nothing', {}, /^found nothing$/],
  ['syncs of directories', { directories: true }, /it is missing/],
  ['syncs of tables', { file: (path) => path.endsWith('.table') }, /damaged|head/],
  ['syncs of value files', { file: (path) => path.endsWith('.values') }, /damaged|head/],
  ['syncs of the manifest', { file: (path) => path.endsWith('MANIFEST') }, /to be flushed/],
  ['the sync before a rename', { file: (path) => path.endsWith('.tmp') }, /damaged|MANIFEST/],
];

describe('a tree that forgets', () => {
  it.each(BUGS)('%s is caught', async (_what, bug, expected) => {
    const sweep = sweepCrashes(1, {
      options: { valueLog: { thresholdBytes: 60, fileBytes: 400 } },
      imagesMax: 250,
      seenAs: (sim) => forgetful(sim, bug),
    });
    const found = await sweep.then(
      () => 'found nothing',
      (error: Error) => error.message,
    );
    expect(found).toMatch(expected);
  });
});

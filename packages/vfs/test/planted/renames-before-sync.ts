/** Planted bug: a file gets its final name first and is synced afterwards. */
import type { Vfs } from '@nendb/vfs';
import { delegateFile, delegateVfs } from './delegating.js';

export function renamesBeforeSync(vfs: Vfs): Vfs {
  const unsynced = new Set<string>();
  return delegateVfs(vfs, {
    open: async (path, mode) => {
      const file = await vfs.open(path, mode);
      if (!path.endsWith('.tmp')) return file;
      return delegateFile(file, {
        sync: async () => {
          unsynced.add(path);
        },
      });
    },
    rename: async (from, to) => {
      await vfs.rename(from, to);
      if (!unsynced.delete(from)) return;
      const file = await vfs.open(to, 'write');
      await file.sync();
      await file.close();
    },
  });
}

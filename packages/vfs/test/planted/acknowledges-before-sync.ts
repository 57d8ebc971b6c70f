/** Planted bug: a sync is started, and reported as done before it is. */
import type { Vfs } from '@nendb/vfs';
import { delegateFile, delegateVfs } from './delegating.js';

export function acknowledgesBeforeSync(vfs: Vfs): Vfs {
  return delegateVfs(vfs, {
    open: async (path, mode) => {
      const file = await vfs.open(path, mode);
      return delegateFile(file, {
        sync: async (options) => {
          void file.sync(options);
        },
      });
    },
  });
}

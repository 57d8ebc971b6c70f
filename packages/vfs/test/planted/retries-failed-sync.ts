/** Planted bug: a failed sync is tried again; the kernel has nothing left to write and says yes. */
import type { Vfs } from '@nendb/vfs';
import { delegateFile, delegateVfs } from './delegating.js';

export function retriesFailedSync(vfs: Vfs): Vfs {
  return delegateVfs(vfs, {
    open: async (path, mode) => {
      const file = await vfs.open(path, mode);
      return delegateFile(file, {
        sync: (options) => file.sync(options).catch(() => file.sync(options)),
      });
    },
  });
}

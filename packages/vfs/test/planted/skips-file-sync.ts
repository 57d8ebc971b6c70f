/** Planted bug: a sync of a file says that it is done, and does nothing. */
import type { Vfs } from '@nendb/vfs';
import { delegateFile, delegateVfs } from './delegating.js';

export function skipsFileSync(vfs: Vfs): Vfs {
  return delegateVfs(vfs, {
    open: async (path, mode) =>
      delegateFile(await vfs.open(path, mode), { sync: async () => undefined }),
  });
}

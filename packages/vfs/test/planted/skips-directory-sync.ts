/** Planted bug: a sync of a directory says that it is done, and does nothing. */
import type { Vfs } from '@nendb/vfs';
import { delegateVfs } from './delegating.js';

export function skipsDirectorySync(vfs: Vfs): Vfs {
  return delegateVfs(vfs, { syncDir: async () => undefined });
}

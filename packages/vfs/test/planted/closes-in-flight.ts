/** Planted bug: a file is closed, by the synchronous half, while a read ahead is under way. */
import type { Vfs } from '@nendb/vfs';
import { delegateFile, delegateVfs } from './delegating.js';

export function closesInFlight(vfs: Vfs): Vfs {
  return delegateVfs(vfs, {
    open: async (path, mode) => {
      const file = await vfs.open(path, mode);
      return delegateFile(file, {
        close: async () => {
          void file.readAt(new Uint8Array(16), 0);
          file.closeSync();
        },
      });
    },
  });
}

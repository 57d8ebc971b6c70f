/** Planted bug: a write is taken for done when it was only started, so that the sync overtakes it. */
import type { Vfs } from '@nendb/vfs';
import { delegateFile, delegateVfs } from './delegating.js';

export function syncsBeforeWriteFinished(vfs: Vfs): Vfs {
  return delegateVfs(vfs, {
    open: async (path, mode) => {
      const file = await vfs.open(path, mode);
      return delegateFile(file, {
        writeAt: async (source, position) => {
          void file.writeAt(source, position);
          return source.length;
        },
      });
    },
  });
}

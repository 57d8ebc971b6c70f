/** Planted bug: a write that finds the disk full is logged, as it were, and taken for done. */
import { errorCode, type Vfs } from '@nendb/vfs';
import { delegateFile, delegateVfs } from './delegating.js';

export function swallowsFullDisk(vfs: Vfs): Vfs {
  return delegateVfs(vfs, {
    open: async (path, mode) => {
      const file = await vfs.open(path, mode);
      return delegateFile(file, {
        writeAt: (source, position) =>
          file.writeAt(source, position).catch((error: unknown) => {
            if (errorCode(error) !== 'ENOSPC') throw error;
            return source.length;
          }),
      });
    },
  });
}

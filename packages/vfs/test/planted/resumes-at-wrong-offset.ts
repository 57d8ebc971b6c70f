/** Planted bug: what a short write left over is written to where the write began. */
import type { Vfs } from '@nendb/vfs';
import { delegateFile, delegateVfs } from './delegating.js';

export function resumesAtWrongOffset(vfs: Vfs): Vfs {
  return delegateVfs(vfs, {
    open: async (path, mode) => {
      const file = await vfs.open(path, mode);
      return delegateFile(file, {
        writeAt: async (source, position) => {
          let done = 0;
          while (done < source.length) done += await file.writeAt(source.subarray(done), position);
          return done;
        },
      });
    },
  });
}

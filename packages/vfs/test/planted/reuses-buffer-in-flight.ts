/** Planted bug: one scratch buffer for all writes, given back while the write still holds it. */
import type { Vfs } from '@nendb/vfs';
import { delegateFile, delegateVfs } from './delegating.js';

export function reusesBufferInFlight(vfs: Vfs): Vfs {
  const scratch = new Uint8Array(64 * 1024);
  return delegateVfs(vfs, {
    open: async (path, mode) => {
      const file = await vfs.open(path, mode);
      return delegateFile(file, {
        writeAt: (source, position) => {
          scratch.set(source);
          const written = file.writeAt(scratch.subarray(0, source.length), position);
          scratch.fill(0, 0, source.length);
          return written;
        },
      });
    },
  });
}

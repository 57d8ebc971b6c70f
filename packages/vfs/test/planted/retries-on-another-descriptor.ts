/**
 * Planted bug: a failed sync is tried again on a descriptor of its own, which was opened after the
 * error had been told and never learns of it.
 */
import type { Vfs } from '@nendb/vfs';
import { delegateFile, delegateVfs } from './delegating.js';

export function retriesOnAnotherDescriptor(vfs: Vfs): Vfs {
  return delegateVfs(vfs, {
    open: async (path, mode) => {
      const file = await vfs.open(path, mode);
      return delegateFile(file, {
        sync: async (options) => {
          try {
            await file.sync(options);
          } catch {
            const again = await vfs.open(path, 'write');
            await again.sync(options);
            await again.close();
          }
        },
      });
    },
  });
}

/** The task that the suite runs on the executor under test. */
import { vfsError } from '../errors.js';
import { writeFullySync } from '../transfer.js';
import type { TaskMethods, Vfs } from '../vfs.js';

export default function conformanceTask(init: { start: number }, vfs: Vfs): TaskMethods {
  const seen: number[] = [];
  return {
    add: ({ by }: { by: number }) => {
      seen.push(by);
      return init.start + by;
    },
    seen: () => seen,
    sum: async ({ bytes }: { bytes: ArrayBuffer }) =>
      new Uint8Array(bytes).reduce((sum, byte) => sum + byte, 0),
    fail: ({ path }: { path: string }) => {
      throw vfsError('EIO', 'write', path, 'expected to fail, and did');
    },
    make: ({ path }: { path: string }) => {
      const file = vfs.openSync(path, 'create');
      writeFullySync(file, Buffer.from('made by a task'), 0);
      file.syncSync();
      file.closeSync();
    },
  };
}

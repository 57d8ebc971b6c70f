/** A file of the log, open for as long as somebody looks at it. */
import type { Vfs, VfsFile } from '@nendb/vfs';
import { corrupt, errnoOf } from './errors.js';

/** Opens the file at `path` for `use`. A directory in its place is `WAL_CORRUPT`. */
export async function withFile<T>(
  vfs: Vfs,
  path: string,
  use: (file: VfsFile) => Promise<T>,
): Promise<T> {
  try {
    const file = await vfs.open(path, 'read');
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    // Some systems tell when it is opened, others when it is read.
    if (errnoOf(error) !== 'EISDIR') throw error;
    throw corrupt(path, 0, 'it is a directory, expected a file');
  }
}

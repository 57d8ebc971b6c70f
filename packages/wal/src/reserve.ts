/**
 * `RESERVE`: disk blocks kept for the moment when there are none.
 *
 * A log that is open can be cut on a full disk, for that takes no space. Opening one takes a line in
 * the lock file and a new segment (R14): where the disk has no room for them the reserve is given
 * back, so that a log whose disk was full can be opened, and cut. It is filled again when there is room.
 *
 * The file is no part of the log: zeros, a few times what is reserved at a time.
 */
import { type Vfs, writeFully } from '@nendb/vfs';
import { errnoOf, isNoSpace } from './errors.js';
import { RESERVE_NAME } from './format.js';

/** Runs `work`; where the disk is full, gives back the reserve and runs it once more. */
export async function withReserve<T>(vfs: Vfs, dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isNoSpace(error)) throw error;
    const path = `${dir}/${RESERVE_NAME}`;
    if (!(await vfs.stat(path))) throw error;
    await vfs.unlink(path);
    await vfs.syncDir(dir);
    return await work();
  }
}

/** Makes the reserve `bytes` long, unless it is; without room for it there is none. */
export async function keepReserve(vfs: Vfs, dir: string, bytes: number): Promise<void> {
  if (bytes === 0) return;
  const path = `${dir}/${RESERVE_NAME}`;
  const found = await vfs.stat(path);
  if (found?.size === bytes) return;
  try {
    if (found) await vfs.unlink(path);
    const file = await vfs.open(path, 'create');
    try {
      await writeFully(file, new Uint8Array(bytes), 0);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!isNoSpace(error)) throw error;
    await vfs.unlink(path).catch((failure: unknown) => {
      if (errnoOf(failure) !== 'ENOENT') throw failure;
    });
  }
}

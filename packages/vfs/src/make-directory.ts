/**
 * Makes a directory, and its missing parents, so that a power cut does not take them away again.
 *
 * Invariant: a directory is made only when every name above it is durable. A directory that is there
 * therefore vouches for all names but its own: that one is synced even if it was there already, since
 * what a process sees after a kill may be in the cache only.
 */
import { errorCode, vfsError } from './errors.js';
import { dirname } from './path.js';
import type { Vfs } from './vfs.js';

/** Rejects with the errno error of the step that failed; `EEXIST` where a file is in the way. */
export async function makeDirectory(vfs: Vfs, dir: string): Promise<void> {
  const missing: string[] = [];
  let found = dir;
  let stat = await vfs.stat(found);
  while (stat === undefined && dirname(found) !== found) {
    missing.unshift(found);
    found = dirname(found);
    stat = await vfs.stat(found);
  }
  if (stat?.kind === 'file') {
    throw vfsError('EEXIST', 'mkdir', found, 'expected a directory or nothing, got a file');
  }
  await syncName(vfs, found);
  for (const made of missing) {
    await vfs.mkdir(made);
    await vfs.syncDir(dirname(made));
  }
}

/** A parent that we may not read is not ours: who made the directory answers for its name. */
async function syncName(vfs: Vfs, dir: string): Promise<void> {
  try {
    await vfs.syncDir(dirname(dir));
  } catch (error) {
    if (errorCode(error) !== 'EACCES') throw error;
  }
}

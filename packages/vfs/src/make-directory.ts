/**
 * Makes a directory, and its missing parents, so that a power cut does not take them away again.
 *
 * The name of `dir` is synced even if it was there already: what a process sees after a kill may be
 * in the cache only.
 */
import { dirname } from './path.js';
import type { Vfs } from './vfs.js';

/** Rejects with the errno error of the step that failed. */
export async function makeDirectory(vfs: Vfs, dir: string): Promise<void> {
  const parents = [dirname(dir)];
  while (!(await vfs.stat(parents[0])) && dirname(parents[0]) !== parents[0]) {
    parents.unshift(dirname(parents[0]));
  }
  await vfs.mkdir(dir);
  for (const parent of parents) await vfs.syncDir(parent);
}

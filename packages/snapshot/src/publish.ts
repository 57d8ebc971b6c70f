/**
 * Which file holds which role, and how a complete image takes the first one.
 *
 *     temp --fsync--> [ newest -> .bak ] -> temp -> newest -> fsync of the directory
 *                     only if valid
 *
 * Invariants
 *  1. After any crash at least one of the two names holds a valid image, once one was published:
 *     each rename is atomic, and a name that is vacated has been given to `.bak` in the same step.
 *  2. A damaged newest image never replaces a `.bak`: it is renamed over.
 *  3. Only complete, synced images are ever renamed to either name.
 */
import { joinPath, type Vfs } from '@nendb/vfs';
import { BAK_FILE, NEWEST_FILE, TEMPORARY_FILE } from './format.js';

/** Gives the image `temporary` the newest role, durably. */
export async function publish(
  vfs: Vfs,
  dir: string,
  temporary: string,
  newestIsValid: boolean,
): Promise<void> {
  const newest = joinPath(dir, NEWEST_FILE);
  if (newestIsValid) await vfs.rename(newest, joinPath(dir, BAK_FILE));
  await vfs.rename(joinPath(dir, temporary), newest);
  await vfs.syncDir(dir);
}

/** Unlinks what crashed writers left behind. */
export async function removeTemporaries(vfs: Vfs, dir: string): Promise<void> {
  for (const name of await vfs.readdir(dir)) {
    if (TEMPORARY_FILE.test(name)) await vfs.unlink(joinPath(dir, name));
  }
}

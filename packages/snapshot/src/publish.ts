/**
 * Which file holds which role, and how a complete image takes the first one.
 *
 *     temp --fsync--> [ .bak -> kept ] -> [ newest -> .bak ] -> temp -> newest -> fsync of the directory
 *                     if both valid       if valid              -> unlink kept ones beyond their number
 *                     and asked for
 *
 * Invariants
 *  1. After any crash at least one of the names that `load` looks at holds a valid image, once one was
 *     published: each rename is atomic, and a name that is vacated has been given to the next older
 *     role in the same step.
 *  2. A damaged newest image never replaces a `.bak`: it is renamed over. A damaged `.bak` is never
 *     kept.
 *  3. Only complete, synced images are ever renamed to either name.
 *  4. A kept image is unlinked only when the new image is durable under its name and a valid `.bak`
 *     stands beside it: neither role ever rests on an image that retention removes.
 */
import { joinPath, type Vfs } from '@nendb/vfs';
import { BAK_FILE, keptFile, NEWEST_FILE, TEMPORARY_FILE } from './format.js';
import { keptPlaces } from './places.js';
import type { SnapshotHeader } from './types.js';

/** What is known of the images that are there. */
export interface Standing {
  newestIsValid: boolean;
  /** Of the image that is `.bak`, where it is valid. */
  bak: SnapshotHeader | undefined;
}

/**
 * Gives the image `temporary` the newest role, durably. `keep` is how many images older than `.bak`
 * are to stay; `undefined` neither adds to them nor takes away.
 */
export async function publish(
  vfs: Vfs,
  dir: string,
  temporary: string,
  { newestIsValid, bak }: Standing,
  keep: number | undefined,
): Promise<void> {
  const newest = joinPath(dir, NEWEST_FILE);
  if (newestIsValid) {
    if (keep !== undefined && keep > 0 && bak !== undefined) {
      await vfs.rename(joinPath(dir, BAK_FILE), joinPath(dir, keptFile(bak)));
    }
    await vfs.rename(newest, joinPath(dir, BAK_FILE));
  }
  await vfs.rename(joinPath(dir, temporary), newest);
  await vfs.syncDir(dir);
  if (keep !== undefined && (newestIsValid || bak !== undefined)) {
    for (const { file } of (await keptPlaces(vfs, dir)).slice(keep)) {
      await vfs.unlink(joinPath(dir, file));
    }
  }
}

/** Unlinks what crashed writers left behind. */
export async function removeTemporaries(vfs: Vfs, dir: string): Promise<void> {
  for (const name of await vfs.readdir(dir)) {
    if (TEMPORARY_FILE.test(name)) await vfs.unlink(joinPath(dir, name));
  }
}

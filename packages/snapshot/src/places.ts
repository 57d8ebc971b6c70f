/** Where images are: two fixed names, and one for each older image that is kept. */
import { errorCode, type Vfs } from '@nendb/vfs';
import { BAK_FILE, KEPT_FILE, NEWEST_FILE } from './format.js';
import type { SnapshotRole } from './types.js';

/** A file and the role that its name gives it. */
export interface ImagePlace {
  file: string;
  role: SnapshotRole;
}

export const NEWEST: ImagePlace = { file: NEWEST_FILE, role: 'newest' };
export const BAK: ImagePlace = { file: BAK_FILE, role: 'bak' };

/**
 * The images older than the `.bak`, the newest first by the epoch and LSN in their names. None where
 * the directory is missing.
 */
export async function keptPlaces(vfs: Vfs, dir: string): Promise<ImagePlace[]> {
  let names: string[];
  try {
    names = await vfs.readdir(dir);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
  const found: { epoch: number; lsn: number; file: string }[] = [];
  for (const file of names) {
    const match = KEPT_FILE.exec(file);
    if (match === null) continue;
    const [epoch, lsn] = [Number(match[1]), Number(match[2])];
    if (Number.isSafeInteger(epoch) && Number.isSafeInteger(lsn)) found.push({ epoch, lsn, file });
  }
  found.sort((a, b) => b.epoch - a.epoch || b.lsn - a.lsn);
  return found.map(({ file }) => ({ file, role: 'kept' }));
}

/** What the machine that runs the tests has. */
import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';

/** A directory in memory where there is one. */
export const shmDirectory = ['/dev/shm', tmpdir()].find(isWritable) ?? tmpdir();

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** What the machine that runs the tests has. */
import { accessSync, constants } from 'node:fs';

/** A directory in memory; `undefined` where there is none. */
export const shmDirectory = ['/dev/shm'].find((path) => {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
});

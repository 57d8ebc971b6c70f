/**
 * flock(2) through the `flock` program of util-linux or busybox, which inherits our descriptor.
 *
 * A flock belongs to the open file description, which the child shares: the lock outlives the child
 * and goes with our descriptor, however we die. Node opens files with O_CLOEXEC, so no other child
 * can keep the description alive.
 */
import { spawnSync } from 'node:child_process';

export type FlockOutcome = 'taken' | 'busy' | 'unavailable';

/** The descriptor's number in the child. */
const CHILD_DESCRIPTOR = 3;

/** `flock` exits with this where the lock is held elsewhere. */
const EXIT_BUSY = 1;

/**
 * Tries for the lock on `descriptor`, for `waitMs` at most; blocks the thread meanwhile (about 2 ms
 * where there is no waiting). `program` is looked up on the PATH. busybox knows no waiting and says
 * `busy`.
 */
export function flock(
  program: string,
  descriptor: number,
  kind: 'exclusive' | 'shared',
  waitMs = 0,
): FlockOutcome {
  const patience = waitMs === 0 ? ['-n'] : ['-w', String(waitMs / 1000)];
  const child = spawnSync(
    program,
    [...patience, kind === 'exclusive' ? '-x' : '-s', String(CHILD_DESCRIPTOR)],
    { stdio: ['ignore', 'ignore', 'ignore', descriptor] },
  );
  if (child.status === 0) return 'taken';
  if (child.status === EXIT_BUSY) return 'busy';
  return 'unavailable';
}

/**
 * Lets go of the lock on `descriptor` (about 2 ms). Closing it is not enough at once: a child that another thread has
 * forked and that has not yet executed its program holds a copy for a moment.
 */
export function unflock(program: string, descriptor: number): void {
  spawnSync(program, ['-u', String(CHILD_DESCRIPTOR)], {
    stdio: ['ignore', 'ignore', 'ignore', descriptor],
  });
}

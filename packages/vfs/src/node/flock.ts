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

/** `flock -n` exits with this where the lock is held elsewhere. */
const EXIT_BUSY = 1;

/** Tries once for the lock on `descriptor`; `program` is looked up on the PATH. Takes about 2 ms. */
export function flock(
  program: string,
  descriptor: number,
  kind: 'exclusive' | 'shared',
): FlockOutcome {
  const child = spawnSync(
    program,
    ['-n', kind === 'exclusive' ? '-x' : '-s', String(CHILD_DESCRIPTOR)],
    { stdio: ['ignore', 'ignore', 'ignore', descriptor] },
  );
  if (child.status === 0) return 'taken';
  if (child.status === EXIT_BUSY) return 'busy';
  return 'unavailable';
}

/** Errors of the environment: errno errors as `node:fs` makes them, and the refused lock. */
import type { LockOwner } from './vfs.js';

/** What went wrong with a file: `code` is the errno name, as in `node:fs`. */
export interface VfsError extends Error {
  code: string;
  syscall: string;
  path: string;
}

/** An error that reads `EBADF: expected an open file, got a closed one, read '/data/log'`. */
export function vfsError(code: string, syscall: string, path: string, why: string): VfsError {
  return Object.assign(new Error(`${code}: ${why}, ${syscall} '${path}'`), {
    code,
    syscall,
    path,
  });
}

/** The errno name of `error`, or `undefined` where it has none. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Another owner holds the lock. `code` is `VFS_LOCKED`. */
export class VfsLockedError extends Error {
  override readonly name = 'VfsLockedError';
  readonly code = 'VFS_LOCKED';
  constructor(
    readonly path: string,
    /** Who holds it; `undefined` where the lock file does not say (yet). */
    readonly owner: LockOwner | undefined,
  ) {
    super(
      `expected ${path} to be free, but ${describeOwner(owner)} holds it: stop that process, or use another directory`,
    );
  }
}

function describeOwner(owner: LockOwner | undefined): string {
  if (owner === undefined) return 'another process (which has not said who it is)';
  const where = owner.address === undefined ? '' : `, serving ${owner.address}`;
  return `process ${owner.pid} on ${owner.host}${where}`;
}

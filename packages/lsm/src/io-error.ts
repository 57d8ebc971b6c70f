/** Errors of the disk, and errors that crossed threads, as `LsmError`. */
import { errorCode } from '@nendb/vfs';
import { LsmError, type LsmErrorCode } from './errors.js';

/**
 * `error` as an `LsmError` where it says what happened to the disk: `LSM_FULL`, `LSM_IO`, or its own code where it
 * is one that lost its class on the way between threads. `what` was given up, `then` says what that means.
 */
export function ioError(error: unknown, what: string, then: string): unknown {
  if (!(error instanceof Error) || error instanceof LsmError) return error;
  const code = errorCode(error);
  if (code === undefined) return error;
  const { message } = error;
  if (code.startsWith('LSM_')) {
    const { file, offset } = error as { file?: string; offset?: number };
    const place = { ...(file !== undefined && { file }), ...(offset !== undefined && { offset }) };
    return new LsmError(code as LsmErrorCode, message, { ...place, cause: error });
  }
  if (!/^E[A-Z0-9]+$/.test(code)) return error;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new LsmError(
    full ? 'LSM_FULL' : 'LSM_IO',
    `${what} failed (${message}): ${then}; ${full ? 'make room' : 'check the disk'}`,
    { cause: error },
  );
}

/** What a read threw. */
export function readError(error: unknown): unknown {
  return ioError(error, 'a read', 'the tree goes on, read again');
}

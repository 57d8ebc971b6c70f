/** The errors of Level: stable `LEVEL_*` codes, with what the tree said as `cause`. */
import { LsmError, type LsmErrorCode } from '../errors.js';

/** What went wrong, in the terms of Level. `cause` is the tree's `LsmError`, where there is one. */
export class LevelError extends Error {
  override readonly name = 'LevelError';

  constructor(
    readonly code: string,
    message: string,
    options?: { cause: unknown },
  ) {
    super(message, options);
  }
}

/** A read whose signal was aborted. Named as the platform names it. */
export class LevelAbortError extends Error {
  override readonly name = 'AbortError';
  readonly code = 'LEVEL_ABORTED';

  constructor(cause: unknown) {
    super('expected to read to the end, got an abort of the signal: iterate again', { cause });
  }
}

/** As `classic-level` names them; those that it does not know are named in the same manner. */
const CODES: Readonly<Partial<Record<LsmErrorCode, string>>> = {
  LSM_CORRUPT: 'LEVEL_CORRUPTION',
  LSM_LOCKED: 'LEVEL_LOCKED',
  LSM_WRONG_KEY: 'LEVEL_WRONG_KEY',
  LSM_CLOSED: 'LEVEL_DATABASE_NOT_OPEN',
  LSM_IO: 'LEVEL_IO_ERROR',
  LSM_FULL: 'LEVEL_IO_ERROR',
  LSM_POISONED: 'LEVEL_IO_ERROR',
  LSM_TOO_LARGE: 'LEVEL_TOO_LARGE',
  LSM_BAD_OPTION: 'LEVEL_INVALID_ARGUMENT',
  LSM_MISSING: 'LEVEL_INVALID_ARGUMENT',
  LSM_TOO_NEW: 'LEVEL_NOT_SUPPORTED',
  LSM_FOREIGN: 'LEVEL_INVALID_ARGUMENT',
  LSM_WRONG_LOG: 'LEVEL_INVALID_ARGUMENT',
};

/** `error` as Level names it; what is not the tree's stays as it is. */
export function levelError(error: unknown): unknown {
  if (!(error instanceof LsmError)) return error;
  return new LevelError(CODES[error.code] ?? error.code, error.message, { cause: error });
}

/** For the rejections of promises. */
export function rethrow(error: unknown): never {
  throw levelError(error);
}

import type { EngineErrorCode } from './types.js';

/** What the engine refuses or suffers. `code` is stable; the message says what to do. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  constructor(
    readonly code: EngineErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Codes of the packages below, of formats and of the file system, in the engine's terms. */
const TRANSLATIONS: Readonly<Record<string, EngineErrorCode>> = {
  VFS_LOCKED: 'ENGINE_LOCKED',
  EACCES: 'ENGINE_NOT_WRITABLE',
  EPERM: 'ENGINE_NOT_WRITABLE',
  EROFS: 'ENGINE_NOT_WRITABLE',
  ENOTDIR: 'ENGINE_NOT_WRITABLE',
  ENOSPC: 'ENGINE_NO_SPACE',
  FORMAT_BAD_MAGIC: 'ENGINE_CORRUPT',
  FORMAT_BAD_CHECKSUM: 'ENGINE_CORRUPT',
  FORMAT_TRUNCATED: 'ENGINE_CORRUPT',
  FORMAT_BAD_VALUE: 'ENGINE_CORRUPT',
  FORMAT_TOO_NEW: 'ENGINE_TOO_NEW',
  WAL_BEHIND: 'ENGINE_CORRUPT',
  WAL_CORRUPT: 'ENGINE_CORRUPT',
  WAL_MISSING_SEGMENT: 'ENGINE_CORRUPT',
  WAL_TRUNCATED_AWAY: 'ENGINE_CORRUPT',
  WAL_MISSING: 'ENGINE_MISSING_LOG',
  WAL_TOO_NEW: 'ENGINE_TOO_NEW',
  WAL_WRONG_DATABASE: 'ENGINE_WRONG_DATABASE',
  WAL_LOCKED: 'ENGINE_LOCKED',
  WAL_BAD_OPTION: 'ENGINE_BAD_OPTION',
  WAL_NOT_ENCRYPTED: 'ENGINE_BAD_OPTION',
  WAL_WRONG_KEY: 'ENGINE_BAD_OPTION',
  WAL_FULL: 'ENGINE_NO_SPACE',
  WAL_RECORD_TOO_LARGE: 'ENGINE_TOO_LARGE',
  WAL_POISONED: 'ENGINE_FAILED',
  WAL_OUTCOME_UNKNOWN: 'ENGINE_FAILED',
  WAL_CLOSED: 'ENGINE_CLOSED',
  SNAPSHOT_CORRUPT: 'ENGINE_CORRUPT',
  SNAPSHOT_ABORTED: 'ENGINE_CLOSED',
  SNAPSHOT_CHANGED: 'ENGINE_IO',
  SNAPSHOT_IO: 'ENGINE_IO',
  SNAPSHOT_TOO_NEW: 'ENGINE_TOO_NEW',
  SNAPSHOT_NO_KEY: 'ENGINE_BAD_OPTION',
  SNAPSHOT_NOT_ENCRYPTED: 'ENGINE_BAD_OPTION',
  SNAPSHOT_WRONG_KEY: 'ENGINE_BAD_OPTION',
  SNAPSHOT_WRONG_DATABASE: 'ENGINE_WRONG_DATABASE',
  SNAPSHOT_NO_SPACE: 'ENGINE_NO_SPACE',
  LSM_CORRUPT: 'ENGINE_CORRUPT',
  LSM_MISSING: 'ENGINE_CORRUPT',
  LSM_WRONG_LOG: 'ENGINE_CORRUPT',
  LSM_FOREIGN: 'ENGINE_WRONG_DATABASE',
  LSM_TOO_NEW: 'ENGINE_TOO_NEW',
  LSM_BAD_OPTION: 'ENGINE_BAD_OPTION',
  LSM_WRONG_KEY: 'ENGINE_BAD_OPTION',
  LSM_LOCKED: 'ENGINE_LOCKED',
  LSM_FULL: 'ENGINE_NO_SPACE',
  LSM_IO: 'ENGINE_IO',
  LSM_TOO_LARGE: 'ENGINE_TOO_LARGE',
  LSM_POISONED: 'ENGINE_FAILED',
  LSM_CLOSED: 'ENGINE_CLOSED',
  TXN_TOO_MANY: 'ENGINE_TOO_LARGE',
  PMEM_BAD_OPTION: 'ENGINE_BAD_OPTION',
  PMEM_BACKEND_UNAVAILABLE: 'ENGINE_BAD_OPTION',
  PMEM_CORRUPT: 'ENGINE_CORRUPT',
  PMEM_EXHAUSTED: 'ENGINE_OUT_OF_MEMORY',
  PMEM_IO: 'ENGINE_IO',
};

/** Names of system errors: EIO, EMFILE, ... */
const ERRNO = /^E[A-Z0-9]+$/;

/** The error in the engine's terms where it has one, else as it is. */
export function asEngineError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof EngineError) return error;
  const found = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const code = TRANSLATIONS[found] ?? (ERRNO.test(found) ? 'ENGINE_IO' : undefined);
  return code ? new EngineError(code, error.message, { cause: error }) : error;
}

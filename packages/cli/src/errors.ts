/**
 * How `nen` fails: exit codes, and one error type that knows its code, exit code and hint.
 *
 * Invariants
 *  1. Every error that leaves a command ends as a `CliError`: `toCliError` translates the typed
 *     errors of the packages below by their stable `code`, never by their text.
 *  2. `code` is stable and for programs, `message` says what was expected and what came, `hint` says
 *     what to do.
 *
 * Classes are not compared: an error is known by its `code`, so that no package has to be loaded
 * to find out that a command failed.
 */

import type { EngineErrorCode } from '@nendb/engine';
import type { SnapshotErrorCode } from '@nendb/snapshot';
import type { WalErrorCode } from '@nendb/wal';

/** What the process returns. Scripts may rely on the numbers. */
export const ExitCode = {
  ok: 0,
  failure: 1,
  usage: 2,
  unhealthy: 3,
  notFound: 4,
  locked: 5,
  corrupt: 6,
  unreachable: 7,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** An error for the person at the terminal. */
export class CliError extends Error {
  override readonly name = 'CliError';
  constructor(
    readonly exitCode: ExitCode,
    /** Stable, upper case. */
    readonly code: string,
    /** What was expected and what came. */
    message: string,
    /** What to do about it. */
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** A wrong flag, argument or environment variable. */
export function usageError(message: string, hint?: string): CliError {
  return new CliError(ExitCode.usage, 'USAGE', message, hint);
}

interface Translation {
  exitCode: ExitCode;
  hint?: string;
}

const LOCKED: Translation = {
  exitCode: ExitCode.locked,
  hint: 'stop that process, or let it do the work: leave the directory to it and use its address with --url',
};
const CORRUPT: Translation = {
  exitCode: ExitCode.corrupt,
  hint: 'nothing was changed; copy the directory away before anything else, then restore a backup or bring the named file back',
};
const TOO_NEW: Translation = {
  exitCode: ExitCode.failure,
  hint: 'the directory was written by a newer release: use that release',
};

/** Nothing is damaged, and no file is to be replaced. */
const WRONG_KEY: Translation = {
  exitCode: ExitCode.failure,
  hint: 'nothing is damaged and nothing was changed: give the key that these files were written with',
};
const NOT_ENCRYPTED: Translation = {
  exitCode: ExitCode.failure,
  hint: 'open it without a key; to encrypt what it holds, write it anew with one',
};

type KnownCode =
  | EngineErrorCode
  | SnapshotErrorCode
  | WalErrorCode
  | `FORMAT_${'BAD_CHECKSUM' | 'BAD_MAGIC' | 'BAD_VALUE' | 'TOO_NEW' | 'TRUNCATED'}`
  | 'VFS_LOCKED'
  | 'EACCES'
  | 'ENOENT';

/** Errors that mean more than a failure, by code. */
const TRANSLATIONS: Readonly<Partial<Record<KnownCode, Translation>>> = {
  VFS_LOCKED: LOCKED,
  WAL_LOCKED: LOCKED,
  ENGINE_LOCKED: LOCKED,
  WAL_BEHIND: CORRUPT,
  WAL_CORRUPT: CORRUPT,
  WAL_MISSING: CORRUPT,
  WAL_MISSING_SEGMENT: CORRUPT,
  WAL_TRUNCATED_AWAY: CORRUPT,
  WAL_WRONG_DATABASE: CORRUPT,
  SNAPSHOT_CORRUPT: CORRUPT,
  SNAPSHOT_WRONG_DATABASE: CORRUPT,
  ENGINE_CORRUPT: CORRUPT,
  ENGINE_MISSING_LOG: CORRUPT,
  ENGINE_WRONG_DATABASE: CORRUPT,
  FORMAT_BAD_CHECKSUM: CORRUPT,
  FORMAT_TRUNCATED: CORRUPT,
  FORMAT_BAD_VALUE: CORRUPT,
  FORMAT_BAD_MAGIC: CORRUPT,
  WAL_TOO_NEW: TOO_NEW,
  SNAPSHOT_TOO_NEW: TOO_NEW,
  ENGINE_TOO_NEW: TOO_NEW,
  FORMAT_TOO_NEW: TOO_NEW,
  WAL_WRONG_KEY: WRONG_KEY,
  SNAPSHOT_WRONG_KEY: WRONG_KEY,
  SNAPSHOT_NO_KEY: WRONG_KEY,
  WAL_NOT_ENCRYPTED: NOT_ENCRYPTED,
  SNAPSHOT_NOT_ENCRYPTED: NOT_ENCRYPTED,
  WAL_BUSY: {
    exitCode: ExitCode.failure,
    hint: 'the log is being cut back: try again in a moment',
  },
  WAL_LEASE_LOST: {
    exitCode: ExitCode.failure,
    hint: 'what it read fell too far behind and was removed: start again from a snapshot',
  },
  SNAPSHOT_CHANGED: { exitCode: ExitCode.failure, hint: 'a newer image took its place: try again' },
  WAL_READ_ONLY: CORRUPT,
  WAL_FULL: { exitCode: ExitCode.failure, hint: 'free disk space, then try again' },
  SNAPSHOT_NO_SPACE: { exitCode: ExitCode.failure, hint: 'free disk space, then try again' },
  ENGINE_NO_SPACE: { exitCode: ExitCode.failure, hint: 'free disk space, then try again' },
  ENGINE_OUT_OF_MEMORY: {
    exitCode: ExitCode.failure,
    hint: 'delete keys, or start with a larger --region-bytes',
  },
  ENGINE_NOT_WRITABLE: {
    exitCode: ExitCode.failure,
    hint: 'run as the user who owns the directory, or correct its permissions',
  },
  ENGINE_WRONG_STORE: {
    exitCode: ExitCode.failure,
    hint: 'leave the store to the directory: it is recorded in IDENTITY',
  },
  EACCES: {
    exitCode: ExitCode.failure,
    hint: 'run as the user who owns the directory, or correct its permissions',
  },
  ENOENT: { exitCode: ExitCode.notFound, hint: 'check the path' },
};

/** Turns whatever was thrown into what the terminal shows. */
export function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const translation = translationOf(code);
  if (code === undefined || translation === undefined) {
    return new CliError(ExitCode.failure, code ?? 'FAILURE', message);
  }
  return new CliError(translation.exitCode, code, message, translation.hint);
}

/** What an error of this code means to the terminal; `undefined` for a plain failure. */
export function translationOf(code: string | undefined): Translation | undefined {
  const entry = Object.entries(TRANSLATIONS).find(([known]) => known === code);
  return entry?.[1];
}

/** The stable code of an error, where it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Errors of the log: one class, stable codes, the place where bytes were wrong. */
import { basename } from '@nendb/vfs';
import * as format from './format.js';
import type { WalErrorCode, WalVerdict } from './types.js';

/** Where in the log an error is. */
export interface WalErrorPlace {
  /** Path of the file. */
  file?: string;
  /** Byte offset in it. */
  offset?: number;
}

/**
 * The log refused, or could not keep, something. `code` is stable; the message says what was
 * expected, what came and what to do. `file` and `offset` are set where bytes on disk are at fault.
 */
export class WalError extends Error {
  override readonly name = 'WalError';
  readonly file?: string;
  readonly offset?: number;

  constructor(
    readonly code: WalErrorCode,
    message: string,
    options: WalErrorPlace & { cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    if (options.file !== undefined) this.file = options.file;
    if (options.offset !== undefined) this.offset = options.offset;
  }

  /** What an error at open says about the log; `undefined` where it says nothing about its bytes. */
  get verdict(): WalVerdict | undefined {
    if (this.code === 'WAL_MISSING') return 'missing';
    if (this.code === 'WAL_CORRUPT' || this.code === 'WAL_MISSING_SEGMENT') return 'corrupt';
    return undefined;
  }
}

/** A `WAL_CORRUPT` error: `problem` is found at `offset` of `file`. */
export function corrupt(file: string, offset: number, problem: string): WalError {
  return new WalError(
    'WAL_CORRUPT',
    `${file} is damaged at offset ${offset}: ${problem}; nothing was changed: restore the file or salvage the log`,
    { file, offset },
  );
}

/** The errno code of an I/O error, or an empty string. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

/** Whether `error` says that the disk or a quota is full. */
export function isNoSpace(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOSPC' || errno === 'EDQUOT';
}

/** What a file of the log is for; nobody but the log knows most of these names. */
function purposeOf(name: string): string | undefined {
  if (name.startsWith(format.HEAD_NAME)) return 'says what the log must at least consist of';
  if (name === format.LOCK_NAME) return 'keeps a second writer out of the log';
  if (name === format.RESERVE_NAME) return 'holds disk space for opening the log on a full disk';
  if (name.startsWith(format.SALVAGE_NAME)) return 'is the plan of a salvage';
  if (name.endsWith('.cut')) return 'is what truncateAfter set aside';
  switch (format.parseSegmentName(name)?.suffix) {
    case 'wal':
      return 'is a segment of the log';
    case 'spare':
      return 'is a segment of the log, built ahead of its use';
    case 'tmp':
      return 'is the next segment of the log, which an opening or a salvage is building';
    case 'next':
      return 'is the next segment of the log, which truncateAfter is building';
    default:
      return undefined;
  }
}

/**
 * An I/O error about a file of the log, with a word on what that file is; anything else as it is.
 * `code`, `syscall` and `path` stay, the original is the cause.
 */
export function explained(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof WalError) return error;
  if (!('path' in error) || typeof error.path !== 'string' || errnoOf(error) === '') return error;
  const name = basename(error.path);
  const purpose = purposeOf(name);
  if (purpose === undefined || error.message.endsWith(purpose)) return error;
  const { code, path } = error as Error & { code: string; path: string };
  const syscall = 'syscall' in error ? error.syscall : undefined;
  const message = `${error.message}: ${name} ${purpose}`;
  return Object.assign(new Error(message, { cause: error }), { code, syscall, path });
}

/** What failed first: the log takes nothing more. */
export interface Failure {
  kind: 'write' | 'sync';
  error: Error;
}

/**
 * What a failure means for one record: `attempted` says whether its write had begun, and it may
 * therefore surface after a restart.
 */
export function failed(dir: string, failure: Failure | undefined, attempted: boolean): WalError {
  const what = `a ${failure?.kind ?? 'write'} of the log in ${dir} failed (${failure?.error.message ?? 'it was closed'})`;
  const cause = failure?.error;
  return attempted
    ? new WalError(
        'WAL_OUTCOME_UNKNOWN',
        `${what} before this record was durable: it may be there after a restart; open the log again to know`,
        { cause },
      )
    : new WalError(
        'WAL_POISONED',
        `${what}: nothing more is written; mend the disk and open the log again`,
        { cause },
      );
}

/** A `WAL_READ_ONLY` error: the log in `dir` is open up to `damage` only. */
export function readOnly(dir: string, damage: WalError): WalError {
  return new WalError(
    'WAL_READ_ONLY',
    `the log in ${dir} is damaged and open for reading only (${damage.message}): restore or salvage it, then open it again`,
    { file: damage.file, offset: damage.offset, cause: damage },
  );
}

/** A `WAL_RECORD_TOO_LARGE` error for `what`, of `came` bytes. */
export function tooLarge(what: string, max: number, came: number): WalError {
  return new WalError(
    'WAL_RECORD_TOO_LARGE',
    `expected a ${what} of at most ${max} bytes, got ${came}: split it, or raise recordBytesMax`,
  );
}

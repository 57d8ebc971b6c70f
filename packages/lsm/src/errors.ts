/** Errors of the tree: one class, stable codes, the place where bytes were wrong. */

/** Why the tree refused. Stable: programs may switch on it. */
export type LsmErrorCode =
  /** Bytes on disk are not what was written: `file` and `offset` say where. */
  | 'LSM_CORRUPT'
  /** Another process has the directory open. */
  | 'LSM_LOCKED'
  /** The file is intact, but was encrypted with another key, or with none. */
  | 'LSM_WRONG_KEY'
  /** A newer version, or a feature that this release does not know. */
  | 'LSM_TOO_NEW'
  /** The file belongs to another database. */
  | 'LSM_FOREIGN'
  /** An option or argument is not what it has to be. */
  | 'LSM_BAD_OPTION'
  /** A key, a value or a batch is longer than the tree takes. */
  | 'LSM_TOO_LARGE'
  /** The tree, a snapshot, a cursor or a transaction was closed. */
  | 'LSM_CLOSED'
  /** A write or sync of the log failed before: nothing more is written. */
  | 'LSM_POISONED'
  /** The disk has no room for what was to be written. */
  | 'LSM_FULL'
  /** The directory is open with, or was made for, another kind of log. */
  | 'LSM_WRONG_LOG'
  /** Reading or writing a file failed. */
  | 'LSM_IO'
  /** There is no tree in the directory, and there was to be one. */
  | 'LSM_MISSING'
  /** The transaction was committed or aborted. */
  | 'TXN_CLOSED';

/** Where an error is. */
export interface LsmErrorPlace {
  /** Path of the file. */
  file?: string;
  /** Byte offset in it. */
  offset?: number;
}

/**
 * The tree refused, or could not keep, something. `code` is stable; the message says what was
 * expected, what came and what to do. `file` and `offset` are set where bytes on disk are at fault.
 */
export class LsmError extends Error {
  override readonly name = 'LsmError';
  readonly file?: string;
  readonly offset?: number;

  constructor(
    readonly code: LsmErrorCode,
    message: string,
    options: LsmErrorPlace & { cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    if (options.file !== undefined) this.file = options.file;
    if (options.offset !== undefined) this.offset = options.offset;
  }
}

/** An `LSM_CORRUPT` error: `problem` is found at `offset` of `file`. */
export function corrupt(file: string, offset: number, problem: string, cause?: unknown): LsmError {
  return new LsmError(
    'LSM_CORRUPT',
    `${file} is damaged at offset ${offset}: ${problem}; nothing was changed: restore the file from a checkpoint or backup`,
    cause === undefined ? { file, offset } : { file, offset, cause },
  );
}

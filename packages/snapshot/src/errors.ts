/** The one error of this package. */
import type { SnapshotErrorCode } from './types.js';

/** Something refused or failed; `code` is stable, the message says what to do. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  constructor(
    readonly code: SnapshotErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

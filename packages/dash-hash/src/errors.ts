/** Errors of hash tables: one class, stable codes. Regions' own (`PmemError`) pass through. */

/**
 * - `DASH_BAD_OPTION`: an argument is out of its range.
 * - `DASH_TOO_LARGE`: a key, a value or an entry longer than this region's tables take.
 * - `DASH_CORRUPT`: the bytes are no tables, or damaged ones.
 * - `DASH_TOO_NEW`: a later version wrote them.
 * - `DASH_NO_TABLE`: an address that is no live table.
 * - `DASH_TOO_DEEP`: too many keys share the first bits of their hashes for the directory to part them.
 * - `DASH_IMAGE_ACTIVE`: one image at a time; the other was not released yet.
 * - `DASH_STARVED`: a reader met a moving bucket again and again: the writer died, or hangs.
 * - `DASH_CLOSED`: the space, or a reader, was closed.
 */
export type DashErrorCode =
  | 'DASH_BAD_OPTION'
  | 'DASH_TOO_LARGE'
  | 'DASH_CORRUPT'
  | 'DASH_TOO_NEW'
  | 'DASH_NO_TABLE'
  | 'DASH_TOO_DEEP'
  | 'DASH_IMAGE_ACTIVE'
  | 'DASH_STARVED'
  | 'DASH_CLOSED';

/** A table refused, or could not do, something. `code` is stable. */
export class DashError extends Error {
  override readonly name = 'DashError';

  constructor(
    readonly code: DashErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

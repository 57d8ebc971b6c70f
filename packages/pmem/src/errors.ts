/** Errors of regions: one class, stable codes. */

/**
 * - `PMEM_BAD_OPTION`: an argument is out of its range.
 * - `PMEM_BACKEND_UNAVAILABLE`: the backend cannot work here; the message says what is missing.
 * - `PMEM_EXHAUSTED`: no block of that size is left, or its disk is full; nothing was changed.
 * - `PMEM_BAD_ADDRESS`: an offset or a length that names no block, or not the one it should.
 * - `PMEM_CLOSED`: the region was closed.
 * - `PMEM_POISONED`: a write-back failed before; what is durable is unknown.
 * - `PMEM_IO`: a write-back failed now.
 * - `PMEM_MISSING`: the file is not there.
 * - `PMEM_CORRUPT`: the bytes are no region, or a damaged one.
 * - `PMEM_TOO_NEW`: a later version wrote it.
 * - `PMEM_UNTRUSTED`: the machine restarted while the region was in use, and its medium does not
 *   survive that.
 * - `PMEM_NOT_SHARED`: this region cannot be attached to by other threads.
 * - `PMEM_NO_IMAGER`: nothing that lives in the region can be imaged.
 * - `PMEM_EPOCH_SLOTS`: every reader slot is taken.
 * - `PMEM_EPOCH_MISUSE`: a guard left twice, kept over an `await`, or used after its end.
 * - `PMEM_SECRET_RELEASED`: a secret was used after it was wiped.
 * - `PMEM_SIM_BYPASS`: a store reached simulated memory past the window's methods.
 */
export type PmemErrorCode =
  | 'PMEM_BAD_OPTION'
  | 'PMEM_BACKEND_UNAVAILABLE'
  | 'PMEM_EXHAUSTED'
  | 'PMEM_BAD_ADDRESS'
  | 'PMEM_CLOSED'
  | 'PMEM_POISONED'
  | 'PMEM_IO'
  | 'PMEM_MISSING'
  | 'PMEM_CORRUPT'
  | 'PMEM_TOO_NEW'
  | 'PMEM_UNTRUSTED'
  | 'PMEM_NOT_SHARED'
  | 'PMEM_NO_IMAGER'
  | 'PMEM_EPOCH_SLOTS'
  | 'PMEM_EPOCH_MISUSE'
  | 'PMEM_SECRET_RELEASED'
  | 'PMEM_SIM_BYPASS';

/** A region refused, or could not do, something. `code` is stable. */
export class PmemError extends Error {
  override readonly name = 'PmemError';

  constructor(
    readonly code: PmemErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/**
 * Log sequence numbers: branded, so that an index, a count or an offset cannot pass for one.
 * An LSN is an integer from 1 to 2^53 - 1; 0 stands for "before the first record".
 */
declare const lsnBrand: unique symbol;

/** A position in the order of a log. */
export type Lsn = number & { readonly [lsnBrand]: true };

export const LSN_MAX = Number.MAX_SAFE_INTEGER;

/** The LSN before the first record of any log. */
export const LSN_ZERO = 0 as Lsn;

/** Checks and brands `value`. Throws `RangeError` unless it is an integer from 0 to 2^53 - 1. */
export function lsn(value: number): Lsn {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`expected an LSN (an integer from 0 to ${LSN_MAX}), got ${value}`);
  }
  return value as Lsn;
}

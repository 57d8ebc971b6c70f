/**
 * What callers of a transaction may pass. Checked before anything is staged: a number that no
 * effect can carry would otherwise become a record that no reader understands, found out only
 * after it has its LSN (R7).
 *
 * Hot: every write passes here. Plain comparisons, no object.
 */
import { EngineError } from './errors.js';
import { KEY_BYTES_MAX } from './limits.js';

/** Throws `RangeError` unless `from` to `to` lie within `bytes`. */
export function assertRun(bytes: Uint8Array, from: number, to: number): void {
  if (from >= 0 && from <= to && to <= bytes.length) {
    if (Number.isSafeInteger(from) && Number.isSafeInteger(to)) return;
  }
  throw new RangeError(`expected whole offsets within ${bytes.length} bytes, got ${from} to ${to}`);
}

/** A key or a field: a run of limited length. Throws `ENGINE_TOO_LARGE` too. */
export function assertName(bytes: Uint8Array, from: number, to: number): void {
  assertRun(bytes, from, to);
  if (to - from <= KEY_BYTES_MAX) return;
  throw new EngineError(
    'ENGINE_TOO_LARGE',
    `expected a key or field of at most ${KEY_BYTES_MAX} bytes, got ${to - from}: use a shorter name`,
  );
}

/** Throws `RangeError` unless `expireAtMs` is 0 or a time in ms since 1970. */
export function assertExpiry(expireAtMs: number): void {
  if (expireAtMs >= 0 && Number.isSafeInteger(expireAtMs)) return;
  throw new RangeError(
    `expected 0 or a whole number of ms since 1970 up to 2^53 - 1, got ${expireAtMs}: a time that is past is given as 1 or more`,
  );
}

/** Throws `RangeError` unless `length` bytes at `at` lie within a string of `newLength` bytes. */
export function assertPatch(at: number, length: number, newLength: number): void {
  if (at >= 0 && at + length <= newLength) {
    if (Number.isSafeInteger(at) && Number.isSafeInteger(newLength)) return;
  }
  throw new RangeError(`expected a patch within ${newLength} bytes, got ${length} at ${at}`);
}

/**
 * Keys as byte strings in bytewise order, and the bounds of ranges in it.
 *
 * A bound is an owned copy of at most `KEPT_KEY_BYTES_MAX` bytes; where the original was longer it lies
 * outside of it, so that a range of kept bounds holds at least what was meant. An upper bound of
 * `undefined` is the end of all keys.
 */
import { KEPT_KEY_BYTES_MAX } from './limits.js';

/** Below 0 where run a comes first, 0 where they are equal. */
export function compareRuns(
  a: Uint8Array,
  aFrom: number,
  aTo: number,
  b: Uint8Array,
  bFrom: number,
  bTo: number,
): number {
  const shorter = Math.min(aTo - aFrom, bTo - bFrom);
  for (let i = 0; i < shorter; i++) {
    const difference = a[aFrom + i] - b[bFrom + i];
    if (difference !== 0) return difference;
  }
  return aTo - aFrom - (bTo - bFrom);
}

export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  return compareRuns(a, 0, a.length, b, 0, b.length);
}

/** A copy of the first bytes, at most `bytesMax`. `Buffer.slice`, of all things, would not copy. */
export function copyOf(bytes: Uint8Array, bytesMax = bytes.length): Uint8Array {
  const length = Math.min(bytes.length, bytesMax);
  const copy = new Uint8Array(length);
  copy.set(length === bytes.length ? bytes : bytes.subarray(0, length));
  return copy;
}

/** Whether a key lies below an upper bound. */
export function isBelow(
  key: Uint8Array,
  from: number,
  to: number,
  lt: Uint8Array | undefined,
): boolean {
  return lt === undefined || compareRuns(key, from, to, lt, 0, lt.length) < 0;
}

/**
 * The smallest key above `key`: itself and a zero. `gt: k` is `gte: keyAfter(k)`, `lte: k` is
 * `lt: keyAfter(k)`.
 */
export function keyAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1);
  after.set(key);
  return after;
}

/** The smallest key above all that begin with `prefix`; `undefined` where there is none. */
export function endOfPrefix(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return undefined;
  const end = copyOf(prefix, length);
  end[length - 1]++;
  return end;
}

export function keptLowerBound(gte: Uint8Array): Uint8Array {
  return copyOf(gte, KEPT_KEY_BYTES_MAX);
}

export function keptUpperBound(lt: Uint8Array | undefined): Uint8Array | undefined {
  if (lt === undefined) return undefined;
  if (lt.length <= KEPT_KEY_BYTES_MAX) return copyOf(lt);
  return endOfPrefix(lt.subarray(0, KEPT_KEY_BYTES_MAX));
}

/** The upper bound of what a kept key stands for: itself, or all that begin with it. */
export function endOfKeptKey(kept: Uint8Array): Uint8Array | undefined {
  return kept.length < KEPT_KEY_BYTES_MAX ? keyAfter(kept) : endOfPrefix(kept);
}

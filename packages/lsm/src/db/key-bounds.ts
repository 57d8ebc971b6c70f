/** Bounds on keys: `[gte, lt)`, whatever way they were given. */
import { checkKey } from '../log/batch.js';
import { compareBytes, compareKeys } from '../order.js';
import type { KeyRangeOptions } from '../types.js';

/** `gte <= key < lt`; `undefined` for no bound. */
export interface KeyBounds {
  gte: Uint8Array | undefined;
  lt: Uint8Array | undefined;
}

/** The smallest key behind `key`. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1);
  after.set(key);
  return after;
}

/** The bounds that `range` means; where two are given on one side, both hold. Throws `LSM_BAD_OPTION`. */
export function boundsOf(range: KeyRangeOptions): KeyBounds {
  const { gte, gt, lt, lte } = range;
  for (const key of [gte, gt, lt, lte]) if (key !== undefined) checkKey(key);
  return {
    gte: later(gte && Uint8Array.from(gte), gt && keyAfter(gt)),
    lt: earlier(lt && Uint8Array.from(lt), lte && keyAfter(lte)),
  };
}

/** Whether no key can lie within. */
export function isEmptyRange({ gte, lt }: KeyBounds): boolean {
  return lt !== undefined && (lt.length === 0 || (gte !== undefined && compareKeys(gte, lt) >= 0));
}

/** Whether `key[from, to)` is at or behind `bound`. */
export function isAtOrBehind(
  bytes: Uint8Array,
  from: number,
  to: number,
  bound: Uint8Array,
): boolean {
  return compareBytes(bytes, from, to, bound, 0, bound.length) >= 0;
}

function later(a: Uint8Array | undefined, b: Uint8Array | undefined): Uint8Array | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareKeys(a, b) >= 0 ? a : b;
}

function earlier(a: Uint8Array | undefined, b: Uint8Array | undefined): Uint8Array | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareKeys(a, b) <= 0 ? a : b;
}

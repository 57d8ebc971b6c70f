/**
 * Where older data lies than what a job reads: what a tombstone may still have to hide.
 *
 * Invariant: tables' ranges are joined where they touch, so one binary search answers.
 */
import { compareBytes, compareKeys } from '../order.js';

export interface KeyRange {
  smallest: Uint8Array;
  largest: Uint8Array;
}

/** Ranges that cover the same keys, ascending and apart. */
export function joinRanges(ranges: readonly KeyRange[]): KeyRange[] {
  const joined: KeyRange[] = [];
  const ascending = [...ranges].sort((a, b) => compareKeys(a.smallest, b.smallest));
  for (const { smallest, largest } of ascending) {
    const last = joined.at(-1);
    if (last === undefined || compareKeys(last.largest, smallest) < 0) {
      joined.push({ smallest, largest });
    } else if (compareKeys(last.largest, largest) < 0) {
      last.largest = largest;
    }
  }
  return joined;
}

export class OlderKeys {
  readonly #ranges: readonly KeyRange[];

  /** `ranges`: what `joinRanges` returned. */
  constructor(ranges: readonly KeyRange[]) {
    this.#ranges = ranges;
  }

  mayHold(key: Uint8Array, from: number, to: number): boolean {
    const at = this.#firstEndingAt(key, from, to);
    if (at === this.#ranges.length) return false;
    const { smallest } = this.#ranges[at];
    return compareBytes(smallest, 0, smallest.length, key, from, to) <= 0;
  }

  /** Whether a key of `[gte, lt)` may be there. */
  mayHoldWithin(gte: Uint8Array, lt: Uint8Array): boolean {
    const at = this.#firstEndingAt(gte, 0, gte.length);
    return at < this.#ranges.length && compareKeys(this.#ranges[at].smallest, lt) < 0;
  }

  /** The index of the first range that ends at or behind `key`. */
  #firstEndingAt(key: Uint8Array, from: number, to: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { largest } = this.#ranges[middle];
      if (compareBytes(largest, 0, largest.length, key, from, to) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

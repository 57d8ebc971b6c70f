/**
 * What one open transaction has read: points, found by fingerprint, and ranges.
 *
 * Invariants
 *  1. What was read is covered: by a point, or by a range that may hold more (never less).
 *  2. The ranges of one set are sorted and do not touch: neighbours that would are one range.
 *  3. Past its limits a set becomes coarser: points turn into ranges between neighbours, neighbouring
 *     ranges into one. Where all sets together take too much, the set that grows becomes one range.
 *
 * Points keep up to `KEPT_KEY_BYTES_MAX` bytes of their key, to be found by range writes and to become
 * ranges; single writes find them by the fingerprint of the whole key.
 */
import { type KeyLog, NO_KEYS } from './key-log.js';
import {
  compareKeys,
  compareRuns,
  endOfKeptKey,
  isBelow,
  keptLowerBound,
  keptUpperBound,
} from './key-order.js';
import { KEPT_KEY_BYTES_MAX, POINT_BYTES, RANGE_BYTES } from './limits.js';
import { RangeNode } from './range-index.js';
import type { ReaderRegistry } from './reader-registry.js';

export class ReadSet<Owner extends object> {
  readonly #owner: Owner;
  readonly #registry: ReaderRegistry<Owner>;
  #points: KeyLog;
  /** The row in the point index of each point. */
  #rows: number[] = [];
  #ranges: RangeNode<Owner>[] = [];
  #bytes = 0;

  constructor(owner: Owner, registry: ReaderRegistry<Owner>) {
    this.#owner = owner;
    this.#registry = registry;
    this.#points = registry.logs.take();
  }

  get points(): number {
    return this.#points.count;
  }

  addPoint(key: Uint8Array, from: number, to: number): void {
    if (this.#ranges.length > 0 && this.#covers(key, from, to)) return;
    const { fingerprint, points, limits } = this.#registry;
    fingerprint.of(key, from, to);
    const row = points.add(fingerprint.low, fingerprint.high, this.#owner);
    if (row === 0) return;
    const keptTo = Math.min(to, from + KEPT_KEY_BYTES_MAX);
    this.#points.add(key, from, keptTo);
    this.#rows.push(row);
    this.#account(POINT_BYTES + keptTo - from);
    if (this.#points.count >= limits.readsPerTransactionMax) this.#coarsen();
    this.#heedBytes();
  }

  /** Adds `gte <= key < lt`; nothing where that is empty. */
  addRange(gte: Uint8Array, lt: Uint8Array | undefined): void {
    if (!isBelow(gte, 0, gte.length, lt)) return;
    this.#merge(keptLowerBound(gte), keptUpperBound(lt));
    if (this.#ranges.length > this.#registry.limits.rangesPerTransactionMax) {
      this.#registry.coarsened++;
      this.#join(this.#registry.limits.rangesPerTransactionMax / 2);
    }
    this.#heedBytes();
  }

  /** Whether a point may lie in `gte <= key < lt`. O(points). */
  hasPointWithin(gte: Uint8Array, lt: Uint8Array | undefined): boolean {
    const points = this.#points;
    const { bytes } = points;
    // Against a bound as long as the longest kept key, what stands for more keys is judged for all.
    const gteTo = Math.min(gte.length, KEPT_KEY_BYTES_MAX);
    for (let i = 0; i < points.count; i++) {
      const from = points.startOf(i);
      const to = points.endOf(i);
      if (isBelow(bytes, from, to, lt) && compareRuns(gte, 0, gteTo, bytes, from, to) <= 0) {
        return true;
      }
    }
    return false;
  }

  /** Forgets everything. Nothing may be added any more. */
  release(): void {
    this.#clearPoints();
    this.#registry.logs.give(this.#points);
    this.#points = NO_KEYS;
    for (const range of this.#ranges) this.#registry.ranges.remove(range);
    this.#ranges = [];
    this.#account(-this.#bytes);
  }

  #account(bytes: number): void {
    this.#bytes += bytes;
    this.#registry.bytes += bytes;
  }

  /** One range for everything, where all sets together take too much. */
  #heedBytes(): void {
    const { limits, bytes } = this.#registry;
    if (bytes <= limits.readBytesMax) return;
    if (this.#points.count > 0) this.#coarsen();
    if (this.#ranges.length > 1) this.#join(1);
  }

  /** Turns the points into ranges, half as many as there may be. */
  #coarsen(): void {
    this.#registry.coarsened++;
    const { rangesPerTransactionMax } = this.#registry.limits;
    const keys = Array.from({ length: this.#points.count }, (_, i) => this.#points.keyAt(i));
    keys.sort(compareKeys);
    this.#clearPoints();
    const perRange = Math.ceil(keys.length / Math.max(1, Math.floor(rangesPerTransactionMax / 2)));
    for (let i = 0; i < keys.length; i += perRange) {
      const last = keys[Math.min(i + perRange, keys.length) - 1];
      this.#merge(keys[i], endOfKeptKey(last));
    }
    if (this.#ranges.length > rangesPerTransactionMax) this.#join(rangesPerTransactionMax / 2);
  }

  #clearPoints(): void {
    for (const row of this.#rows) this.#registry.points.remove(row);
    this.#account(-(this.#points.byteLength + POINT_BYTES * this.#points.count));
    this.#rows = [];
    this.#points.clear();
  }

  /** Joins neighbouring ranges until there are at most `most`, at least one. */
  #join(most: number): void {
    const joined: RangeNode<Owner>[] = [];
    const perRange = Math.ceil(this.#ranges.length / Math.max(1, Math.floor(most)));
    for (let i = 0; i < this.#ranges.length; i += perRange) {
      const group = this.#ranges.slice(i, i + perRange);
      for (const range of group) this.#leave(range);
      joined.push(this.#enter(group[0].gte, group[group.length - 1].lt));
    }
    this.#ranges = joined;
  }

  /** Adds a range of kept bounds: one with those that it overlaps or touches. */
  #merge(gte: Uint8Array, lt: Uint8Array | undefined): void {
    const first = this.#firstReaching(gte, 0, gte.length);
    let end = first;
    let from = gte;
    let to = lt;
    for (; end < this.#ranges.length; end++) {
      const range = this.#ranges[end];
      if (lt !== undefined && compareKeys(range.gte, lt) > 0) break;
      if (compareKeys(range.gte, from) < 0) from = range.gte;
      if (range.lt === undefined || (to !== undefined && compareKeys(range.lt, to) > 0)) {
        to = range.lt;
      }
    }
    const old = this.#ranges[first];
    if (end === first + 1 && from === old.gte && to === old.lt) return;
    for (let i = first; i < end; i++) this.#leave(this.#ranges[i]);
    this.#ranges.splice(first, end - first, this.#enter(from, to));
  }

  #enter(gte: Uint8Array, lt: Uint8Array | undefined): RangeNode<Owner> {
    const range = new RangeNode(gte, lt, this.#owner);
    this.#registry.ranges.insert(range);
    this.#account(rangeBytes(range));
    return range;
  }

  #leave(range: RangeNode<Owner>): void {
    this.#registry.ranges.remove(range);
    this.#account(-rangeBytes(range));
  }

  #covers(key: Uint8Array, from: number, to: number): boolean {
    const range = this.#ranges[this.#firstReaching(key, from, to)];
    if (range === undefined) return false;
    const begins = compareRuns(range.gte, 0, range.gte.length, key, from, to) <= 0;
    return begins && isBelow(key, from, to, range.lt);
  }

  /** Index of the first range whose end is at or behind the key; the number of ranges where none is. */
  #firstReaching(key: Uint8Array, from: number, to: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { lt } = this.#ranges[middle];
      if (lt === undefined || compareRuns(lt, 0, lt.length, key, from, to) >= 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function rangeBytes(range: RangeNode<unknown>): number {
  return RANGE_BYTES + range.gte.length + (range.lt?.length ?? 0);
}

/**
 * What all open transactions have read, and who: the common ground of the oracle, which asks who is
 * hit by a change, and of the read sets, which enter themselves.
 */
import { Fingerprint } from './fingerprint.js';
import { KeyLogPool } from './key-log.js';
import { PointIndex } from './point-index.js';
import { RangeIndex } from './range-index.js';

/** How much a read set may remember before it becomes coarser. */
export interface ReadLimits {
  readsPerTransactionMax: number;
  rangesPerTransactionMax: number;
  readBytesMax: number;
}

export class ReaderRegistry<Owner extends object> {
  readonly points = new PointIndex<Owner>();
  readonly ranges: RangeIndex<Owner>;
  readonly fingerprint: Fingerprint;
  readonly logs = new KeyLogPool();
  /** What all read sets together take, in bytes. */
  bytes = 0;
  /** How often reads have become coarser. */
  coarsened = 0;

  constructor(
    hashSeed: number,
    readonly limits: ReadLimits,
  ) {
    this.fingerprint = new Fingerprint(hashSeed);
    this.ranges = new RangeIndex(hashSeed);
  }

  /** Points and ranges that are remembered. */
  get size(): number {
    return this.points.size + this.ranges.size;
  }
}

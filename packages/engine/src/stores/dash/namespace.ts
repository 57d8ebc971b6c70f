/**
 * One namespace: its table of keys, and what is known of times beside it. The times are not in the
 * region: they are gathered again, by hash, from a region that was there before.
 *
 * Invariants
 *  1. Of keys with hashes below `gatheredTo`, `expiring` has those that end, and `deadlines` those with
 *     fields that end, by the first end; of others they have nothing.
 *  2. A nested hash with fields that end has an index in `fieldTimes`, by its serial, from the first
 *     look at it on.
 */
import type { DashTable } from '@nendb/dash-hash';
import { ExpiryIndex } from './expiry-index.js';

/** Behind every hash. */
export const HASHES = 2 ** 32;

export class Namespace {
  readonly expiring = new ExpiryIndex();
  readonly deadlines = new ExpiryIndex();
  readonly fieldTimes = new Map<number, ExpiryIndex>();
  /** Nested hashes by their serials; made with the first of them. */
  directory: DashTable | undefined;

  constructor(
    readonly id: number,
    readonly keys: DashTable,
    /** `HASHES` where the namespace is new; 0 where it was found in the region. */
    public gatheredTo: number,
  ) {}

  get isGathered(): boolean {
    return this.gatheredTo === HASHES;
  }

  /** A key of that hash ends at `newMs`, no longer at `oldMs`; 0 is never. */
  moveExpiry(hash: number, oldMs: number, newMs: number): void {
    if (hash < this.gatheredTo) this.expiring.move(oldMs, newMs, hash);
  }

  /** The first end of a field of the key is another. */
  moveDeadline(hash: number, oldMs: number, newMs: number): void {
    if (hash < this.gatheredTo) this.deadlines.move(oldMs, newMs, hash);
  }

  /** Bytes of memory of the indexes. */
  get indexBytes(): number {
    let bytes = this.expiring.bytes + this.deadlines.bytes;
    for (const times of this.fieldTimes.values()) bytes += times.bytes;
    return bytes;
  }
}

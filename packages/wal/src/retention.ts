/**
 * Leases: who still needs which records, and how much of the disk that may cost (R4).
 *
 * Invariants
 *  1. No segment that holds a record of a lease, or a later one, is cut off while the lease lasts.
 *  2. A lease costs at most its `bytesMax`: what it alone keeps of that the owner of the log has
 *     asked to cut. Beyond, it is lost, and its holder told: a dead reader cannot fill the disk.
 *  3. A lease on records that `truncateAfter` has cut aside is lost, too.
 *
 * Only `LogFiles` decides what is cut; this says from where on it must stay.
 */
import type { Lsn } from '@nendb/codec';
import type { Segment } from './directory.js';
import { WalError } from './errors.js';
import { bad } from './options.js';
import type { Lease, LeaseOptions } from './types.js';

/** Why a lease keeps nothing any more. */
type End = 'released' | 'lost';

class HeldLease implements Lease {
  readonly bytesMax: number;
  readonly onLost: (() => void) | undefined;
  /** Whether its holder goes by a list of segments that it took when it began. */
  readonly fixed: boolean;
  readonly #moved: (lease: HeldLease) => void;
  readonly #lastLsn: () => number;
  #lsn: number;
  #end: End | undefined;

  constructor(
    lsn: number,
    options: { bytesMax: number; fixed: boolean; onLost: (() => void) | undefined },
    lastLsn: () => number,
    moved: (lease: HeldLease) => void,
  ) {
    this.#lastLsn = lastLsn;
    this.#lsn = lsn;
    this.bytesMax = options.bytesMax;
    this.fixed = options.fixed;
    this.onLost = options.onLost;
    this.#moved = moved;
  }

  get lsn(): Lsn {
    return this.#lsn as Lsn;
  }

  get lost(): boolean {
    return this.#end === 'lost';
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  advance(lsn: Lsn | number): void {
    if (this.#end) {
      throw new WalError(
        'WAL_LEASE_LOST',
        `expected a lease that lasts, this one on LSN ${this.#lsn} was ${this.#end}: read from the log's first LSN, or start anew`,
      );
    }
    const end = this.#lastLsn() + 1;
    if (!(Number.isSafeInteger(lsn) && lsn >= this.#lsn && lsn <= end)) {
      throw bad(
        'lsn',
        `an LSN from ${this.#lsn}, where the lease is, to ${end}, the next one`,
        lsn,
      );
    }
    this.#lsn = lsn;
    this.#moved(this);
  }

  release(): void {
    if (this.#end) return;
    this.#end = 'released';
    this.#moved(this);
  }

  lose(): void {
    this.#end = 'lost';
  }

  toJSON(): { lsn: string; lost: boolean } {
    return { lsn: String(this.#lsn), lost: this.lost };
  }
}

/** What a lost lease kept, for the event. */
export interface LostLease {
  lsn: Lsn;
  heldBytes: number;
  onLost: (() => void) | undefined;
}

export class Retention {
  readonly #bytesMax: number;
  readonly #lastLsn: () => number;
  readonly #moved: () => void;
  readonly #lost: (lease: LostLease) => void;
  readonly #leases = new Set<HeldLease>();

  /**
   * `bytesMax`: of a lease that names none. `lastLsn`: of the log. `moved`: more may be cut now. `lost`: a lease has just
   * been lost.
   */
  constructor(
    bytesMax: number,
    lastLsn: () => number,
    moved: () => void,
    lost: (lease: LostLease) => void,
  ) {
    this.#bytesMax = bytesMax;
    this.#lastLsn = lastLsn;
    this.#moved = moved;
    this.#lost = lost;
  }

  get count(): number {
    return this.#leases.size;
  }

  hold(lsn: Lsn | number, options: LeaseOptions = {}): Lease {
    return this.#hold(lsn, options, false);
  }

  /** For a reader that goes by a list of segments: lost whenever the log is cut back. */
  holdList(lsn: Lsn | number): Lease {
    return this.#hold(lsn, {}, true);
  }

  /**
   * Up to which LSN, at most `wanted`, whole segments may go. Leases that keep more of `sealed`
   * (oldest first) than they may are lost here.
   */
  floor(wanted: number, sealed: readonly Segment[]): number {
    let floor = wanted;
    for (const lease of this.#leases) {
      if (lease.lsn >= wanted) continue;
      let heldBytes = 0;
      for (const { lastLsn, end } of sealed) {
        if (lastLsn < wanted && lastLsn >= lease.lsn) heldBytes += end;
      }
      if (heldBytes > lease.bytesMax) this.#lose(lease, heldBytes);
      else floor = Math.min(floor, lease.lsn);
    }
    return floor;
  }

  /** The log ends at `lsn` now: what is held beyond is not there any more. */
  cutAfter(lsn: number): void {
    for (const lease of this.#leases) if (lease.fixed || lease.lsn > lsn + 1) this.#lose(lease, 0);
  }

  #hold(
    lsn: number,
    { bytesMax = this.#bytesMax, onLost }: LeaseOptions,
    fixed: boolean,
  ): HeldLease {
    const lease = new HeldLease(lsn, { bytesMax, fixed, onLost }, this.#lastLsn, (moved) => {
      if (moved.ended) this.#leases.delete(moved);
      this.#moved();
    });
    this.#leases.add(lease);
    return lease;
  }

  #lose(lease: HeldLease, heldBytes: number): void {
    lease.lose();
    this.#leases.delete(lease);
    this.#lost({ lsn: lease.lsn, heldBytes, onLost: lease.onLost });
  }
}

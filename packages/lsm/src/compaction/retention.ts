/**
 * What of a merge is kept.
 *
 *     snapshots      10        20          versions of a key   25   18   15   9   3
 *     stripes     ..10 │ 11..20 │ 21..                         │21..│ 11..20 │ ..10│
 *                                          kept                 25   18       9
 *
 * Invariants
 *  1. Of each key the newest version in each stripe is kept: no reader sees another one.
 *  2. A version is dropped for a range tombstone of a higher sequence in its own stripe, never for one of the
 *     same or a lower sequence.
 *  3. Tombstones are permanent: one goes only when every snapshot sees it and no older data may hold its key.
 *     Until then it hides what lies deeper, whatever happens around it.
 *  4. An expired entry becomes a tombstone of the same sequence (R12): it goes on hiding what it hid.
 */
import { type Entry, EntryKind } from '../entry.js';
import { sameBytes } from '../order.js';
import type { Fragment, RangeTombstones } from '../range-tombstones.js';
import type { OlderKeys } from './older-keys.js';

/** What becomes of an entry. */
export const Verdict = { drop: 0, keep: 1, keepAsTombstone: 2 } as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

export interface RetentionRules {
  /** Sequence numbers that somebody reads at, ascending. */
  snapshots: readonly number[];
  /** The earliest time that somebody reads at, in ms since 1970. */
  nowMs: number;
  /** Those of everything that is merged. */
  tombstones: RangeTombstones;
  older: OlderKeys;
}

const KEY_BYTES_MIN = 64;

export class Retention {
  readonly #rules: RetentionRules;
  #key = new Uint8Array(KEY_BYTES_MIN);
  #keyLength = -1;
  #stripe = -1;

  constructor(rules: RetentionRules) {
    this.#rules = rules;
  }

  /** Whether the entry judged last began a new key. */
  isNewKey = false;

  /** Judges the next entry of the merge: keys ascend, sequences of a key descend. */
  judge(entry: Entry): Verdict {
    const { keyBytes, keyFrom, keyTo, sequence } = entry;
    const stripe = this.#stripeOf(sequence);
    this.isNewKey = !sameBytes(keyBytes, keyFrom, keyTo, this.#key, 0, this.#keyLength);
    if (this.isNewKey) this.#remember(entry);
    else if (stripe === this.#stripe) return Verdict.drop;
    this.#stripe = stripe;
    const { tombstones, older, snapshots, nowMs } = this.#rules;
    if (!tombstones.isEmpty) {
      const visible = stripe < snapshots.length ? snapshots[stripe] : Number.MAX_SAFE_INTEGER;
      if (tombstones.covering(keyBytes, keyFrom, keyTo, visible) > sequence) return Verdict.drop;
    }
    const expired = entry.expireAtMs !== 0 && entry.expireAtMs <= nowMs;
    if (entry.kind !== EntryKind.delete && !expired) return Verdict.keep;
    if (stripe === 0 && !older.mayHold(keyBytes, keyFrom, keyTo)) return Verdict.drop;
    return expired ? Verdict.keepAsTombstone : Verdict.keep;
  }

  /** The sequences of a range tombstone that are still needed, descending. */
  sequencesKept({ gte, lt, sequences }: Fragment): number[] {
    const kept: number[] = [];
    let last = -1;
    for (const sequence of sequences) {
      const stripe = this.#stripeOf(sequence);
      if (stripe === last) continue;
      last = stripe;
      if (stripe > 0 || this.#rules.older.mayHoldWithin(gte, lt)) kept.push(sequence);
    }
    return kept;
  }

  /** The index of the first snapshot that sees `sequence`; their number where only the present does. */
  #stripeOf(sequence: number): number {
    const { snapshots } = this.#rules;
    let low = 0;
    let high = snapshots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (snapshots[middle] < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #remember({ keyBytes, keyFrom, keyTo }: Entry): void {
    const length = keyTo - keyFrom;
    if (length > this.#key.length) this.#key = new Uint8Array(length * 2);
    for (let i = 0; i < length; i++) this.#key[i] = keyBytes[keyFrom + i];
    this.#keyLength = length;
  }
}

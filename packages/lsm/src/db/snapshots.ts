/**
 * The moments that somebody reads at: compactions keep what they see.
 *
 * Invariant: snapshots are begun in the order of their sequence numbers and times, so the list is sorted by
 * both, and the first one is the oldest in either sense.
 */
import { LsmError } from '../errors.js';
import type { LsmSnapshot } from '../types.js';

export class Snapshot implements LsmSnapshot {
  #owner: Snapshots | undefined;

  constructor(
    owner: Snapshots,
    readonly sequence: number,
    readonly timeMs: number,
  ) {
    this.#owner = owner;
  }

  close(): void {
    this.#owner?.drop(this);
    this.#owner = undefined;
  }
}

export class Snapshots {
  readonly #open = new Set<Snapshot>();

  get count(): number {
    return this.#open.size;
  }

  /** A snapshot of everything up to `sequence`, at `timeMs`. */
  take(sequence: number, timeMs: number): Snapshot {
    const snapshot = new Snapshot(this, sequence, timeMs);
    this.#open.add(snapshot);
    return snapshot;
  }

  /** Different sequence numbers that are read at, ascending. */
  sequences(): number[] {
    const sequences: number[] = [];
    for (const { sequence } of this.#open) {
      if (sequences.at(-1) !== sequence) sequences.push(sequence);
    }
    return sequences;
  }

  /** The earliest time that is read at: `nowMs` where there is no snapshot. */
  oldestTimeMs(nowMs: number): number {
    for (const { timeMs } of this.#open) return Math.min(timeMs, nowMs);
    return nowMs;
  }

  /** The oldest sequence number that is read at; infinite where there is none. */
  oldestSequence(): number {
    for (const { sequence } of this.#open) return sequence;
    return Number.POSITIVE_INFINITY;
  }

  /** `snapshot` as one of these. Throws `LSM_CLOSED`, `LSM_BAD_OPTION`. */
  check(snapshot: LsmSnapshot): Snapshot {
    if (snapshot instanceof Snapshot) {
      if (this.#open.has(snapshot)) return snapshot;
      throw new LsmError(
        'LSM_CLOSED',
        'expected an open snapshot of this tree, got one that was closed or is of another: take a new one',
      );
    }
    throw new LsmError(
      'LSM_BAD_OPTION',
      'expected a snapshot of this tree, got something else: take one with `db.snapshot()`',
    );
  }

  drop(snapshot: Snapshot): void {
    this.#open.delete(snapshot);
  }
}

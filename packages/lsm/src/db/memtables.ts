/**
 * The memtable that is written and the frozen ones that wait for their flush.
 *
 *     writes ─▶ active ── full ─▶ frozen[last] ... frozen[0] ─▶ flush, oldest first
 *
 * Invariants
 *  1. Every entry of a newer memtable is newer than every entry of an older one.
 *  2. A frozen memtable leaves in the moment in which its tables become part of the current version.
 */
import { EntryKind } from '../entry.js';
import type { BatchTarget } from '../log/batch.js';
import { Memtable } from '../memtable/memtable.js';

/** A memtable that takes no more writes. */
export interface FrozenMemtable {
  memtable: Memtable;
  /** What the owner wants to find again with it. */
  metadata: Uint8Array | undefined;
}

export interface MemtablesOptions {
  capacityBytes: number;
  /** Told what all memtables take, or will, in bytes, when one is begun or let go. */
  onBytes(bytes: number): void;
}

/** Writes one commit into the active memtable. */
class CommitTarget implements BatchTarget {
  memtable: Memtable;
  sequence = 0;

  constructor(memtable: Memtable) {
    this.memtable = memtable;
  }

  put(
    bytes: Uint8Array,
    keyFrom: number,
    keyTo: number,
    valueFrom: number,
    valueTo: number,
    expireAtMs: number,
  ): void {
    this.memtable.add(
      this.sequence,
      EntryKind.put,
      bytes,
      keyFrom,
      keyTo,
      bytes,
      valueFrom,
      valueTo,
      expireAtMs,
    );
  }

  delete(bytes: Uint8Array, keyFrom: number, keyTo: number): void {
    this.memtable.add(this.sequence, EntryKind.delete, bytes, keyFrom, keyTo, bytes, 0, 0, 0);
  }

  deleteRange(gte: Uint8Array, lt: Uint8Array): void {
    this.memtable.addRange(this.sequence, gte, lt);
  }
}

export class Memtables {
  /** Oldest first. */
  readonly frozen: FrozenMemtable[] = [];
  readonly #options: MemtablesOptions;
  readonly #target: CommitTarget;
  #active: Memtable;
  /** The active one, then the frozen ones, newest first; made anew when one comes or goes. */
  #all: readonly Memtable[];

  constructor(options: MemtablesOptions) {
    this.#options = options;
    this.#active = this.#begin();
    this.#all = [this.#active];
    this.#target = new CommitTarget(this.#active);
    this.#count();
  }

  get active(): Memtable {
    return this.#active;
  }

  /** Newest first. Never changed: who keeps it keeps a view. */
  get all(): readonly Memtable[] {
    return this.#all;
  }

  get isFull(): boolean {
    return this.#active.bytes >= this.#options.capacityBytes;
  }

  get bytes(): number {
    let bytes = 0;
    for (const memtable of this.#all) bytes += memtable.bytes;
    return bytes;
  }

  /** Where a batch is applied that committed at `sequence`. */
  at(sequence: number): BatchTarget {
    this.#target.sequence = sequence;
    return this.#target;
  }

  /** Freezes the active memtable and begins another. */
  freeze(metadata: Uint8Array | undefined): void {
    this.#active.freeze();
    this.frozen.push({ memtable: this.#active, metadata });
    this.#active = this.#begin();
    this.#target.memtable = this.#active;
    this.#changed();
  }

  /** The oldest frozen memtable is in tables. */
  flushed(): void {
    this.frozen.shift();
    this.#changed();
  }

  #begin(): Memtable {
    return new Memtable({ capacityBytes: this.#options.capacityBytes });
  }

  #changed(): void {
    const frozen = this.frozen.map(({ memtable }) => memtable).reverse();
    this.#all = [this.#active, ...frozen];
    this.#count();
  }

  /** The active one counts with all that it will take. */
  #count(): void {
    let bytes = this.#options.capacityBytes;
    for (const { memtable } of this.frozen) bytes += memtable.bytes;
    this.#options.onBytes(bytes);
  }
}

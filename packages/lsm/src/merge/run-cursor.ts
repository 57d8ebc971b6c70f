/**
 * A cursor over the tables of one sorted run, which do not overlap: one table is open at a time.
 *
 * Invariant: for a key, the table that may hold it is the last one whose smallest key is not behind it.
 *
 * Hot: nothing is copied, the fields are those of the table's cursor.
 */
import type { EntryCursor, EntryKind } from '../entry.js';
import { compareBytes } from '../order.js';

/** What a run is made of. */
export interface RunTable {
  readonly smallest: Uint8Array;
}

/** Opens the tables of runs. */
export interface RunTables<T extends RunTable> {
  /** A cursor; the table stays open until `release`. */
  cursor(table: T): EntryCursor;
  release(table: T): void;
}

const NOWHERE: EntryCursor = {
  ...{ valid: false, keyBytes: new Uint8Array(0), keyFrom: 0, keyTo: 0, sequence: 0, kind: 0 },
  ...{ expireAtMs: 0, valueBytes: new Uint8Array(0), valueFrom: 0, valueTo: 0 },
  seekToFirst() {},
  seekToLast() {},
  seek() {},
  seekBefore() {},
  next() {},
  prev() {},
  close() {},
};

/** The index of the last table whose smallest key is at or before `key`; -1 where none is. */
export function tableAt(
  tables: readonly { readonly smallest: Uint8Array }[],
  key: Uint8Array,
  from: number,
  to: number,
): number {
  let low = 0;
  let high = tables.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { smallest } = tables[middle];
    if (compareBytes(smallest, 0, smallest.length, key, from, to) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export class RunCursor<T extends RunTable> implements EntryCursor {
  readonly #tables: readonly T[];
  readonly #open: RunTables<T>;
  #current: EntryCursor = NOWHERE;
  #at = -1;

  constructor(tables: readonly T[], open: RunTables<T>) {
    this.#tables = tables;
    this.#open = open;
  }

  get valid(): boolean {
    return this.#current.valid;
  }
  get keyBytes(): Uint8Array {
    return this.#current.keyBytes;
  }
  get keyFrom(): number {
    return this.#current.keyFrom;
  }
  get keyTo(): number {
    return this.#current.keyTo;
  }
  get sequence(): number {
    return this.#current.sequence;
  }
  get kind(): EntryKind {
    return this.#current.kind;
  }
  get expireAtMs(): number {
    return this.#current.expireAtMs;
  }
  get valueBytes(): Uint8Array {
    return this.#current.valueBytes;
  }
  get valueFrom(): number {
    return this.#current.valueFrom;
  }
  get valueTo(): number {
    return this.#current.valueTo;
  }

  seekToFirst(): void {
    if (!this.#enter(0)) return;
    this.#current.seekToFirst();
    this.#onwards();
  }

  seekToLast(): void {
    if (!this.#enter(this.#tables.length - 1)) return;
    this.#current.seekToLast();
    this.#backwards();
  }

  seek(key: Uint8Array, from: number, to: number, sequence: number): void {
    if (!this.#enter(Math.max(0, tableAt(this.#tables, key, from, to)))) return;
    this.#current.seek(key, from, to, sequence);
    this.#onwards();
  }

  seekBefore(key: Uint8Array, from: number, to: number): void {
    if (!this.#enter(tableAt(this.#tables, key, from, to))) return;
    this.#current.seekBefore(key, from, to);
    this.#backwards();
  }

  next(): void {
    this.#current.next();
    if (!this.#current.valid) this.#onwards();
  }

  prev(): void {
    this.#current.prev();
    if (!this.#current.valid) this.#backwards();
  }

  close(): void {
    this.#leave();
    this.#at = -1;
  }

  #onwards(): void {
    while (!this.#current.valid && this.#enter(this.#at + 1)) this.#current.seekToFirst();
  }

  #backwards(): void {
    while (!this.#current.valid && this.#enter(this.#at - 1)) this.#current.seekToLast();
  }

  /** Opens table `index`; at neither end is there one. */
  #enter(index: number): boolean {
    if (index === this.#at && this.#current !== NOWHERE) return true;
    this.#leave();
    if (index < 0 || index >= this.#tables.length) return false;
    this.#at = index;
    this.#current = this.#open.cursor(this.#tables[index]);
    return true;
  }

  #leave(): void {
    if (this.#current === NOWHERE) return;
    this.#current.close();
    this.#current = NOWHERE;
    this.#open.release(this.#tables[this.#at]);
  }
}

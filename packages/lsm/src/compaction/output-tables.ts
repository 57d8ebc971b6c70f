/**
 * The tables that a job writes: cut between keys, range tombstones cut along.
 *
 *     entries      a b c │ d e f │ g h
 *     tombstone        [b ─────────── g)
 *     tables       [b, d)  [d, g)
 *
 * Invariants
 *  1. All versions of a key are in one table.
 *  2. Tables do not overlap: a tombstone that passes a cut is in both, cut there.
 */
import type { Entry } from '../entry.js';
import { compareKeys } from '../order.js';
import type { TableBuilder, TableSummary } from '../table/table-builder.js';

/** A range deletion and those of its sequences that are kept. */
export interface KeptRange {
  gte: Uint8Array;
  lt: Uint8Array;
  sequences: readonly number[];
}

export interface OutputTablesOptions {
  /** A table ends at the first new key from here on, in bytes. */
  tableBytes: number;
  /** Ascending, not overlapping. */
  ranges: readonly KeptRange[];
  /** Makes the next table. */
  create(): TableBuilder;
  finished(summary: TableSummary, path: string): void;
}

export class OutputTables {
  readonly #options: OutputTablesOptions;
  #ranges: KeptRange[];
  #builder: TableBuilder | undefined;
  #writtenBytes = 0;

  constructor(options: OutputTablesOptions) {
    this.#options = options;
    this.#ranges = [...options.ranges];
  }

  /** Bytes of all tables so far, roughly. */
  get writtenBytes(): number {
    return this.#writtenBytes + (this.#builder?.fileBytes ?? 0);
  }

  add(entry: Entry, isNewKey: boolean): void {
    if (this.#builder === undefined) {
      this.#builder = this.#options.create();
    } else if (isNewKey && this.#builder.fileBytes >= this.#options.tableBytes) {
      this.#cut(entry.keyBytes.slice(entry.keyFrom, entry.keyTo));
      this.#builder = this.#options.create();
    }
    this.#builder.add(entry);
  }

  /** Writes what is left. */
  finish(): void {
    if (this.#ranges.length > 0) this.#builder ??= this.#options.create();
    this.#cut(undefined);
  }

  /** Gives up the table that is being written. */
  abort(): void {
    this.#builder?.abort();
    this.#builder = undefined;
  }

  /** Ends the current table before `key`, or at the end of all. */
  #cut(key: Uint8Array | undefined): void {
    const builder = this.#builder;
    if (builder === undefined) return;
    while (this.#ranges.length > 0) {
      const { gte, lt, sequences } = this.#ranges[0];
      if (key !== undefined && compareKeys(gte, key) >= 0) break;
      const passes = key !== undefined && compareKeys(key, lt) < 0;
      const end = passes ? key : lt;
      for (const sequence of sequences) builder.addRange(gte, end, sequence);
      if (passes) {
        this.#ranges[0] = { gte: key, lt, sequences };
        break;
      }
      this.#ranges.shift();
    }
    const summary = builder.finish();
    this.#builder = undefined;
    this.#writtenBytes += summary.fileBytes;
    this.#options.finished(summary, builder.path);
  }
}

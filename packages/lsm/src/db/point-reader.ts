/**
 * Looks one key up.
 *
 *     active memtable ─▶ frozen ones ─▶ level 0, newest first ─▶ level 1 ... 6       the first version found
 *
 * Invariants
 *  1. The memtable always wins: sources are asked from the newest to the oldest, and the first one that has a
 *     version not newer than the reader has the newest such version of all.
 *  2. A range tombstone of a newer source than the one that has the version shadows it; in the same source it
 *     does where its sequence number is higher.
 *
 * Hot: allocates nothing where the blocks are in memory.
 */
import { type Entry, EntryKind } from '../entry.js';
import { readError } from '../io-error.js';
import type { Memtable } from '../memtable/memtable.js';
import { tableAt } from '../merge/run-cursor.js';
import { compareBytes } from '../order.js';
import { hashKey, lastHashLow } from '../table/bloom-filter.js';
import type { TableReader } from '../table/table-reader.js';
import type { TableMeta } from '../version/table-meta.js';
import type { ViewSources } from './read-view.js';
import type { Values } from './values.js';

const NOTHING = new Uint8Array(0);

/** Every sequence number. */
export const NEWEST = Number.MAX_SAFE_INTEGER;

export class PointReader {
  /** What `find` found. Borrowed until the next call. */
  readonly entry: Entry = {
    ...{ keyBytes: NOTHING, keyFrom: 0, keyTo: 0, sequence: 0, kind: EntryKind.delete },
    ...{ expireAtMs: 0, valueBytes: NOTHING, valueFrom: 0, valueTo: 0 },
  };
  /** The highest range tombstone that `find` met on its way; 0 for none. */
  covered = 0;
  /** The sequence of the version that `find` met, a tombstone included; 0 for none. */
  met = 0;
  readonly #sources: ViewSources;
  readonly #values: Values;
  readonly #loading = new Set<Promise<void>>();

  constructor(sources: ViewSources, values: Values) {
    this.#sources = sources;
    this.#values = values;
  }

  /**
   * Whether there is a version of `key[from, to)` at or below `sequence` that is not deleted; then `entry` shows
   * it. It may have expired. Throws `LSM_CORRUPT`, `LSM_WRONG_KEY`, `LSM_IO`.
   */
  find(key: Uint8Array, from: number, to: number, sequence: number): boolean {
    try {
      return this.#find(key, from, to, sequence);
    } catch (error) {
      throw readError(error);
    }
  }

  #find(key: Uint8Array, from: number, to: number, sequence: number): boolean {
    const { entry } = this;
    const { memtables, versions, tables } = this.#sources;
    this.covered = 0;
    this.met = 0;
    const all = memtables.all;
    for (let i = 0; i < all.length; i++) {
      if (this.#inMemtable(all[i], key, from, to, sequence)) return this.#isLive(entry);
      if (this.covered > 0) return false;
    }
    const { runs } = versions.current;
    if (runs.length === 0) return false;
    const high = hashKey(key, from, to);
    const low = lastHashLow();
    for (let i = 0; i < runs.length; i++) {
      const table = candidate(runs[i].tables, key, from, to);
      if (table === undefined) continue;
      const reader = tables.get(table);
      if (table.rangeTombstones > 0) {
        this.#cover(reader, key, from, to, sequence);
      }
      if (reader.mayContainHash(high, low) && reader.get(key, from, to, sequence, entry)) {
        return this.#isLive(entry);
      }
      if (this.covered > 0) return false;
    }
    return false;
  }

  /** Whether `find` of the key, and its value, would read memory alone. */
  isReady(key: Uint8Array, from: number, to: number): boolean {
    const { entry } = this;
    this.covered = 0;
    for (const memtable of this.#sources.memtables.all) {
      if (this.#inMemtable(memtable, key, from, to, NEWEST)) return true;
      if (this.covered > 0) return true;
    }
    for (const { tables } of this.#sources.versions.current.runs) {
      const table = candidate(tables, key, from, to);
      if (table === undefined) continue;
      if (!this.#sources.tables.has(table.number)) return false;
      const reader = this.#sources.tables.get(table);
      if (!reader.ready(key, from, to)) return false;
      if (reader.mayContain(key, from, to) && reader.get(key, from, to, NEWEST, entry)) {
        return this.#values.isReady(entry);
      }
    }
    return true;
  }

  /** Brings into memory what `find` of the key and its value need, without blocking the thread. */
  async load(key: Uint8Array, from: number, to: number): Promise<void> {
    const loading = this.#load(key, from, to);
    this.#loading.add(loading);
    try {
      await loading;
    } catch (error) {
      throw readError(error);
    } finally {
      this.#loading.delete(loading);
    }
  }

  /** Resolves when no `load` is under way. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#loading);
  }

  async #load(key: Uint8Array, from: number, to: number): Promise<void> {
    const { memtables, versions, tables } = this.#sources;
    for (const memtable of memtables.all) {
      if (memtable.get(key, from, to, NEWEST, this.entry)) return;
    }
    const version = versions.pin();
    try {
      for (const run of version.runs) {
        const table = candidate(run.tables, key, from, to);
        if (table === undefined) continue;
        await tables.load(table);
        const reader = tables.hold(table);
        try {
          if (!reader.mayContain(key, from, to)) continue;
          await reader.prefetch(key, from, to);
          if (reader.get(key, from, to, NEWEST, this.entry)) {
            await this.#values.load(this.entry);
            return;
          }
        } finally {
          tables.release(table.number);
        }
      }
    } finally {
      versions.unpin(version);
    }
  }

  #inMemtable(
    memtable: Memtable,
    key: Uint8Array,
    from: number,
    to: number,
    sequence: number,
  ): boolean {
    const { rangeTombstones } = memtable;
    if (!rangeTombstones.isEmpty) {
      this.covered = rangeTombstones.covering(key, from, to, sequence);
    }
    return memtable.get(key, from, to, sequence, this.entry);
  }

  #cover(reader: TableReader, key: Uint8Array, from: number, to: number, sequence: number): void {
    this.covered = reader.rangeTombstones.covering(key, from, to, sequence);
  }

  #isLive({ kind, sequence }: Entry): boolean {
    this.met = sequence;
    return kind !== EntryKind.delete && this.covered <= sequence;
  }
}

/** The table of a run that may hold the key. */
export function candidate(
  tables: readonly TableMeta[],
  key: Uint8Array,
  from: number,
  to: number,
): TableMeta | undefined {
  const at = tableAt(tables, key, from, to);
  if (at < 0) return undefined;
  const table = tables[at];
  const { largest } = table;
  return compareBytes(largest, 0, largest.length, key, from, to) >= 0 ? table : undefined;
}

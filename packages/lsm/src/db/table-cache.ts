/**
 * The tables that are open: opened at first use, closed when there are too many or memory is short.
 *
 * Which one to close is decided by a clock (second chance): a table that was used since the hand last passed stays.
 *
 * Invariants
 *  1. A table that somebody holds stays open. Without a hold a reader is borrowed until the next `get`.
 *  2. A table that no version names any more is closed before its file is removed.
 */
import type { DataKeys } from '@nendb/codec';
import { joinPath, type Vfs, type VfsFile } from '@nendb/vfs';
import type { BlockCache } from '../cache/block-cache.js';
import type { BudgetAccount } from '../cache/memory-budget.js';
import { OPEN_TABLES_MAX } from '../limits.js';
import { tableFile } from '../manifest/format.js';
import { TableReader } from '../table/table-reader.js';
import { checkTable } from '../version/check-table.js';
import type { TableMeta } from '../version/table-meta.js';

export interface TableCacheOptions {
  vfs: Vfs;
  dir: string;
  databaseUuid: Uint8Array;
  keys: DataKeys | undefined;
  blocks: BlockCache;
}

interface OpenTable {
  reader: TableReader;
  holders: number;
  used: boolean;
}

export class TableCache {
  readonly #options: TableCacheOptions;
  readonly #account: BudgetAccount;
  /** In the order of the clock's hand. */
  readonly #tables = new Map<number, OpenTable>();
  /** The one that `get` has returned last: whoever got it may be reading from it, and reads press for memory. */
  #lent: OpenTable | undefined;

  constructor(options: TableCacheOptions) {
    this.#options = options;
    this.#account = options.blocks.budget.account('tables');
    options.blocks.budget.onPressure((bytes) => this.#reclaim(bytes));
  }

  /** Whether the table is open: `get` would not touch the disk. */
  has(number: number): boolean {
    return this.#tables.has(number);
  }

  /** The table. Throws what `TableReader.open` throws, or the errno error of opening. */
  get(meta: TableMeta): TableReader {
    const table = this.#tables.get(meta.number) ?? this.#openSync(meta);
    table.used = true;
    this.#lent = table;
    return table.reader;
  }

  /** {@link get}, its file opened without blocking the thread. */
  async load(meta: TableMeta): Promise<void> {
    const { number } = meta;
    if (this.#tables.has(number)) return;
    const { vfs, dir } = this.#options;
    const file = await vfs.open(joinPath(dir, tableFile(number)), 'read');
    if (this.#tables.has(number)) await file.close();
    else this.#open(meta, file);
  }

  /** {@link get}; the table stays open until as many `release`. */
  hold(meta: TableMeta): TableReader {
    const table = this.#tables.get(meta.number) ?? this.#openSync(meta);
    table.holders++;
    return table.reader;
  }

  release(number: number): void {
    const table = this.#tables.get(number);
    if (table !== undefined) table.holders--;
  }

  /** Closes a table that nobody needs any more. */
  drop(number: number): void {
    const table = this.#tables.get(number);
    if (table !== undefined) this.#close(number, table);
  }

  /** Closes all. */
  close(): void {
    for (const [number, table] of [...this.#tables]) this.#close(number, table);
  }

  #openSync(meta: TableMeta): OpenTable {
    const { vfs, dir } = this.#options;
    return this.#open(meta, vfs.openSync(joinPath(dir, tableFile(meta.number)), 'read'));
  }

  #open(meta: TableMeta, file: VfsFile): OpenTable {
    const { databaseUuid, keys, blocks } = this.#options;
    let reader: TableReader | undefined;
    try {
      reader = TableReader.open(file, {
        databaseUuid,
        cache: blocks,
        account: this.#account,
        ...(keys && { keys }),
      });
      checkTable(reader, meta);
    } catch (error) {
      if (reader === undefined) file.closeSync();
      else reader.closeSync();
      throw error;
    }
    // Room is made before it is listed, so that it is not closed itself.
    while (this.#tables.size >= OPEN_TABLES_MAX && this.#closeOne() > 0);
    const table = { reader, holders: 0, used: false };
    this.#tables.set(meta.number, table);
    return table;
  }

  #close(number: number, { reader }: OpenTable): void {
    this.#tables.delete(number);
    reader.closeSync();
  }

  /** Closes the table that the hand comes to; returns the bytes that it gave back, 0 for none. */
  #closeOne(): number {
    for (let patience = this.#tables.size * 2; patience > 0; patience--) {
      const next = this.#tables.entries().next();
      if (next.done) return 0;
      const [number, table] = next.value;
      if (!table.used && table.holders === 0 && table !== this.#lent) {
        const { bytes } = table.reader;
        this.#close(number, table);
        return bytes;
      }
      table.used = false;
      this.#tables.delete(number);
      this.#tables.set(number, table);
    }
    return 0;
  }

  #reclaim(bytes: number): number {
    let reclaimed = 0;
    while (reclaimed < bytes) {
      const closed = this.#closeOne();
      if (closed === 0) break;
      reclaimed += closed;
    }
    return reclaimed;
  }
}

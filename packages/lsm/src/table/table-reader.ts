/**
 * An open table: point reads, cursors, and a check of every byte.
 *
 *     get ─▶ filter ─ maybe ─▶ index ─▶ block in memory, or read ─▶ search
 *
 * Invariants
 *  1. A table is immutable; everything read from it is checked before it is believed.
 *  2. Root, filter, range tombstones and properties stay in memory while it is open, and are counted on
 *     the account that it was opened with; data blocks and partitions are the cache's.
 *  3. `get` allocates nothing where its block is in memory. What it fills in is borrowed until the next
 *     call of any table that shares the cache.
 *
 * One thread.
 */
import type { DataKeys } from '@nendb/codec';
import type { VfsFile } from '@nendb/vfs';
import type { BlockCache } from '../cache/block-cache.js';
import type { BudgetAccount } from '../cache/memory-budget.js';
import { StoredSearch } from '../cache/stored-search.js';
import type { Entry, EntryCursor } from '../entry.js';
import { corrupt } from '../errors.js';
import { HEAD_BYTES, readHead } from '../file-head.js';
import { RangeTombstones } from '../range-tombstones.js';
import { decodeBlock } from './block-codec.js';
import { BlockSource } from './block-source.js';
import { BloomFilter } from './bloom-filter.js';
import { decodeFooter, type TableFooter } from './footer.js';
import { type BlockHandle, BlockType, FOOTER_BYTES, TABLE_FILE } from './format.js';
import { decodeProperties, type TableProperties } from './properties.js';
import { TableCursor } from './table-cursor.js';
import { TableIndex } from './table-index.js';
import { verifyTable } from './verify-table.js';

export interface TableReaderOptions {
  /** 16 bytes: a table of another database is refused. */
  databaseUuid: Uint8Array;
  /** Needed for encrypted tables. */
  keys?: DataKeys;
  cache: BlockCache;
  /** Where root, filter and the rest are counted. */
  account: BudgetAccount;
}

/** Any sequence is at or behind this one: the newest version of a key. */
const NEWEST = Number.MAX_SAFE_INTEGER;

/** What a reader has read of its table when it is opened. */
export interface TableParts {
  source: BlockSource;
  footer: TableFooter;
  index: TableIndex | undefined;
  filter: BloomFilter | undefined;
  rangeTombstones: RangeTombstones;
  properties: TableProperties;
  fileBytes: number;
}

export class TableReader {
  readonly #parts: TableParts;
  readonly #source: BlockSource;
  readonly #index: TableIndex | undefined;
  readonly #filter: BloomFilter | undefined;
  readonly #account: BudgetAccount;
  readonly #bytes: number;

  private constructor(parts: TableParts, account: BudgetAccount) {
    this.#parts = parts;
    this.#source = parts.source;
    this.#index = parts.index;
    this.#filter = parts.filter;
    this.#account = account;
    this.#bytes = bytesOf(parts);
    account.add(this.#bytes);
  }

  /**
   * Opens the table in `file`, which is the reader's from then on. Throws `LSM_CORRUPT`, `LSM_FOREIGN`,
   * `LSM_WRONG_KEY`, `LSM_TOO_NEW`; the file is then still the caller's.
   */
  static open(file: VfsFile, options: TableReaderOptions): TableReader {
    const head = readHead(file, TABLE_FILE, options.databaseUuid, options.keys);
    const fileBytes = file.sizeSync();
    if (fileBytes < HEAD_BYTES + FOOTER_BYTES) {
      throw corrupt(file.path, fileBytes, 'the file ends before its footer');
    }
    const probe = new BlockSource(file, head, options.cache, 0);
    const footerBytes = probe.readInto(new Uint8Array(FOOTER_BYTES), fileBytes - FOOTER_BYTES);
    const footer = decodeFooter(file.path, head, fileBytes, footerBytes);
    const read = (place: BlockHandle, type: BlockType): Uint8Array =>
      decodeBlock(
        file.path,
        head,
        place.offset,
        type,
        probe.readInto(new Uint8Array(place.bytes), place.offset),
      );
    const properties = parse(file.path, footer.properties.offset, () =>
      decodeProperties(read(footer.properties, BlockType.properties)),
    );
    const rangeTombstones = parse(file.path, footer.tombstones.offset, () =>
      footer.tombstones.bytes === 0
        ? new RangeTombstones()
        : RangeTombstones.decode(read(footer.tombstones, BlockType.tombstones)),
    );
    let filter: BloomFilter | undefined;
    if (footer.filter.bytes > 0) {
      filter = BloomFilter.read(read(footer.filter, BlockType.filter));
      if (!filter) throw corrupt(file.path, footer.filter.offset, 'the filter has no lines');
    }
    let source = probe;
    let index: TableIndex | undefined;
    if (footer.root.bytes > 0) {
      const { offset, bytes } = footer.root;
      const block = probe.readInto(new Uint8Array(bytes), offset);
      const root = probe.decodeInto(undefined, BlockType.root, offset, block);
      const partitions = footer.indexLevels === 1 ? 0 : root.count;
      source = new BlockSource(file, head, options.cache, footer.dataBlocks + partitions);
      index = new TableIndex(source, root, footer.dataBlocks, footer.indexLevels, offset);
    }
    const parts = { source, footer, index, filter, rangeTombstones, properties, fileBytes };
    return new TableReader(parts, options.account);
  }

  get path(): string {
    return this.#source.file.path;
  }

  get fileBytes(): number {
    return this.#parts.fileBytes;
  }

  /** The data key that the file is encrypted with; -1 in the clear. */
  get keyId(): number {
    return this.#source.head.keyId;
  }

  get properties(): TableProperties {
    return this.#parts.properties;
  }

  /** Borrowed; not to be added to. */
  get rangeTombstones(): RangeTombstones {
    return this.#parts.rangeTombstones;
  }

  /** What it keeps in memory beside the cache's blocks. */
  get bytes(): number {
    return this.#bytes;
  }

  /** False where the table surely has no version of the key. */
  mayContain(key: Uint8Array, from: number, to: number): boolean {
    return this.#filter?.mayContain(key, from, to) ?? true;
  }

  /** The same by the two halves of `hashKey`, computed once for several tables. */
  mayContainHash(high: number, low: number): boolean {
    return this.#filter?.mayContainHash(high, low) ?? true;
  }

  /**
   * Fills `into` with the newest version of `key[from, to)` whose sequence is at most `sequence`;
   * returns whether there is one. Range tombstones and the filter are the caller's to ask first. Throws
   * `LSM_CORRUPT`, `LSM_WRONG_KEY`, or the errno error of a read.
   */
  get(key: Uint8Array, from: number, to: number, sequence: number, into: Entry): boolean {
    const index = this.#index;
    if (index === undefined) return false;
    for (let block = index.find(key, from, to); block < index.blocks; block++) {
      const frame = this.#source.find(block);
      if (frame === undefined) {
        const outcome = this.#readAndFind(index, block, key, from, to, sequence, into);
        if (outcome === StoredSearch.behind) continue;
        return outcome === StoredSearch.found;
      }
      const at = frame.search(key, from, to, sequence);
      if (at === frame.count) continue;
      if (!frame.hasKey(at, key, from, to)) return false;
      frame.show(at, into);
      return true;
    }
    return false;
  }

  /** Whether `get` of the key would read memory alone. */
  ready(key: Uint8Array, from: number, to: number): boolean {
    const index = this.#index;
    if (index === undefined || !this.mayContain(key, from, to)) return true;
    if (!index.isReady(key, from, to)) return false;
    for (let block = index.find(key, from, to); block < index.blocks; block++) {
      const frame = this.#source.peek(block);
      if (frame === undefined) return false;
      if (frame.search(key, from, to, NEWEST) < frame.count) break;
    }
    return true;
  }

  /** Brings the blocks that `get` of the key needs into memory, without blocking the thread. */
  async prefetch(key: Uint8Array, from: number, to: number): Promise<void> {
    const index = this.#index;
    if (index === undefined || !this.mayContain(key, from, to)) return;
    await index.prefetch(key, from, to);
    for (let block = index.find(key, from, to); block < index.blocks; block++) {
      const { offset, bytes } = index.handle(block);
      await this.#source.loadAsync(block, BlockType.data, offset, bytes);
      const frame = this.#source.peek(block);
      // Where memory is so short that the block is gone again, `get` has to read it.
      if (frame === undefined || frame.search(key, from, to, NEWEST) < frame.count) break;
    }
  }

  /** A cursor over every version. Without `fillCache` what it reads does not displace other blocks. */
  cursor({ fillCache = true }: { fillCache?: boolean } = {}): EntryCursor {
    return new TableCursor(this.#source, this.#index, this.#dataEnd(), fillCache);
  }

  /**
   * Reads every byte and checks that blocks follow each other without a gap, entries are in order, and
   * index, filter and properties say what the blocks hold. Throws like `get`.
   */
  verify(): void {
    verifyTable(this.#parts);
  }

  /** Gives back memory and the file. Cursors must be closed before. */
  async close(): Promise<void> {
    this.#release();
    await this.#source.file.close();
  }

  /** {@link close} for worker tasks. */
  closeSync(): void {
    this.#release();
    this.#source.file.closeSync();
  }

  #release(): void {
    this.#account.add(-this.#bytes);
    this.#source.close();
  }

  /** Reads a block that is not in memory, and looks the key up in it as it is stored. */
  #readAndFind(
    index: TableIndex,
    block: number,
    key: Uint8Array,
    from: number,
    to: number,
    sequence: number,
    into: Entry,
  ): StoredSearch {
    const { offset, bytes } = index.handle(block);
    const frame = this.#source.loadStored(block, BlockType.data, offset, bytes);
    const outcome = frame.findStored(key, from, to, sequence, into);
    if (outcome !== StoredSearch.malformed) return outcome;
    throw corrupt(this.path, offset, 'an entry reaches out of its block');
  }

  /** Where the data blocks end: where the first thing that is none begins. */
  #dataEnd(): number {
    const { footer, index } = this.#parts;
    const first = index?.partitions[0] ?? footer.filter;
    if (first.bytes > 0) return first.offset;
    return footer.tombstones.bytes > 0 ? footer.tombstones.offset : footer.root.offset;
  }
}

function bytesOf({ source, index, filter, rangeTombstones }: TableParts): number {
  return source.bytes + (index?.bytes ?? 0) + (filter?.bytes ?? 0) + rangeTombstones.bytes;
}

/** What `decode` returns; what it throws about bytes becomes `LSM_CORRUPT`. */
function parse<T>(path: string, offset: number, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name !== 'FormatError' && name !== 'RangeError') throw error;
    throw corrupt(path, offset, (error as Error).message, error);
  }
}

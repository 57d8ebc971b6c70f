/**
 * Writes a table: entries in order go in, a durable file comes out. Synchronous, for worker tasks.
 *
 *     add ─▶ entry block ── full ─▶ compress, seal, checksum ─▶ output
 *        └─▶ filter, index, properties, kept until `finish`
 *
 * Invariants
 *  1. Entries come in the order of `EntryCursor`; the builder checks it.
 *  2. A range tombstone may come at any time before `finish`; it counts for the table's key range.
 *  3. After `finish` the file's bytes are durable and never change. Its name is the caller's to make
 *     durable (`syncDir`), and only then may a manifest name it.
 *  4. After a throw, only `abort` is left to call.
 */
import type { Compression, DataKeys } from '@nendb/codec';
import type { Vfs } from '@nendb/vfs';
import { type Entry, EntryKind } from '../entry.js';
import { type FileHead, makeHead } from '../file-head.js';
import { BLOCK_BYTES_DEFAULT, FILTER_BITS_PER_KEY_DEFAULT } from '../limits.js';
import { compareBytes, compareKeys } from '../order.js';
import { Output, type OutputOptions } from '../output.js';
import { RangeTombstones } from '../range-tombstones.js';
import { readPointer } from '../value-log/pointer.js';
import { encodeBlock } from './block-codec.js';
import { BloomFilterBuilder } from './bloom-filter.js';
import { EntryBlockBuilder } from './entry-block-builder.js';
import { encodeFooter } from './footer.js';
import { type BlockHandle, BlockType, TABLE_FILE } from './format.js';
import { IndexBuilder, shortenSeparator } from './index-builder.js';
import { encodeProperties, type TableProperties, type ValueReference } from './properties.js';

export interface TableBuilderOptions extends OutputOptions {
  /** 16 bytes. */
  databaseUuid: Uint8Array;
  /** When the table is made: ms since 1970. */
  createdMs: number;
  /** A data block ends at the entry that fills it, in bytes. Default 4096. */
  blockBytes?: number;
  /** A larger index is cut into partitions of so many bytes. Default `INDEX_PARTITION_BYTES`. */
  indexPartitionBytes?: number;
  /** 0 for no filter. Default 10. */
  filterBitsPerKey?: number;
  /** Default `none`. */
  compression?: Compression;
  /** Keys to encrypt with. */
  keys?: DataKeys;
}

/** What was written: what a manifest says of a table. */
export interface TableSummary extends TableProperties {
  fileBytes: number;
  /** The data key that it is encrypted with; -1 in the clear. */
  keyId: number;
}

const NOWHERE: BlockHandle = { offset: 0, bytes: 0 };

export class TableBuilder {
  readonly #output: Output;
  readonly #head: FileHead;
  readonly #blockBytes: number;
  readonly #compression: Compression;
  readonly #block: EntryBlockBuilder;
  readonly #index: IndexBuilder;
  readonly #filter: BloomFilterBuilder | undefined;
  readonly #rangeTombstones = new RangeTombstones();
  readonly #valueRefs = new Map<number, ValueReference>();
  readonly #pointer = { file: 0, offset: 0, bytes: 0 };
  readonly #properties: TableProperties;
  /** The block that was written last: its separator needs the first key of the next. */
  #pending: BlockHandle | undefined;
  #separator = new Uint8Array(256);
  #separatorLength = 0;
  #lastSequence = 0;
  #keys = 0;

  /** Makes the file, which must not exist. */
  constructor(vfs: Vfs, path: string, options: TableBuilderOptions) {
    const { databaseUuid, keys, compression = 'none', createdMs } = options;
    const { filterBitsPerKey = FILTER_BITS_PER_KEY_DEFAULT } = options;
    this.#blockBytes = options.blockBytes ?? BLOCK_BYTES_DEFAULT;
    this.#compression = compression;
    this.#block = new EntryBlockBuilder(this.#blockBytes);
    this.#index = new IndexBuilder(options.indexPartitionBytes);
    if (filterBitsPerKey > 0) this.#filter = new BloomFilterBuilder(filterBitsPerKey);
    const none = new Uint8Array(0);
    this.#properties = {
      entries: 0,
      tombstones: 0,
      rangeTombstones: 0,
      sequenceMin: Number.MAX_SAFE_INTEGER,
      sequenceMax: 0,
      expireMinMs: 0,
      expireMaxMs: 0,
      createdMs,
      keyBytes: 0,
      valueBytes: 0,
      smallest: none,
      largest: none,
      valueRefs: [],
    };
    const compressed = compression !== 'none';
    const { head, bytes } = makeHead(vfs, TABLE_FILE, { databaseUuid, keys, compressed });
    this.#head = head;
    this.#output = new Output(vfs, path, options);
    this.#output.write(bytes);
  }

  get path(): string {
    return this.#output.path;
  }

  /** How long the file will be, roughly. */
  get fileBytes(): number {
    return this.#output.position + this.#block.bytes + this.#index.bytes;
  }

  get entries(): number {
    return this.#properties.entries;
  }

  get isEmpty(): boolean {
    return this.#properties.entries === 0 && this.#rangeTombstones.isEmpty;
  }

  /** Adds the entry that `entry` shows. Throws `RangeError` where it is out of order. */
  add(entry: Entry): void {
    const { keyBytes, keyFrom, keyTo, sequence, kind, expireAtMs } = entry;
    const { valueBytes, valueFrom, valueTo } = entry;
    const block = this.#block;
    const isNewKey = this.#checkOrder(keyBytes, keyFrom, keyTo, sequence);
    if (this.#pending !== undefined) {
      this.#separatorLength = shortenSeparator(
        this.#separator,
        this.#separatorLength,
        keyBytes,
        keyFrom,
        keyTo,
      );
      this.#index.add(this.#separator, this.#separatorLength, this.#pending);
      this.#pending = undefined;
    }
    if (isNewKey) {
      this.#filter?.add(keyBytes, keyFrom, keyTo);
      this.#keys++;
    }
    block.add(keyBytes, keyFrom, keyTo, sequence, kind, expireAtMs, valueBytes, valueFrom, valueTo);
    this.#count(entry);
    if (block.bytes >= this.#blockBytes) this.#endBlock();
  }

  /** Adds the deletion of `[gte, lt)` at `sequence`. */
  addRange(gte: Uint8Array, lt: Uint8Array, sequence: number): void {
    this.#rangeTombstones.add(gte, lt, sequence);
  }

  /** Writes the rest, syncs and closes. Throws `RangeError` for a table of nothing. */
  finish(): TableSummary {
    if (this.isEmpty) throw new RangeError('expected a table with an entry, got none: abort it');
    this.#endBlock();
    if (this.#pending !== undefined) {
      this.#index.add(this.#separator, this.#separatorLength, this.#pending);
    }
    const blocks = this.#index.blocks;
    const index = this.#index.finish();
    const partitions = index.partitions.map(({ payload }) =>
      this.#writeBlock(BlockType.partition, payload),
    );
    const hasFilter = this.#filter !== undefined && this.#keys > 0;
    const filter = hasFilter
      ? this.#writeBlock(BlockType.filter, this.#filter!.finish(), 'none')
      : NOWHERE;
    const tombstones = this.#rangeTombstones.isEmpty
      ? NOWHERE
      : this.#writeBlock(BlockType.tombstones, this.#rangeTombstones.encode());
    const root =
      blocks === 0 ? NOWHERE : this.#writeBlock(BlockType.root, index.root(partitions), 'none');
    const properties = this.#finishProperties();
    const encoded = encodeProperties(properties);
    const propertiesHandle = this.#writeBlock(BlockType.properties, encoded, 'none');
    const footer = encodeFooter(this.#head, this.#output.position, {
      filter,
      tombstones,
      root,
      properties: propertiesHandle,
      dataBlocks: blocks,
      indexLevels: partitions.length > 0 ? 2 : 1,
    });
    this.#output.write(footer);
    this.#output.finish();
    this.#head.cipher?.dispose();
    return { ...properties, fileBytes: this.#output.position, keyId: this.#head.keyId };
  }

  /** Gives up: closes and unlinks the file. */
  abort(): void {
    this.#head.cipher?.dispose();
    this.#output.abort();
  }

  /** Whether the key is another than the last one's. */
  #checkOrder(key: Uint8Array, from: number, to: number, sequence: number): boolean {
    if (this.#properties.entries === 0) return true;
    const { lastKey, lastKeyLength } = this.#block;
    const order = compareBytes(lastKey, 0, lastKeyLength, key, from, to);
    if (order < 0 || (order === 0 && this.#lastSequence > sequence)) return order !== 0;
    throw new RangeError(
      `expected an entry behind ${Buffer.from(lastKey.subarray(0, lastKeyLength)).toString('hex')} at ${this.#lastSequence}, got ${Buffer.from(key.subarray(from, to)).toString('hex')} at ${sequence}: merge in order`,
    );
  }

  #count(entry: Entry): void {
    const properties = this.#properties;
    const { sequence, kind, expireAtMs } = entry;
    if (properties.entries === 0) {
      properties.smallest = entry.keyBytes.slice(entry.keyFrom, entry.keyTo);
    }
    properties.entries++;
    this.#lastSequence = sequence;
    if (sequence < properties.sequenceMin) properties.sequenceMin = sequence;
    if (sequence > properties.sequenceMax) properties.sequenceMax = sequence;
    properties.keyBytes += entry.keyTo - entry.keyFrom;
    properties.valueBytes += entry.valueTo - entry.valueFrom;
    if (expireAtMs !== 0) {
      if (properties.expireMinMs === 0 || expireAtMs < properties.expireMinMs) {
        properties.expireMinMs = expireAtMs;
      }
      if (expireAtMs > properties.expireMaxMs) properties.expireMaxMs = expireAtMs;
    }
    if (kind === EntryKind.delete) properties.tombstones++;
    else if (kind === EntryKind.pointer) this.#refer(entry);
  }

  #refer({ valueBytes, valueFrom, valueTo }: Entry): void {
    const { file, bytes } = readPointer(valueBytes, valueFrom, valueTo, this.#pointer);
    const reference = this.#valueRefs.get(file);
    if (reference === undefined) this.#valueRefs.set(file, { file, bytes, entries: 1 });
    else {
      reference.bytes += bytes;
      reference.entries++;
    }
  }

  #endBlock(): void {
    const block = this.#block;
    if (block.count === 0) return;
    const length = block.lastKeyLength;
    if (this.#separator.length < length) this.#separator = new Uint8Array(length * 2);
    this.#separator.set(block.lastKey.subarray(0, length));
    this.#separatorLength = length;
    this.#pending = this.#writeBlock(BlockType.data, block.finish());
  }

  #writeBlock(
    type: BlockType,
    payload: Uint8Array,
    compression: Compression = this.#compression,
  ): BlockHandle {
    const offset = this.#output.position;
    const block = encodeBlock(this.#head, offset, type, payload, compression);
    this.#output.write(block);
    return { offset, bytes: block.length };
  }

  #finishProperties(): TableProperties {
    const properties = this.#properties;
    const ranges = this.#rangeTombstones;
    const { lastKey, lastKeyLength } = this.#block;
    const { smallestKey, largestKey } = ranges;
    properties.valueRefs = [...this.#valueRefs.values()].sort((a, b) => a.file - b.file);
    properties.rangeTombstones = ranges.count;
    if (properties.entries > 0) properties.largest = lastKey.slice(0, lastKeyLength);
    if (smallestKey === undefined || largestKey === undefined) return properties;
    if (properties.entries === 0 || compareKeys(smallestKey, properties.smallest) < 0) {
      properties.smallest = smallestKey;
    }
    if (properties.entries === 0 || compareKeys(largestKey, properties.largest) > 0) {
      properties.largest = largestKey;
    }
    properties.sequenceMin = Math.min(properties.sequenceMin, ranges.sequenceMin);
    properties.sequenceMax = Math.max(properties.sequenceMax, ranges.sequenceMax);
    return properties;
  }
}

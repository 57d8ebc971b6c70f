/**
 * Builds the index of a table: for each data block a key that parts it from the next, and where it is.
 *
 *     entry       key: separator | value: offset, bytes (varints)           a data block, or a partition
 *                                | in a root above partitions: and the number of the first data block
 *     separator   last key of the block <= separator < first key of the next
 *
 * Where versions of one key lie in two blocks the separator is that key, and a reader goes on to the next
 * block. An index that outgrows one partition becomes partitions under a root.
 */
import { putUvarint, UVARINT_BYTES_MAX } from '@nendb/codec';
import { EntryKind } from '../entry.js';
import { INDEX_PARTITION_BYTES } from '../limits.js';
import { commonPrefix } from '../order.js';
import { EntryBlockBuilder } from './entry-block-builder.js';
import type { BlockHandle } from './format.js';

interface Partition {
  payload: Uint8Array;
  /** The separator of its last block. */
  separator: Uint8Array;
  /** The number of its first data block. */
  firstBlock: number;
}

/** What is left to write of an index: blocks below the root, in order, then the root. */
export interface IndexPayloads {
  /** Empty where the root names data blocks itself. */
  partitions: readonly Partition[];
  /** The root, given where the partitions were written. */
  root(partitions: readonly BlockHandle[]): Uint8Array;
}

export class IndexBuilder {
  readonly #builder: EntryBlockBuilder;
  readonly #partitionBytes: number;
  readonly #partitions: Partition[] = [];
  #blocks = 0;
  #firstBlock = 0;
  readonly #value = new Uint8Array(3 * UVARINT_BYTES_MAX);

  /** A partition is full at so many bytes. */
  constructor(partitionBytes = INDEX_PARTITION_BYTES) {
    this.#partitionBytes = partitionBytes;
    this.#builder = new EntryBlockBuilder(partitionBytes);
  }

  /** How many data blocks there are. */
  get blocks(): number {
    return this.#blocks;
  }

  /** What the index takes so far, roughly, in bytes. */
  get bytes(): number {
    return this.#partitions.length * this.#partitionBytes + this.#builder.bytes;
  }

  /** Adds a data block that `separator[0, length)` parts from the next. */
  add(separator: Uint8Array, length: number, handle: BlockHandle): void {
    const builder = this.#builder;
    if (builder.count > 0 && builder.bytes + length >= this.#partitionBytes) this.#cut();
    const end = putHandle(this.#value, handle);
    builder.add(separator, 0, length, 0, EntryKind.put, 0, this.#value, 0, end);
    this.#blocks++;
  }

  finish(): IndexPayloads {
    if (this.#partitions.length === 0) {
      const root = this.#builder.finish();
      return { partitions: [], root: () => root };
    }
    this.#cut();
    return { partitions: this.#partitions, root: (handles) => this.#root(handles) };
  }

  #cut(): void {
    const builder = this.#builder;
    const separator = builder.lastKey.slice(0, builder.lastKeyLength);
    const payload = Uint8Array.from(builder.finish());
    this.#partitions.push({ payload, separator, firstBlock: this.#firstBlock });
    this.#firstBlock = this.#blocks;
  }

  #root(handles: readonly BlockHandle[]): Uint8Array {
    const builder = new EntryBlockBuilder(this.#partitionBytes);
    for (const [i, { separator, firstBlock }] of this.#partitions.entries()) {
      const end = putUvarint(this.#value, putHandle(this.#value, handles[i]), firstBlock);
      builder.add(separator, 0, separator.length, 0, EntryKind.put, 0, this.#value, 0, end);
    }
    return builder.finish();
  }
}

function putHandle(target: Uint8Array, { offset, bytes }: BlockHandle): number {
  return putUvarint(target, putUvarint(target, 0, offset), bytes);
}

/**
 * Makes `key[0, length)` in place into the shortest that is not before it and before `next[from, to)`;
 * returns its length. Equal keys stay as they are.
 */
export function shortenSeparator(
  key: Uint8Array,
  length: number,
  next: Uint8Array,
  from: number,
  to: number,
): number {
  const common = commonPrefix(key, 0, length, next, from, to);
  if (common >= length || from + common >= to) return length;
  if (key[common] + 1 >= next[from + common]) return length;
  key[common]++;
  return common + 1;
}

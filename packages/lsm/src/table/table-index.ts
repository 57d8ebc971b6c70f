/**
 * From a key to the data block that may hold it, through one or two levels.
 *
 * The root stays in memory while the table is open; partitions come and go with the cache, as blocks
 * numbered behind the data blocks.
 */
import { UvarintReader } from '@nendb/codec';
import type { Frame } from '../cache/frame.js';
import { type Entry, EntryKind } from '../entry.js';
import { corrupt, type LsmError } from '../errors.js';
import { HEAD_BYTES } from '../file-head.js';
import type { BlockSource } from './block-source.js';
import { type BlockHandle, BlockType } from './format.js';

/** Any sequence is at or behind this one: the first entry with a key. */
const FIRST = Number.MAX_SAFE_INTEGER;

export class TableIndex {
  readonly #source: BlockSource;
  readonly #root: Frame;
  /** Where the root is: every block that it names ends before. */
  readonly #rootAt: number;
  /** How many data blocks there are. */
  readonly blocks: number;
  /** For each partition, the number of its first data block; `undefined` with one level. */
  readonly #firstBlocks: Uint32Array | undefined;
  readonly #partitions: BlockHandle[] = [];
  readonly #handle: BlockHandle = { offset: 0, bytes: 0 };
  readonly #entry: Entry = emptyEntry();
  readonly #reader = new UvarintReader();

  /** `root` is the decoded root; throws `LSM_CORRUPT` where it is no index of `blocks` blocks. */
  constructor(source: BlockSource, root: Frame, blocks: number, levels: number, rootAt: number) {
    this.#source = source;
    this.#root = root;
    this.#rootAt = rootAt;
    this.blocks = blocks;
    if (levels === 1) {
      if (root.count === blocks) return;
      throw corrupt(source.file.path, rootAt, `expected ${blocks} blocks, got ${root.count}`);
    }
    this.#firstBlocks = new Uint32Array(root.count);
    for (let p = 0; p < root.count; p++) {
      const { offset, bytes } = this.#read(root, p);
      this.#partitions.push({ offset, bytes });
      this.#firstBlocks[p] = this.#next();
    }
  }

  /** Partitions under the root; 0 with one level. */
  get partitions(): readonly BlockHandle[] {
    return this.#partitions;
  }

  /** What stays in memory, in bytes. */
  get bytes(): number {
    return this.#root.capacity + this.#partitions.length * 40;
  }

  /** The number of the first block that may hold `key` or what is behind it; `blocks` for none. */
  find(key: Uint8Array, from: number, to: number): number {
    const at = this.#root.search(key, from, to, FIRST);
    if (this.#firstBlocks === undefined) return at;
    if (at === this.#root.count) return this.blocks;
    return this.#firstBlocks[at] + this.#partition(at).search(key, from, to, FIRST);
  }

  /** Whether `find` would answer from memory. */
  isReady(key: Uint8Array, from: number, to: number): boolean {
    if (this.#firstBlocks === undefined) return true;
    const at = this.#root.search(key, from, to, FIRST);
    return at === this.#root.count || this.#source.has(this.blocks + at);
  }

  /** Loads what `find` needs for the key. */
  async prefetch(key: Uint8Array, from: number, to: number): Promise<void> {
    if (this.#firstBlocks === undefined) return;
    const at = this.#root.search(key, from, to, FIRST);
    if (at === this.#root.count) return;
    const { offset, bytes } = this.#partitions[at];
    await this.#source.loadAsync(this.blocks + at, BlockType.partition, offset, bytes);
  }

  /** Where a data block is: borrowed until the next call. */
  handle(block: number): BlockHandle {
    if (this.#firstBlocks === undefined) return this.#read(this.#root, block);
    let below = 0;
    let above = this.#firstBlocks.length;
    while (above - below > 1) {
      const middle = (below + above) >>> 1;
      if (this.#firstBlocks[middle] <= block) below = middle;
      else above = middle;
    }
    return this.#read(this.#partition(below), block - this.#firstBlocks[below]);
  }

  /** The key that parts a block from the next: borrowed until the next call. */
  separator(block: number): Uint8Array {
    this.handle(block);
    const { keyBytes, keyFrom, keyTo } = this.#entry;
    return keyBytes.subarray(keyFrom, keyTo);
  }

  #partition(p: number): Frame {
    const ordinal = this.blocks + p;
    const { offset, bytes } = this.#partitions[p];
    return (
      this.#source.find(ordinal) ?? this.#source.load(ordinal, BlockType.partition, offset, bytes)
    );
  }

  #read(frame: Frame, i: number): BlockHandle {
    const entry = this.#entry;
    const handle = this.#handle;
    frame.show(i, entry);
    this.#reader.reset(entry.valueBytes, entry.valueFrom, entry.valueTo);
    handle.offset = this.#next();
    handle.bytes = this.#next();
    if (handle.offset >= HEAD_BYTES && handle.offset + handle.bytes <= this.#rootAt) return handle;
    throw this.#corrupt(`it names a block of ${handle.bytes} bytes at ${handle.offset}`);
  }

  #next(): number {
    try {
      return this.#reader.next();
    } catch (error) {
      throw this.#corrupt((error as Error).message);
    }
  }

  #corrupt(problem: string): LsmError {
    return corrupt(this.#source.file.path, this.#rootAt, `the index is none: ${problem}`);
  }
}

function emptyEntry(): Entry {
  const none = new Uint8Array(0);
  return {
    keyBytes: none,
    keyFrom: 0,
    keyTo: 0,
    sequence: 0,
    kind: EntryKind.put,
    expireAtMs: 0,
    valueBytes: none,
    valueFrom: 0,
    valueTo: 0,
  };
}

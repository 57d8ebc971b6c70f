/**
 * The blocks of one open table: from the cache, or read, checked, decoded and kept there.
 *
 * Invariants
 *  1. A frame that is given out is borrowed until the next call, unless it is pinned.
 *  2. A block is read in one call. Its bytes are checked before anything in them is used.
 *
 * One thread. `loadAsync` lets others run while it reads.
 */
import { readFully, readFullySync, type VfsFile } from '@nendb/vfs';
import type { BlockCache } from '../cache/block-cache.js';
import type { BlockSlots } from '../cache/block-slots.js';
import { Frame } from '../cache/frame.js';
import { corrupt } from '../errors.js';
import type { FileHead } from '../file-head.js';
import { decodeBlock } from './block-codec.js';
import type { BlockType } from './format.js';

const SCRATCH_BYTES = 64 * 1024;
/** Where blocks are read to that are then copied into a frame: one for the thread. */
const scratch = new Uint8Array(SCRATCH_BYTES);

export class BlockSource {
  readonly file: VfsFile;
  readonly head: FileHead;
  readonly cache: BlockCache;
  #slots: BlockSlots;

  constructor(file: VfsFile, head: FileHead, cache: BlockCache, blocks: number) {
    this.file = file;
    this.head = head;
    this.cache = cache;
    this.#slots = cache.open(blocks);
  }

  /** Memory that the table's slots take, in bytes. */
  get bytes(): number {
    return this.#slots.bytes;
  }

  /** The block, if it is in memory. */
  find(ordinal: number): Frame | undefined {
    const frame = this.peek(ordinal);
    if (frame !== undefined) this.cache.touch(frame);
    return frame;
  }

  /** {@link find} that does not count as a use. */
  peek(ordinal: number): Frame | undefined {
    const frame = this.#slots.frames[ordinal];
    if (frame !== undefined && !frame.isDecoded) this.#decodeFrame(frame);
    return frame;
  }

  has(ordinal: number): boolean {
    return this.#slots.frames[ordinal] !== undefined;
  }

  /** Reads a block that is not in memory, and keeps it there. Throws `LSM_CORRUPT`, `LSM_WRONG_KEY`. */
  load(ordinal: number, type: BlockType, offset: number, bytes: number): Frame {
    const frame = this.loadStored(ordinal, type, offset, bytes);
    this.#decodeFrame(frame);
    return frame;
  }

  /** {@link load}, but for the decoding: `findStored` alone may be asked of the frame. */
  loadStored(ordinal: number, type: BlockType, offset: number, bytes: number): Frame {
    this.cache.misses++;
    return this.#keep(ordinal, offset, this.#decode(type, offset, this.read(offset, bytes)));
  }

  /** {@link load}, unless the block has come into memory meanwhile. */
  async loadAsync(ordinal: number, type: BlockType, offset: number, bytes: number): Promise<void> {
    if (this.has(ordinal)) return;
    this.cache.misses++;
    const block = new Uint8Array(bytes);
    const came = await readFully(this.file, block, offset);
    if (this.has(ordinal)) return;
    this.#keep(ordinal, offset, this.#decode(type, offset, this.#whole(offset, block, came)));
  }

  /** Decodes a block into `frame`, or a larger one where it does not fit; nothing is kept. */
  decodeInto(frame: Frame | undefined, type: BlockType, offset: number, block: Uint8Array): Frame {
    const payload = this.#decode(type, offset, block);
    const bytes = this.#frameBytes(offset, payload);
    const target =
      frame !== undefined && frame.capacity >= bytes
        ? frame
        : new Frame(Math.ceil(bytes / 512) * 512, false);
    target.hold(payload, offset);
    this.#decodeFrame(target);
    return target;
  }

  /** The bytes at `offset`: borrowed until the next read. Throws `LSM_CORRUPT` where they end early. */
  read(offset: number, bytes: number): Uint8Array {
    const target = bytes <= SCRATCH_BYTES ? scratch.subarray(0, bytes) : new Uint8Array(bytes);
    return this.readInto(target, offset);
  }

  /** Fills `target` from `offset`. Throws `LSM_CORRUPT` where the file ends early. */
  readInto(target: Uint8Array, offset: number): Uint8Array {
    return this.#whole(offset, target, readFullySync(this.file, target, offset));
  }

  /** Gives back all memory. */
  close(): void {
    this.cache.drop(this.#slots);
    this.head.cipher?.dispose();
  }

  #whole(offset: number, target: Uint8Array, came: number): Uint8Array {
    if (came === target.length) return target;
    throw corrupt(
      this.file.path,
      offset + came,
      `expected ${target.length} bytes at ${offset}, the file ends after ${came}`,
    );
  }

  #decode(type: BlockType, offset: number, block: Uint8Array): Uint8Array {
    return decodeBlock(this.file.path, this.head, offset, type, block);
  }

  #keep(ordinal: number, offset: number, payload: Uint8Array): Frame {
    const frame = this.cache.take(this.#frameBytes(offset, payload));
    frame.hold(payload, offset);
    this.cache.keep(this.#slots, ordinal, frame);
    return frame;
  }

  #frameBytes(offset: number, payload: Uint8Array): number {
    const bytes = Frame.bytesFor(payload);
    if (bytes > 0) return bytes;
    throw corrupt(this.file.path, offset, 'a block of entries has no entries');
  }

  #decodeFrame(frame: Frame): void {
    const problem = frame.decode();
    if (problem !== undefined) throw corrupt(this.file.path, frame.offset, problem);
  }
}

/**
 * A cursor over a table. It pins the block that it stands in; without `fillCache` it reads blocks that
 * are not in memory into a frame of its own, ahead in growing pieces, and leaves the cache alone.
 */
import type { Frame } from '../cache/frame.js';
import { type EntryCursor, EntryKind } from '../entry.js';
import type { BlockSource } from './block-source.js';
import { BlockType } from './format.js';
import type { TableIndex } from './table-index.js';

const AHEAD_BYTES_MIN = 16 * 1024;
const AHEAD_BYTES_MAX = 256 * 1024;
const FIRST = Number.MAX_SAFE_INTEGER;

export class TableCursor implements EntryCursor {
  valid = false;
  keyBytes: Uint8Array;
  keyFrom = 0;
  keyTo = 0;
  sequence = 0;
  kind: EntryKind = EntryKind.delete;
  expireAtMs = 0;
  valueBytes: Uint8Array;
  valueFrom = 0;
  valueTo = 0;
  readonly #source: BlockSource;
  /** `undefined` for a table without entries. */
  readonly #index: TableIndex | undefined;
  readonly #fillCache: boolean;
  /** Where the data blocks end, in bytes from the start of the file. */
  readonly #dataEnd: number;
  #frame: Frame | undefined;
  #own: Frame | undefined;
  #block = -1;
  #i = 0;
  #ahead = new Uint8Array(0);
  #aheadFrom = 0;
  #aheadBytes = 0;

  constructor(
    source: BlockSource,
    index: TableIndex | undefined,
    dataEnd: number,
    fillCache: boolean,
  ) {
    this.#source = source;
    this.#index = index;
    this.#dataEnd = dataEnd;
    this.#fillCache = fillCache;
    this.keyBytes = this.#ahead;
    this.valueBytes = this.#ahead;
  }

  seekToFirst(): void {
    this.#enter(0);
    this.#stand(0);
  }

  seekToLast(): void {
    this.#enter((this.#index?.blocks ?? 0) - 1);
    this.#stand(this.#frame === undefined ? 0 : this.#frame.count - 1);
  }

  seek(key: Uint8Array, from: number, to: number, sequence: number): void {
    if (this.#index === undefined) return;
    // Versions of one key may fill blocks: the one looked for is in the first or in one behind it.
    let at = 0;
    for (let block = this.#index.find(key, from, to); ; block++) {
      this.#enter(block);
      if (this.#frame === undefined) break;
      at = this.#frame.search(key, from, to, sequence);
      if (at < this.#frame.count) break;
    }
    this.#stand(at);
  }

  seekBefore(key: Uint8Array, from: number, to: number): void {
    if (this.#index === undefined) return;
    const block = Math.min(this.#index.find(key, from, to), this.#index.blocks - 1);
    this.#enter(block);
    const at = this.#frame!.search(key, from, to, FIRST);
    if (at > 0) this.#stand(at - 1);
    else this.#enterBefore();
  }

  next(): void {
    const frame = this.#frame;
    if (frame === undefined) return;
    const i = this.#i + 1;
    if (i < frame.count) {
      this.#i = i;
      frame.show(i, this);
      return;
    }
    this.#enter(this.#block + 1);
    this.#stand(0);
  }

  prev(): void {
    if (this.#frame === undefined) return;
    if (this.#i > 0) this.#stand(this.#i - 1);
    else this.#enterBefore();
  }

  close(): void {
    this.#leave();
    this.valid = false;
    this.#own = undefined;
  }

  #enterBefore(): void {
    this.#enter(this.#block - 1);
    this.#stand(this.#frame === undefined ? 0 : this.#frame.count - 1);
  }

  #stand(i: number): void {
    const frame = this.#frame;
    this.#i = i;
    this.valid = frame !== undefined;
    frame?.show(i, this);
  }

  #leave(): void {
    if (this.#frame !== undefined && this.#frame !== this.#own) this.#frame.pins--;
    this.#frame = undefined;
  }

  /** Stands in a block, or nowhere where there is no such block. */
  #enter(block: number): void {
    const index = this.#index;
    if (index === undefined || block < 0 || block >= index.blocks) {
      this.#leave();
      this.#block = -1;
      return;
    }
    if (block === this.#block && this.#frame !== undefined) return;
    const follows = block === this.#block + 1;
    this.#leave();
    this.#block = block;
    let frame = this.#source.find(block);
    if (frame === undefined) {
      const { offset, bytes } = index.handle(block);
      if (!this.#fillCache) {
        const stored = this.#readAhead(offset, bytes, follows);
        this.#own = this.#source.decodeInto(this.#own, BlockType.data, offset, stored);
        this.#frame = this.#own;
        return;
      }
      frame = this.#source.load(block, BlockType.data, offset, bytes);
    }
    frame.pins++;
    this.#frame = frame;
  }

  /** The bytes of a block: of what was read ahead, or read now, more of them the longer it goes on. */
  #readAhead(offset: number, bytes: number, follows: boolean): Uint8Array {
    const from = offset - this.#aheadFrom;
    if (from >= 0 && from + bytes <= this.#aheadBytes)
      return this.#ahead.subarray(from, from + bytes);
    if (!follows) {
      this.#aheadBytes = 0;
      return this.#source.read(offset, bytes);
    }
    const grown = Math.min(Math.max(this.#ahead.length * 2, AHEAD_BYTES_MIN), AHEAD_BYTES_MAX);
    const wanted = Math.max(grown, bytes);
    if (this.#ahead.length < wanted) this.#ahead = new Uint8Array(wanted);
    const length = Math.min(this.#ahead.length, this.#dataEnd - offset);
    this.#aheadBytes = 0;
    this.#source.readInto(this.#ahead.subarray(0, length), offset);
    this.#aheadFrom = offset;
    this.#aheadBytes = length;
    return this.#ahead.subarray(0, bytes);
  }
}

/**
 * A region: windows, allocations, roots, and what makes stores durable. The contract is `types.ts`,
 * the bytes are `format.ts`.
 *
 *     open     preamble ─▶ may it be trusted? ─▶ "in use" ─▶ redo ─▶ free what belongs to nobody
 *     close    everything durable ─▶ "clean"
 *
 * Concurrency: one thread owns it; others `attach` and read, under epochs.
 */
import { nodeVfs } from '@nendb/vfs';
import { LINE_BYTES, toOffset, toUnit } from './address.js';
import { Allocator } from './allocator/allocator.js';
import { endless } from './allocator/block-lists.js';
import { Transaction } from './allocator/transaction.js';
import { verifyBlocks } from './allocator/verify.js';
import { AttachedRegion, type RegionHandle } from './attached-region.js';
import { PmemError } from './errors.js';
import { COUNTER, COUNTERS_LINE, HEADER_BYTES, ROOTS_OFFSET, WINDOWS_LINE } from './format.js';
import { EXTRA_WORDS_MAX, ROOTS_MAX } from './limits.js';
import { HeapMedium } from './media/heap.js';
import type { Medium } from './media/medium.js';
import { openMedium, type RegionOptions } from './media/open-medium.js';
import {
  format,
  markClean,
  markInUse,
  readLife,
  readPreamble,
  regionBytes,
} from './region-header.js';
import { RegionMeta } from './region-meta.js';
import type {
  AllocOptions,
  Backend,
  PublishOptions,
  RegionCaps,
  RegionImage,
  RegionOpening,
  RegionShare,
  RegionStats,
  RegionVerdict,
  RegionWindow,
} from './types.js';

export class Region {
  readonly backend: Backend;
  readonly caps: RegionCaps;
  /** Whether `flush` and `drain` are needed for durability: hot paths skip them otherwise. */
  readonly flushes: boolean;
  readonly bytesMax: number;
  readonly windows: readonly RegionWindow[];
  /** 16 random bytes, given when the region was made. */
  readonly uuid: Uint8Array;
  readonly opening: RegionOpening;
  /** Words of the application in the header. */
  readonly meta: RegionMeta;
  readonly #medium: Medium;
  readonly #transaction: Transaction;
  readonly #allocator: Allocator;
  #imager: (() => RegionImage) | undefined;
  #closing: Promise<void> | undefined;
  #allocations = 0;
  #frees = 0;
  #flushes = 0;
  #drains = 0;
  /** Lines of the windows that blocks have reached at some time since the open. */
  readonly #touchedLines: number[];

  /**
   * Opens or makes a region. Rejects with `PMEM_BAD_OPTION`, `PMEM_BACKEND_UNAVAILABLE`,
   * `PMEM_MISSING`, `PMEM_CORRUPT`, `PMEM_TOO_NEW`, `PMEM_UNTRUSTED`,
   * `PMEM_EXHAUSTED` (a full disk), and `VFS_LOCKED` where another process has it.
   */
  static async open(options: RegionOptions): Promise<Region> {
    const medium = await openMedium(options);
    try {
      const vfs = options.vfs ?? nodeVfs;
      return Region.on(medium, { uuid: () => vfs.random.uuid(), where: options.path });
    } catch (error) {
      await medium.close();
      throw error;
    }
  }

  /** A region in the process's memory, of at most `bytesMax` bytes. */
  static heap(bytesMax: number): Region {
    return Region.on(new HeapMedium(regionBytes(bytesMax)), {});
  }

  /** What another thread's `share()` gave, read-only by convention. */
  static attach(handle: unknown): AttachedRegion {
    return new AttachedRegion(handle as RegionHandle);
  }

  /** The region on a medium of your own; see {@link Medium}. */
  static on(medium: Medium, options: { uuid?: () => Uint8Array; where?: string }): Region {
    return new Region(medium, options.uuid ?? (() => nodeVfs.random.uuid()), options.where);
  }

  private constructor(medium: Medium, newUuid: () => Uint8Array, where = 'the region') {
    this.#medium = medium;
    this.backend = medium.backend;
    this.caps = medium.caps;
    this.flushes = medium.flushes;
    this.bytesMax = medium.bytesMax;
    this.windows = medium.windows;
    const preamble = readPreamble(this.windows[0].u8, where);
    const life = readLife(medium);
    if (preamble === undefined) {
      this.uuid = newUuid();
      format(medium, this.uuid);
    } else {
      this.uuid = preamble.uuid;
      checkTrust(medium, life, where);
    }
    markInUse(medium, medium.boot);
    this.#transaction = new Transaction(medium);
    const redone = this.#transaction.recover();
    this.#allocator = new Allocator(medium, this.#transaction);
    this.#touchedLines = this.windows.map((_, window) => this.#usedLines(window));
    const returnedBlocks = this.#freePending();
    const how =
      medium.created || preamble === undefined ? 'created' : life.clean ? 'clean' : 'recovered';
    this.opening = { how, redone, returnedBlocks };
    this.meta = new RegionMeta(medium);
  }

  /**
   * Hands out `bytes` bytes, aligned to 64, inside one window; returns their offset. What they
   * contain is undefined. Throws `PMEM_EXHAUSTED`, and nothing was changed.
   */
  alloc(bytes: number, options: AllocOptions = {}): number {
    this.#checkOpen();
    const lines = this.#allocator.linesFor(bytes);
    const { into } = options;
    if (into !== undefined) this.#checkWord(into);
    const block = this.#allocator.find(lines);
    const offset = (block + 1) * LINE_BYTES;
    this.#allocator.take(block, lines, bytes, into !== undefined);
    if (into !== undefined) this.#publishWord(into, toUnit(offset));
    this.#transaction.commit();
    this.#allocations++;
    this.#touch();
    return offset;
  }

  /**
   * Names the allocation at `offset` (0: none) in the word at `into`; it belongs to the structure
   * from here on. One step with what the options say.
   */
  publish(offset: number, into: number, options: PublishOptions = {}): void {
    this.#checkOpen();
    const { withdraws, words = [] } = options;
    if (words.length > EXTRA_WORDS_MAX) {
      throw new PmemError(
        'PMEM_BAD_OPTION',
        `expected at most ${EXTRA_WORDS_MAX} further words, got ${words.length}: take several steps`,
      );
    }
    const owned = offset === 0 ? 0 : this.#blockAt(offset);
    const left = withdraws === undefined ? 0 : this.#blockAt(withdraws);
    this.#checkWord(into);
    for (const [word] of words) this.#checkWord(word);
    if (owned !== 0) this.#allocator.own(owned);
    if (left !== 0) this.#allocator.disown(left);
    for (const [word, value] of words) this.#publishWord(word, value);
    this.#publishWord(into, toUnit(offset));
    this.#transaction.commit();
  }

  /**
   * Takes the allocation at `offset` away from its owner, storing `value` in the word that names it,
   * in one step. It stays as it is until freed, or until the region is opened after a crash.
   */
  withdraw(offset: number, word: number, value = 0): void {
    this.#checkOpen();
    const block = this.#blockAt(offset);
    this.#checkWord(word);
    this.#allocator.disown(block);
    this.#publishWord(word, value);
    this.#transaction.commit();
  }

  /**
   * Takes the allocation at `offset` away from whoever has it, so that a crash gives it back; the
   * words that named it have been changed already.
   */
  disown(offset: number): void {
    this.#checkOpen();
    const block = this.#blockAt(offset);
    if (this.#allocator.isPending(block)) return;
    this.#allocator.disown(block);
    this.#transaction.commit();
  }

  /**
   * Takes back the allocation of `bytes` bytes at `offset`; with `from`, the word there becomes 0 in
   * the same step. Throws `PMEM_BAD_ADDRESS` where no such allocation is.
   */
  free(offset: number, bytes: number, options: { from?: number } = {}): void {
    this.#checkOpen();
    const block = this.#blockAt(offset, bytes);
    if (options.from !== undefined) this.#checkWord(options.from);
    this.#allocator.release(block);
    if (options.from !== undefined) this.#publishWord(options.from, 0);
    this.#transaction.commit();
    this.#frees++;
  }

  /** Bytes that the allocation at `offset` was asked for with. Throws `PMEM_BAD_ADDRESS`. */
  sizeOf(offset: number): number {
    this.#blockAt(offset);
    return this.#allocator.bytesAt(offset);
  }

  /** Where root `slot` (0 to 63) leads: an offset, 0 for nothing. */
  root(slot: number): number {
    return toOffset(this.windows[0].i32[this.rootWord(slot) / 4]);
  }

  /** Offset of the word of root `slot`: for `alloc` and `publish`. */
  rootWord(slot: number): number {
    if (slot >= 0 && slot < ROOTS_MAX) return ROOTS_OFFSET + slot * 4;
    throw new PmemError(
      'PMEM_BAD_OPTION',
      `expected a root from 0 to ${ROOTS_MAX - 1}, got ${slot}`,
    );
  }

  /** Lets root `slot` lead to `offset` (0: nothing), durably. The block's owner is not changed. */
  setRoot(slot: number, offset: number): void {
    this.#checkOpen();
    const word = this.rootWord(slot);
    this.windows[0].commit32(word / 4, toUnit(offset));
    if (this.flushes) this.persist(word, 4);
  }

  /** Begins to write back the bytes `[offset, offset + bytes)`. */
  flush(offset: number, bytes: number): void {
    if (!this.flushes) return;
    this.#flushes++;
    this.#medium.flush(offset, bytes);
  }

  /** Returns when everything flushed is durable. Throws `PMEM_IO`, `PMEM_POISONED`. */
  drain(): void {
    if (!this.flushes) return;
    this.#drains++;
    this.#medium.drain();
  }

  /** `flush`, then `drain`. */
  persist(offset: number, bytes: number): void {
    if (!this.flushes) return;
    this.flush(offset, bytes);
    this.drain();
  }

  get stats(): RegionStats {
    const counters = this.windows[0].i32.subarray(COUNTERS_LINE * 16);
    const freeBytes = counters[COUNTER.freeLines] * LINE_BYTES;
    const usedLines = this.#sum((window) => this.#usedLines(window));
    const touchedLines = this.#sum((window) => this.#touchedLines[window]);
    const largestBytes = this.#allocator.largestFreeLines() * LINE_BYTES;
    return {
      bytesMax: this.bytesMax,
      allocatedBytes: counters[COUNTER.takenLines] * LINE_BYTES,
      freeBytes,
      untouchedBytes: this.bytesMax - usedLines * LINE_BYTES,
      footprintBytes: touchedLines * LINE_BYTES,
      fragmentation: freeBytes === 0 ? 0 : 1 - largestBytes / freeBytes,
      blocks: counters[COUNTER.blocks],
      allocations: this.#allocations,
      frees: this.#frees,
      flushes: this.#flushes,
      drains: this.#drains,
    };
  }

  /** Walks every block and list: no overlap, no loss, every byte accounted for. Reads only. */
  verify(): RegionVerdict {
    return verifyBlocks(this.windows, this.bytesMax);
  }

  /** Registers what makes images of the structures in this region; `undefined` removes it. */
  setImager(imager: (() => RegionImage) | undefined): void {
    this.#imager = imager;
  }

  /** A point-in-time image of what lives here (R16). Throws `PMEM_NO_IMAGER`. */
  image(): RegionImage {
    this.#checkOpen();
    if (this.#imager !== undefined) return this.#imager();
    throw new PmemError(
      'PMEM_NO_IMAGER',
      'expected a structure that can be imaged in this region, got none: open a table on it first',
    );
  }

  /** For other threads: post `handle`, there `Region.attach(handle)`. Throws `PMEM_NOT_SHARED`. */
  share(): RegionShare {
    this.#checkOpen();
    const buffers = this.#medium.buffers();
    if (buffers === undefined) {
      throw new PmemError(
        'PMEM_NOT_SHARED',
        `expected memory that threads can share, got a region of backend ${this.backend} without (caps.shared is false): read it on the thread that opened it`,
      );
    }
    const { backend, bytesMax, uuid } = this;
    const handle: RegionHandle = { kind: 'nendb-region', backend, bytesMax, uuid, buffers };
    return { handle, transfer: [] };
  }

  /** Makes everything durable that can be, marks the region as cleanly closed, and lets it go. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      if (this.flushes) this.#medium.drain();
      else this.#writeThroughUsed();
      // A step that failed in the middle is for the next open to finish or to forget.
      if (!this.#transaction.isOpen) markClean(this.#medium);
    } finally {
      await this.#medium.close();
    }
  }

  #writeThroughUsed(): void {
    this.#medium.writeThrough(0, HEADER_BYTES);
    let base = 0;
    for (const [window, { bytes }] of this.windows.entries()) {
      const used = this.#usedLines(window) * LINE_BYTES;
      if (used > 0) this.#medium.writeThrough(base, used);
      base += bytes;
    }
  }

  #freePending(): number {
    const blocks = this.windows[0].i32[COUNTERS_LINE * 16 + COUNTER.blocks];
    let count = 0;
    for (
      let block = this.#allocator.pendingHead;
      block !== 0;
      block = this.#allocator.pendingHead
    ) {
      if (count === blocks) throw endless('pending blocks', blocks);
      this.#allocator.release(block);
      this.#transaction.commit();
      count++;
    }
    return count;
  }

  #usedLines(window: number): number {
    return this.windows[0].i32[WINDOWS_LINE * 16 + window * 2];
  }

  #touch(): void {
    for (let window = 0; window < this.windows.length; window++) {
      const used = this.#usedLines(window);
      if (used > this.#touchedLines[window]) this.#touchedLines[window] = used;
    }
  }

  #sum(of: (window: number) => number): number {
    return this.windows.reduce((sum, _, window) => sum + of(window), 0);
  }

  #publishWord(offset: number, value: number): void {
    const line = Math.floor(offset / LINE_BYTES);
    this.#transaction.publish(line, (offset % LINE_BYTES) / 4, value | 0);
  }

  #blockAt(offset: number, bytes?: number): number {
    const came = this.#allocator.bytesAt(offset);
    if (came !== -1 && (bytes === undefined || came === bytes)) return offset / LINE_BYTES - 1;
    const found = came === -1 ? 'none' : `one of ${came} bytes`;
    throw new PmemError(
      'PMEM_BAD_ADDRESS',
      `expected an allocation${bytes === undefined ? '' : ` of ${bytes} bytes`} at offset ${offset}, got ${found}: it was freed already, or the address is wrong`,
    );
  }

  #checkWord(offset: number): void {
    const inRoots = offset >= ROOTS_OFFSET && offset < ROOTS_OFFSET + ROOTS_MAX * 4;
    const inBlocks = offset >= HEADER_BYTES && offset <= this.bytesMax - 4;
    if (offset % 4 === 0 && (inRoots || inBlocks)) return;
    throw new PmemError(
      'PMEM_BAD_ADDRESS',
      `expected the offset of an aligned word in a block or a root, got ${offset}`,
    );
  }

  #checkOpen(): void {
    if (this.#transaction.isOpen) {
      throw new PmemError(
        'PMEM_POISONED',
        'expected every step so far to be whole, but one failed in the middle: close the region and open it again',
      );
    }
    if (this.#closing === undefined) return;
    throw new PmemError('PMEM_CLOSED', 'expected an open region, got a closed one: open it again');
  }
}

/** Refuses a region that its medium cannot have brought through what happened. */
function checkTrust(medium: Medium, life: { clean: boolean; boot: string }, where: string): void {
  if (life.clean || medium.caps.durable === 'power') return;
  if (life.boot !== '' && life.boot === medium.boot) return;
  throw new PmemError(
    'PMEM_UNTRUSTED',
    `expected ${where} to have been closed, or left on this boot of the machine; it was in use when the machine stopped, and ${medium.backend} survives the process alone: open it with create: 'replace' and rebuild what it held`,
  );
}

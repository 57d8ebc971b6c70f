/**
 * A region: memory outside the heap, addressed by byte offsets, that an allocator hands out and that
 * a structure reaches again through its roots.
 *
 *     offset (bytes)   0 ........ 2^30 ........ 2^31 ....
 *     windows          [   0    ] [    1    ] [   2 ...     each at most WINDOW_BYTES_MAX
 *
 * Addresses inside the region are stored as 32-bit counts of 8-byte units ("units"): 32 GiB. An
 * allocation never straddles two windows, so that (window, position) is found by a shift and a mask.
 *
 * Invariants
 *  1. Offset 0 is no allocation: a stored 0 means "nothing".
 *  2. Reads go straight to a window's typed arrays. Writes to a region go through the methods of
 *     `RegionWindow`: on real backends they are one store each and inline; the simulator traces them.
 *  3. A commit point is one `commit32`: an aligned 32-bit atomic store. What it publishes is
 *     persisted before it (`flush` of the lines, then `drain`).
 *  4. `flush` and `drain` do nothing where `durable` is 'none' or 'process': `region.flushes` says
 *     whether they are needed, so that hot paths can skip the calls.
 *  5. One thread writes a region. Others read, under an epoch guard.
 */

/** What the region's contents survive: nothing, kill -9 of the process, or a power loss. */
export type Durability = 'none' | 'process' | 'power';

export type Backend = 'heap' | 'file' | 'mmap' | 'libpmem' | 'sim';

export interface RegionCaps {
  readonly durable: Durability;
  /** The unit of write-back: a cache line of 64 bytes, or a page. */
  readonly granularityBytes: number;
  /** Whether worker threads can attach to it. */
  readonly shared: boolean;
}

/** A contiguous part of the region. Indexes count elements of the array or, for bytes, bytes. */
export interface RegionWindow {
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  /** Length in bytes. */
  readonly bytes: number;

  /** One plain aligned 32-bit store. `index` counts 32-bit words. */
  store32(index: number, value: number): void;
  /** One atomic, sequentially consistent 32-bit store: a commit point, a lock word, a version. */
  commit32(index: number, value: number): void;
  /** One 64-bit float store: times, which are whole numbers below 2^53. `index` counts doubles. */
  storeF64(index: number, value: number): void;
  /** Copies `source[from, to)` to byte `at`. */
  copyIn(at: number, source: Uint8Array, from: number, to: number): void;
  /** Copies `[from, to)` of this window to byte `at` of `target`, which may be this window. */
  copyWithin(target: RegionWindow, at: number, from: number, to: number): void;
  /** Zeroes the bytes `[from, to)`. */
  zero(from: number, to: number): void;
}

export interface AllocOptions {
  /**
   * Offset of a 32-bit word of the region. The allocation's address (in units) is stored there as
   * part of the allocation: after a crash either both happened or neither. Without it the block
   * belongs to nobody until `publish` names its word, and is given back when the region is opened
   * after a crash before that.
   */
  into?: number;
}

export interface PublishOptions {
  /**
   * Offset of an allocation that loses its owner in the same step: what the word named before. It
   * is given back when the region is opened after a crash; free it, or retire it under epochs.
   */
  withdraws?: number;
  /** Further words that change in the same step: `[offset, value]` pairs, at most 8. */
  words?: readonly (readonly [offset: number, value: number])[];
}

/** How a region came to be open. */
export interface RegionOpening {
  /** `recovered`: it was not closed; what its owner knew beside the region is gone. */
  readonly how: 'created' | 'clean' | 'recovered';
  /** Whether a transaction was cut off in the middle and has been finished. */
  readonly redone: boolean;
  /** Allocations that belonged to nobody and were given back. */
  readonly returnedBlocks: number;
}

export interface RegionStats {
  bytesMax: number;
  /** Bytes handed out, with their rounding and their headers. */
  allocatedBytes: number;
  /** Bytes in the allocator's free lists. */
  freeBytes: number;
  /** Bytes never handed out yet. */
  untouchedBytes: number;
  /** Bytes of the memory itself as far as it was touched. */
  footprintBytes: number;
  /** 0 when all free bytes are one block, towards 1 as they fall apart: 1 - largest / free. */
  fragmentation: number;
  /** Allocations that exist. */
  blocks: number;
  allocations: number;
  frees: number;
  flushes: number;
  drains: number;
}

/** What a walk over a whole region found. */
export interface RegionVerdict {
  readonly ok: boolean;
  /** What is wrong, at most 20 of it; empty where all is well. */
  readonly problems: readonly string[];
  readonly ownedBlocks: number;
  /** Handed out, and named by nothing that survives. */
  readonly pendingBlocks: number;
  readonly freeBlocks: number;
  /** Bytes include the blocks' headers; with the region's header (4096) they add up to its size. */
  readonly ownedBytes: number;
  readonly pendingBytes: number;
  readonly freeBytes: number;
  readonly untouchedBytes: number;
}

/** A point-in-time image of what lives in a region, read while writes go on (R16). */
export interface RegionImage {
  /** Bounded work: visits about `entriesMax` entries; `false` at the end. */
  next(entriesMax: number): boolean;
  /** Bytes that the image alone keeps from being reclaimed. */
  readonly retainedBytes: number;
  /** Gives up what it retains. Called once, at the end or instead of it. */
  release(): void;
}

/** What worker threads need to attach: post `handle` with `transfer`. */
export interface RegionShare {
  readonly handle: unknown;
  readonly transfer: readonly unknown[];
}

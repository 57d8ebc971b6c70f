/**
 * What a region lies on. A medium gives the windows and knows how stores become durable; the
 * allocator, the roots and the epochs know nothing else of it.
 *
 * Invariants
 *  1. `windows` cover the region without gaps; all but the last have `WINDOW_BYTES_MAX` bytes.
 *  2. Memory up to what was reserved can be stored to without failing: a full disk shows in
 *     `reserve`, never as a signal.
 *  3. After `flush(range); drain()` the bytes of the range survive what `caps.durable` says. Where
 *     `flushes` is false every store does at once, and both do nothing.
 *  4. After `close` stores go nowhere that matters, and never crash the process.
 */
import type { Backend, RegionCaps, RegionWindow } from '../types.js';

export interface Medium {
  readonly backend: Backend;
  readonly caps: RegionCaps;
  readonly flushes: boolean;
  /** The boot of the machine that memory belongs to, at most 40 characters; empty if unknown. */
  readonly boot: string;
  readonly bytesMax: number;
  /** Whether it was made just now, and is empty. */
  readonly created: boolean;
  readonly windows: readonly RegionWindow[];
  /** Makes the first `bytes` bytes of a window usable. Throws `PMEM_EXHAUSTED` on a full disk. */
  reserve(window: number, bytes: number): void;
  /** Begins to write back `[offset, offset + bytes)`. */
  flush(offset: number, bytes: number): void;
  /** Waits until everything flushed is durable. Throws `PMEM_IO`; the region is poisoned then. */
  drain(): void;
  /**
   * Brings `[offset, offset + bytes)` to the medium itself, also where `flushes` is false: for the
   * marks of opening and closing, on which the trust after a power loss rests.
   */
  writeThrough(offset: number, bytes: number): void;
  /** The memory, one buffer a window, for other threads; `undefined` where they cannot have it. */
  buffers(): readonly SharedArrayBuffer[] | undefined;
  close(): Promise<void>;
}

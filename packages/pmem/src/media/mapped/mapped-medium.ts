/**
 * A file as memory: every store is in the page cache at once, and survives the process.
 *
 * Invariants
 *  1. Disk space is taken before blocks reach it: a store into a hole of a full disk would be a
 *     signal, not an error.
 *  2. `writeThrough` reaches the disk itself; `flush` and `drain` do only where the memory is
 *     persistent (a `Persister` is given).
 *  3. After `close` the windows are zero pages of nobody's.
 *
 * What cannot be guarded against: somebody cutting the file short under the map. The lock keeps our
 * own kind away.
 */
import { PmemError } from '../../errors.js';
import { HEADER_BYTES, MAGIC, WINDOWS_LINE } from '../../format.js';
import { RESERVE_STEP_BYTES, WINDOW_BYTES_MAX } from '../../limits.js';
import type { Backend, RegionCaps } from '../../types.js';
import type { MemoryWindow } from '../../window.js';
import type { Medium } from '../medium.js';
import { fullDisk, type RegionFile } from '../region-file.js';
import type { Native } from './native.js';
import { type Mapping, mapShared, mapUnshared, unmap } from './overlay.js';

const PAGE_BYTES = 4096;
/** A word of the header page that no version uses: the self-test writes and clears it. */
const SELF_TEST_OFFSET = HEADER_BYTES - 8;
const SELF_TEST_WORD = 0x5e1f_7e57;

/** Brings processor caches to persistent memory; addresses and lengths in bytes. */
export interface Persister {
  flush(address: number, bytes: number): void;
  drain(): void;
}

export interface MappedOptions {
  backend: Backend;
  flags: number;
  /** Prefer memory that threads can share; default true. */
  shared?: boolean;
  persister?: Persister;
}

export class MappedMedium implements Medium {
  readonly backend: Backend;
  readonly caps: RegionCaps;
  readonly flushes: boolean;
  readonly boot: string;
  readonly bytesMax: number;
  readonly created: boolean;
  readonly windows: readonly MemoryWindow[];
  readonly #native: Native;
  readonly #source: RegionFile;
  readonly #persister: Persister | undefined;
  readonly #fd: number;
  readonly #mappings: Mapping[] = [];
  /** Bytes of each window that have disk space. */
  readonly #reserved: number[];
  #closed = false;

  /** Maps the file; on an error everything but `source` is given back. */
  constructor(native: Native, source: RegionFile, options: MappedOptions) {
    const { backend, flags, shared = true, persister } = options;
    this.#native = native;
    this.#source = source;
    this.#persister = persister;
    this.backend = backend;
    this.boot = source.lock.owner.bootId;
    this.bytesMax = source.bytesMax;
    this.created = source.created;
    this.flushes = persister !== undefined;
    this.#fd = openNative(native, source.path);
    try {
      // The size alone; space follows as blocks need it.
      if (source.file.sizeSync() < this.bytesMax) source.file.truncateSync(this.bytesMax);
      const isShared = shared && this.#mapAll(mapShared, flags) && this.#selfTest();
      if (!isShared) {
        this.#unmapAll();
        this.#mapAll(mapUnshared, flags);
        if (!this.#selfTest()) throw unavailable('the mapping does not show what the file holds');
      }
      this.windows = this.#mappings.map(({ window }) => window);
      this.#reserved = this.windows.map(() => 0);
      this.#reserveUsed();
      this.caps = {
        durable: persister === undefined ? 'process' : 'power',
        granularityBytes: persister === undefined ? PAGE_BYTES : 64,
        shared: isShared,
      };
    } catch (error) {
      this.#unmapAll();
      native.close(this.#fd);
      throw error;
    }
  }

  /** Address of the first byte of a window, for tests of what persists it. */
  addressOf(window: number): number {
    return this.#mappings[window].address;
  }

  reserve(window: number, bytes: number): void {
    const reserved = this.#reserved[window];
    if (bytes <= reserved) return;
    const step = Math.ceil(bytes / RESERVE_STEP_BYTES) * RESERVE_STEP_BYTES;
    const end = Math.min(step, this.#mappings[window].bytes);
    try {
      this.#native.allocate(this.#fd, window * WINDOW_BYTES_MAX + reserved, end - reserved);
    } catch (cause) {
      throw fullDisk(this.#source.path, window * WINDOW_BYTES_MAX + end, cause);
    }
    this.#reserved[window] = end;
  }

  flush(offset: number, bytes: number): void {
    if (this.#closed) return;
    const { address } = this.#mappings[Math.floor(offset / WINDOW_BYTES_MAX)];
    this.#persister?.flush(address + (offset % WINDOW_BYTES_MAX), bytes);
  }

  drain(): void {
    this.#persister?.drain();
  }

  writeThrough(offset: number, bytes: number): void {
    if (this.#closed) return;
    const { address } = this.#mappings[Math.floor(offset / WINDOW_BYTES_MAX)];
    const from = offset % WINDOW_BYTES_MAX;
    const first = from - (from % PAGE_BYTES);
    try {
      this.#native.sync(address + first, from + bytes - first);
    } catch (cause) {
      throw new PmemError(
        'PMEM_IO',
        `expected to write ${this.#source.path} back, got ${String(cause)}: mend the disk and open the region again`,
        { cause },
      );
    }
  }

  buffers(): readonly SharedArrayBuffer[] | undefined {
    const buffers = this.#mappings.flatMap(({ buffer }) => (buffer === undefined ? [] : [buffer]));
    return buffers.length === this.#mappings.length ? buffers : undefined;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const mapping of this.#mappings) unmap(this.#native, mapping);
    this.#native.close(this.#fd);
    try {
      await this.#source.file.close();
    } finally {
      await this.#source.lock.release();
    }
  }

  /** Maps every window; false where this way of mapping does not exist here. */
  #mapAll(map: typeof mapShared, flags: number): boolean {
    for (let from = 0; from < this.bytesMax; from += WINDOW_BYTES_MAX) {
      const bytes = Math.min(WINDOW_BYTES_MAX, this.bytesMax - from);
      const mapping = map(this.#native, this.#fd, from, bytes, flags);
      if (mapping === undefined) return false;
      this.#mappings.push(mapping);
    }
    return true;
  }

  #unmapAll(): void {
    for (const mapping of this.#mappings.splice(0)) unmap(this.#native, mapping);
  }

  /** Whether the first window shows the file, and the file what is stored there. */
  #selfTest(): boolean {
    const { u8, i32 } = this.#mappings[0].window;
    if (Buffer.from(u8.subarray(0, MAGIC.length)).toString('latin1') !== MAGIC) return false;
    const word = Buffer.alloc(4);
    Atomics.store(i32, SELF_TEST_OFFSET / 4, SELF_TEST_WORD);
    this.#source.file.readAtSync(word, SELF_TEST_OFFSET);
    Atomics.store(i32, SELF_TEST_OFFSET / 4, 0);
    return word.readInt32LE() === SELF_TEST_WORD;
  }

  /**
   * A copied file may have holes where blocks are: they get their space before the first store. A
   * file that has all its space is left alone, since taking it again walks every page of a tmpfs
   * (150 ms for 3 GiB).
   */
  #reserveUsed(): void {
    const used = this.windows.map((_, window) => this.#usedBytes(window));
    const whole = used.reduce((sum, bytes) => sum + bytes, 0);
    const hasAll = this.#native.allocatedBytes(this.#fd) >= whole;
    for (const [window, bytes] of used.entries()) {
      if (hasAll) this.#reserved[window] = bytes;
      else if (bytes > 0) this.reserve(window, bytes);
    }
  }

  /** Bytes up to the end of a window's blocks, as the header says. */
  #usedBytes(window: number): number {
    const bytes = this.windows[0].i32[WINDOWS_LINE * 16 + window * 2] * 64;
    const { bytes: windowBytes } = this.windows[window];
    if (bytes >= (window === 0 ? HEADER_BYTES : 0) && bytes <= windowBytes) return bytes;
    throw new PmemError(
      'PMEM_CORRUPT',
      `expected at most ${windowBytes} used bytes in window ${window} of ${this.#source.path}, got ${bytes}: open it with create: 'replace' and rebuild what it held`,
    );
  }
}

export function unavailable(why: string, cause?: unknown): PmemError {
  return new PmemError(
    'PMEM_BACKEND_UNAVAILABLE',
    `expected to map the region's file, but ${why}: use the backend heap or file`,
    { cause },
  );
}

function openNative(native: Native, path: string): number {
  try {
    return native.open(path);
  } catch (cause) {
    throw unavailable(`${path} is no file of this machine (${String(cause)})`, cause);
  }
}

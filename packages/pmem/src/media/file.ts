/**
 * Memory with a file behind it: what is flushed is written and synced by `drain`, page by page.
 *
 *     store ─▶ SharedArrayBuffer ─flush─▶ dirty pages ─drain─▶ writeAt ... ─▶ fdatasync
 *
 * Invariants
 *  1. Nothing is written but pages that were flushed; a page is written whole, with stores to it that
 *     were not flushed (a cache may evict those at any time, too).
 *  2. Room on the disk is taken, with zeros, before blocks reach it.
 *  3. The first failed write or sync is final: what the file holds is unknown from then on.
 *
 * Only pages up to where blocks reach are read at open.
 */
import { readFullySync, writeFullySync } from '@nendb/vfs';
import { PmemError } from '../errors.js';
import { HEADER_BYTES, WINDOWS_LINE } from '../format.js';
import { RESERVE_STEP_BYTES, WINDOW_BYTES_MAX } from '../limits.js';
import type { RegionCaps } from '../types.js';
import { MemoryWindow } from '../window.js';
import { sharedBuffers } from './heap.js';
import type { Medium } from './medium.js';
import type { RegionOptions } from './open-medium.js';
import { fullDisk, openRegionFile, type RegionFile } from './region-file.js';

const PAGE_BYTES = 4096;
/** Neighbouring dirty pages are written together up to here. */
const WRITE_BYTES_MAX = 1024 * 1024;

export class FileMedium implements Medium {
  readonly backend = 'file';
  readonly caps: RegionCaps = { durable: 'power', granularityBytes: PAGE_BYTES, shared: true };
  readonly flushes = true;
  readonly boot: string;
  readonly bytesMax: number;
  readonly created: boolean;
  readonly windows: readonly MemoryWindow[];
  readonly #source: RegionFile;
  readonly #buffers: readonly SharedArrayBuffer[];
  readonly #dirty = new Set<number>();
  #fileBytes: number;
  #failure: Error | undefined;

  /** Opens the file that `options` name; see `Region.open` for the errors. */
  static async open(options: RegionOptions): Promise<FileMedium> {
    const source = await openRegionFile(options);
    try {
      return new FileMedium(source);
    } catch (error) {
      await source.file.close();
      await source.lock.release();
      throw error;
    }
  }

  private constructor(source: RegionFile) {
    this.#source = source;
    this.boot = source.lock.owner.bootId;
    this.bytesMax = source.bytesMax;
    this.created = source.created;
    this.#fileBytes = source.file.sizeSync();
    this.#buffers = sharedBuffers(this.bytesMax);
    this.windows = this.#buffers.map((buffer) => new MemoryWindow(buffer, 0, buffer.byteLength));
    this.#load();
  }

  reserve(window: number, bytes: number): void {
    const needed = window * WINDOW_BYTES_MAX + bytes;
    if (needed <= this.#fileBytes) return;
    this.#checkHealth();
    const { file, path } = this.#source;
    const step = Math.ceil(needed / RESERVE_STEP_BYTES) * RESERVE_STEP_BYTES;
    const end = Math.min(step, this.bytesMax);
    const zeros = new Uint8Array(Math.min(WRITE_BYTES_MAX, end - this.#fileBytes));
    try {
      for (let at = this.#fileBytes; at < end; at += zeros.length) {
        writeFullySync(file, zeros.subarray(0, Math.min(zeros.length, end - at)), at);
      }
      file.syncSync();
    } catch (cause) {
      const error = fullDisk(path, end, cause);
      // A failed sync is final; a write that found no room left nothing that matters.
      if (error.code === 'PMEM_IO') this.#failure = error;
      throw error;
    }
    this.#fileBytes = end;
  }

  flush(offset: number, bytes: number): void {
    const last = Math.floor((offset + bytes - 1) / PAGE_BYTES);
    for (let page = Math.floor(offset / PAGE_BYTES); page <= last; page++) this.#dirty.add(page);
  }

  drain(): void {
    this.#checkHealth();
    if (this.#dirty.size === 0) return;
    try {
      for (const [from, to] of this.#runs()) {
        const window = Math.floor(from / WINDOW_BYTES_MAX);
        const base = window * WINDOW_BYTES_MAX;
        const source = this.windows[window].u8.subarray(from - base, to - base);
        writeFullySync(this.#source.file, source, from);
      }
      this.#source.file.syncSync({ dataOnly: true });
    } catch (cause) {
      this.#failure = cause instanceof Error ? cause : new Error(String(cause));
      throw new PmemError(
        'PMEM_IO',
        `expected to write ${this.#source.path} back, got ${this.#failure.message}: the region takes nothing more; mend the disk and open it again`,
        { cause },
      );
    }
    this.#dirty.clear();
  }

  writeThrough(offset: number, bytes: number): void {
    this.flush(offset, bytes);
    this.drain();
  }

  buffers(): readonly SharedArrayBuffer[] {
    return this.#buffers;
  }

  async close(): Promise<void> {
    try {
      await this.#source.file.close();
    } finally {
      await this.#source.lock.release();
    }
  }

  /** Dirty pages in order, neighbours together, none over the end of a window. */
  *#runs(): Generator<readonly [from: number, to: number]> {
    const pages = Float64Array.from(this.#dirty).sort();
    let from = pages[0] * PAGE_BYTES;
    let to = from;
    for (const page of pages) {
      const at = page * PAGE_BYTES;
      const joins = at === to && to - from < WRITE_BYTES_MAX && at % WINDOW_BYTES_MAX !== 0;
      if (!joins && to > from) {
        yield [from, to];
        from = at;
      }
      to = at + PAGE_BYTES;
    }
    yield [from, to];
  }

  #load(): void {
    const [window] = this.windows;
    readFullySync(this.#source.file, window.u8.subarray(0, HEADER_BYTES), 0);
    for (let i = 0; i < this.windows.length; i++) {
      const { u8, bytes } = this.windows[i];
      const used = window.i32[WINDOWS_LINE * 16 + i * 2] * 64;
      const at = i * WINDOW_BYTES_MAX;
      if (used < 0 || used > bytes || at + used > Math.max(this.#fileBytes, HEADER_BYTES)) {
        throw new PmemError(
          'PMEM_CORRUPT',
          `expected ${this.#source.path} to hold ${used} bytes from offset ${at}, got a file of ${this.#fileBytes} bytes: restore it, or open it with create: 'replace'`,
        );
      }
      const came = readFullySync(this.#source.file, u8.subarray(0, used), at);
      if (came !== used) {
        throw new PmemError('PMEM_CORRUPT', `expected ${used} bytes at ${at}, got ${came}`);
      }
    }
  }

  #checkHealth(): void {
    if (this.#failure === undefined) return;
    throw new PmemError(
      'PMEM_POISONED',
      `expected ${this.#source.path} to be written back so far, got a failure before (${this.#failure.message}): mend the disk and open the region again`,
      { cause: this.#failure },
    );
  }
}

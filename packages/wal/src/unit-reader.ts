/**
 * Reads the whole units of a segment, oldest first: one frame, or all fragments of a unit put
 * together. Hot: no object and no promise per frame while the buffer lasts.
 *
 * Invariants
 *  1. Only committed units come out; a bad or missing frame before the segment's end is
 *     `WAL_CORRUPT` with file and offset, for the segment's end is known.
 *  2. At the end of a sealed segment that was read from its start the chained checksum must be what
 *     the successor says.
 *  3. A fragmented unit is allocated after its first header was checked, never beyond what the
 *     file can hold.
 */
import type { Vfs, VfsFile } from '@nendb/vfs';
import type { Segment } from './directory.js';
import { corrupt, errnoOf, WalError } from './errors.js';
import * as format from './format.js';
import { FrameCursor, Step } from './frame-cursor.js';
import { INFLATES_MAX } from './limits.js';
import { seekUnit } from './seek.js';
import { sourceOf } from './tail-scan.js';
import type { IndexEntry } from './trailer.js';

export interface UnitReaderOptions {
  /** Whether a successor holds the segment's chained checksum. */
  sealed: boolean;
  fromLsn: number;
  /** Whether what was read stays valid: see `FrameCursor`. */
  keepBuffers: boolean;
}

export class UnitReader {
  /** The unit's payload is `bytes` from `from` to `to`. */
  bytes: Uint8Array = new Uint8Array(0);
  from = 0;
  to = 0;
  firstLsn = 0;
  count = 0;
  epoch = 0;
  databaseTimeMs = 0;
  /** File offset of its first frame. */
  offset = 0;

  readonly #file: VfsFile;
  #segment: Segment;
  #sealed: boolean;
  /** Whether frames were passed over unread: the chained checksum is then unknown. */
  readonly #sought: boolean;
  readonly #cursor: FrameCursor;
  readonly #fromLsn: number;

  private constructor(
    file: VfsFile,
    segment: Segment,
    options: UnitReaderOptions,
    start: IndexEntry | undefined,
  ) {
    this.#file = file;
    this.#segment = segment;
    this.#sealed = options.sealed;
    this.#fromLsn = options.fromLsn;
    this.#cursor = new FrameCursor(file, sourceOf(segment), segment.end, options.keepBuffers);
    this.#cursor.skipBelowLsn = options.fromLsn;
    this.#sought = start !== undefined;
    if (start) this.#cursor.startAt(start.lsn, start.offset);
  }

  /**
   * Opens `segment` up to its `end`, near `fromLsn` where an index helps. Units that end below it are
   * passed over, their payloads unchecked. Throws `WAL_TRUNCATED_AWAY` where the file is gone.
   */
  static async open(vfs: Vfs, segment: Segment, options: UnitReaderOptions): Promise<UnitReader> {
    const file = await UnitReader.#openFile(vfs, segment);
    try {
      const start = await seekUnit(file, segment, options.fromLsn);
      return new UnitReader(file, segment, options, start);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  static async #openFile(vfs: Vfs, segment: Segment): Promise<VfsFile> {
    try {
      return await vfs.open(segment.path, 'read');
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      throw new WalError(
        'WAL_TRUNCATED_AWAY',
        `${segment.path} was cut off while it was to be read: read from the log's first LSN`,
        { file: segment.path, cause: error },
      );
    }
  }

  /** The segment has grown to the `end` of `segment`, or has been sealed there. */
  follow(segment: Segment, sealed: boolean): void {
    this.#segment = segment;
    this.#sealed = sealed;
    this.#cursor.extend(segment.end);
  }

  /** `true` when the next unit is here, `false` at the end, a promise where bytes must be read. */
  next(): boolean | Promise<boolean> {
    const cursor = this.#cursor;
    for (;;) {
      const step = cursor.step();
      if (step === Step.more) return cursor.fill().then(() => this.next());
      if (step !== Step.frame) return this.#finish(step);
      const { header } = cursor;
      if (header.firstLsn + header.count <= this.#fromLsn || header.count === 0) continue;
      this.firstLsn = header.firstLsn;
      this.count = header.count;
      this.epoch = header.epoch;
      this.databaseTimeMs = header.databaseTimeMs;
      this.offset = cursor.offset;
      if ((header.flags & format.FLAG_LAST) === 0) return this.#assemble();
      this.bytes = cursor.plain;
      this.from = cursor.plainFrom;
      this.to = cursor.plainTo;
      return true;
    }
  }

  async #assemble(): Promise<boolean> {
    const cursor = this.#cursor;
    const { unitBytes } = cursor.header;
    const { end, header: segment } = this.#segment;
    const room = (end - cursor.offset) * (segment.compressed ? INFLATES_MAX : 1);
    if (unitBytes > room) {
      throw corrupt(this.#segment.path, cursor.offset, `a unit of ${unitBytes} bytes`);
    }
    const unit = new Uint8Array(unitBytes);
    for (let done = 0; ; ) {
      const { header, plain, plainFrom, plainTo } = cursor;
      unit.set(plain.subarray(plainFrom, plainTo), done);
      done += plainTo - plainFrom;
      if ((header.flags & format.FLAG_LAST) !== 0) break;
      let step = cursor.step();
      while (step === Step.more) {
        await cursor.fill();
        step = cursor.step();
      }
      if (step !== Step.frame) return this.#finish(step);
    }
    this.bytes = unit;
    this.from = 0;
    this.to = unitBytes;
    return true;
  }

  #finish(step: Step): boolean {
    const cursor = this.#cursor;
    const { path, end, chain } = this.#segment;
    if (step === Step.bad) throw corrupt(path, cursor.next, cursor.problem);
    if (cursor.committedEnd !== end) {
      throw corrupt(path, cursor.committedEnd, `the frames end here, expected them up to ${end}`);
    }
    if (cursor.committedLsn !== this.#segment.lastLsn) {
      throw corrupt(
        path,
        end,
        `LSN ${cursor.committedLsn} is the last, expected ${this.#segment.lastLsn}`,
      );
    }
    if (this.#sealed && !this.#sought && cursor.committedChain !== chain) {
      throw corrupt(path, end, 'the chained checksum is not the one its successor holds');
    }
    return false;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** A `WAL_CORRUPT` error for a unit whose records do not fill it. */
  malformed(): WalError {
    return corrupt(
      this.#segment.path,
      this.offset,
      `${this.count} records do not fit the ${this.to - this.from} bytes of their unit`,
    );
  }
}

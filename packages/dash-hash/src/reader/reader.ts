/**
 * A table in another thread: reads without locks while the owner writes.
 *
 *     const { handle, transfer } = table.share();       worker.postMessage(handle, transfer)
 *     const reader = DashReader.attach(handle);         in the worker
 *     reader.get(key);
 *
 * Invariants
 *  1. Each call is one guard; `read` makes one of many calls, which costs less. No guard lasts over an
 *     `await`.
 *  2. An answer was true at some moment of the call. Of two calls the later sees the later state.
 *
 * Concurrency: belongs to the thread that attached it. When that thread ends, however it does, it
 * holds nothing back.
 */
import { type AttachedEpochs, type EpochReader, Epochs, Region } from '@nendb/pmem';
import { DashError } from '../errors.js';
import { RecordReader } from '../log/record.js';
import { checkCursor } from '../table/arguments.js';
import type { RecordVisitor } from '../table/scan.js';
import { ReaderProbe } from './probe.js';
import { ReaderScan } from './scan.js';
import { checkHandle, type DashHandle } from './share.js';

export class DashReader {
  readonly #epochs: AttachedEpochs;
  readonly #guard: EpochReader;
  readonly #probe: ReaderProbe;
  readonly #scan: ReaderScan;
  readonly #records: RecordReader;
  #closed = false;

  /** What another thread's `share()` gave. Throws `DASH_BAD_OPTION`, `PMEM_EPOCH_SLOTS`. */
  static attach(handle: unknown): DashReader {
    return new DashReader(checkHandle(handle));
  }

  private constructor(handle: DashHandle) {
    const { windows } = Region.attach(handle.region);
    this.#epochs = Epochs.attach(handle.epochs);
    this.#guard = this.#epochs.register();
    this.#records = new RecordReader(windows, handle.pieceBytes);
    this.#probe = new ReaderProbe(windows, this.#records, handle.table);
    this.#scan = new ReaderScan(this.#probe);
  }

  /** Accessors of records that `find` and `scan` give: inside `read`, or inside the visitor. */
  get records(): RecordReader {
    return this.#records;
  }

  /** A copy of the value. Throws `DASH_STARVED`, `DASH_CLOSED`. */
  get(key: Uint8Array): Uint8Array | undefined {
    this.#enter();
    try {
      const record = this.#probe.find(key, 0, key.length);
      if (record === 0) return undefined;
      const value = new Uint8Array(this.#records.valueBytes(record));
      this.#records.copyValue(record, value, 0);
      return value;
    } finally {
      this.#guard.exit();
    }
  }

  /** Copies the value to `target` at `at`; its length in bytes, or -1 where there is none. */
  getInto(key: Uint8Array, target: Uint8Array, at: number): number {
    this.#enter();
    try {
      const record = this.#probe.find(key, 0, key.length);
      return record === 0 ? -1 : this.#records.copyValue(record, target, at);
    } finally {
      this.#guard.exit();
    }
  }

  has(key: Uint8Array): boolean {
    this.#enter();
    try {
      return this.#probe.find(key, 0, key.length) !== 0;
    } finally {
      this.#guard.exit();
    }
  }

  /** Runs `work` under one guard: what `find` gives there can be read until it returns. */
  read<T>(work: () => T): T {
    if (this.#closed) this.#refuse();
    return this.#guard.run(work);
  }

  /** The record of the key `bytes[from, to)`, or 0. Inside `read`. */
  find(bytes: Uint8Array, from: number, to: number): number {
    return this.#probe.find(bytes, from, to) >>> 0;
  }

  /**
   * Visits about `count` entries from `cursor` (0 begins); the next cursor, 0 at the end. An entry
   * that is there from the first call to the last is visited at least once.
   */
  scan(cursor: number, count: number, visit: RecordVisitor): number {
    checkCursor(cursor);
    this.#enter();
    try {
      return this.#scan.run(cursor, Math.max(1, count), visit);
    } finally {
      this.#guard.exit();
    }
  }

  /** Looks that had to be repeated because entries moved. */
  get retries(): number {
    return this.#probe.retries;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#epochs.close();
  }

  #enter(): void {
    if (this.#closed) this.#refuse();
    this.#guard.enter();
  }

  #refuse(): never {
    throw new DashError('DASH_CLOSED', 'expected an open reader, got a closed one: attach again');
  }
}

/**
 * The values of entries, from beside their keys or from the value log.
 *
 * Value files are opened at first use; those that were used last stay open.
 */
import type { DataKeys } from '@nendb/codec';
import { joinPath, type Vfs } from '@nendb/vfs';
import type { MemoryBudget } from '../cache/memory-budget.js';
import { copyBytes } from '../copy-bytes.js';
import { type Entry, EntryKind } from '../entry.js';
import { readError } from '../io-error.js';
import { OPEN_VALUE_FILES_MAX } from '../limits.js';
import { valueFile } from '../manifest/format.js';
import { readPointer, type ValuePointer } from '../value-log/pointer.js';
import { ValueReader } from '../value-log/value-reader.js';
import { ValueCache } from './value-cache.js';

export interface ValuesOptions {
  vfs: Vfs;
  dir: string;
  databaseUuid: Uint8Array;
  keys: DataKeys | undefined;
  budget: MemoryBudget;
}

export class Values {
  readonly #options: ValuesOptions;
  /** In the order of their last use. */
  readonly #open = new Map<number, ValueReader>();
  #closing: Promise<unknown> = Promise.resolve();
  readonly #pointer = { file: 0, offset: 0, bytes: 0 };
  readonly #cache: ValueCache;

  constructor(options: ValuesOptions) {
    this.#options = options;
    this.#cache = new ValueCache(options.budget);
  }

  /** The value of `entry`: a new array. Throws `LSM_CORRUPT`, `LSM_WRONG_KEY`, `LSM_IO`. */
  copyOf(entry: Entry): Uint8Array {
    return entry.kind === EntryKind.pointer
      ? this.#read(entry).slice()
      : copyBytes(entry.valueBytes, entry.valueFrom, entry.valueTo);
  }

  /**
   * `copyOf` without blocking the thread for the value log. The version that `entry` was found in is the
   * caller's to pin until it resolves; `entry` itself is not looked at any more by then.
   */
  async copyOfAsync(entry: Entry): Promise<Uint8Array> {
    if (entry.kind !== EntryKind.pointer) return this.copyOf(entry);
    const { valueBytes, valueFrom, valueTo } = entry;
    try {
      const pointer = readPointer(valueBytes, valueFrom, valueTo, this.#pointer);
      const known = this.#cache.get(pointer);
      if (known !== undefined) return known.slice();
      return await this.#reader(pointer.file).readAsync(pointer, entry);
    } catch (error) {
      throw readError(error);
    }
  }

  /** The value of `entry`, borrowed where it lies beside its key. */
  viewOf(entry: Entry): Uint8Array {
    return entry.kind === EntryKind.pointer
      ? this.#read(entry)
      : entry.valueBytes.subarray(entry.valueFrom, entry.valueTo);
  }

  /** Whether the value is in memory. */
  isReady(entry: Entry): boolean {
    return entry.kind !== EntryKind.pointer || this.#cache.has(this.#pointerOf(entry));
  }

  /** Brings the value into memory, without blocking the thread for its bytes. */
  async load(entry: Entry): Promise<void> {
    if (this.isReady(entry)) return;
    const pointer = { ...this.#pointerOf(entry) };
    const reader = this.#reader(pointer.file);
    this.#cache.keep(pointer, await reader.readAsync(pointer, entry));
  }

  #reader(number: number): ValueReader {
    const known = this.#open.get(number);
    if (known !== undefined) return known;
    const { vfs, dir, databaseUuid, keys } = this.#options;
    const file = vfs.openSync(joinPath(dir, valueFile(number)), 'read');
    let reader: ValueReader;
    try {
      reader = ValueReader.open(file, { databaseUuid, ...(keys && { keys }) });
    } catch (error) {
      file.closeSync();
      throw error;
    }
    if (this.#open.size >= OPEN_VALUE_FILES_MAX) {
      const oldest = this.#open.keys().next();
      if (!oldest.done) this.forget(oldest.value);
    }
    this.#open.set(number, reader);
    return reader;
  }

  /** Closes the file, if it is open, when nobody reads it any more. */
  forget(number: number): void {
    const reader = this.#open.get(number);
    if (reader === undefined) return;
    this.#open.delete(number);
    // A file that was only read holds nothing that could be lost where it will not close.
    const closed = reader.close().catch(() => undefined);
    this.#closing = Promise.all([this.#closing, closed]);
  }

  async close(): Promise<void> {
    for (const number of [...this.#open.keys()]) this.forget(number);
    await this.#closing;
  }

  /** Not to be changed: it may be the cache's. */
  #read(entry: Entry): Uint8Array {
    const pointer = this.#pointerOf(entry);
    const known = this.#cache.get(pointer);
    if (known !== undefined) return known;
    try {
      const value = this.#reader(pointer.file).read(pointer, entry);
      this.#cache.keep(pointer, value);
      return value;
    } catch (error) {
      throw readError(error);
    }
  }

  #pointerOf({ valueBytes, valueFrom, valueTo }: Entry): ValuePointer {
    return readPointer(valueBytes, valueFrom, valueTo, this.#pointer);
  }
}

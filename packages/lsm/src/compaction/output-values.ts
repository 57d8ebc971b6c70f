/**
 * Where the values of a job go: beside their keys, into new value files, or where they are.
 *
 *     put, short            stays beside its key
 *     put, long             into the value log
 *     pointer               stays, unless its file is being emptied: then its value moves
 *
 * Invariants
 *  1. A value that moves keeps its key, its sequence number and its expiry.
 *  2. A file that is being emptied is only read; it goes when no table refers to it any more.
 */
import type { DataKeys } from '@nendb/codec';
import { joinPath, type Vfs } from '@nendb/vfs';
import { type Entry, EntryKind } from '../entry.js';
import { valueFile } from '../manifest/format.js';
import { POINTER_BYTES_MAX, putPointer, readPointer } from '../value-log/pointer.js';
import { ValueReader } from '../value-log/value-reader.js';
import { ValueWriter } from '../value-log/value-writer.js';
import type { ValueFileMeta } from '../version/table-meta.js';
import type { Job, JobPlace } from './job.js';

export interface OutputValuesOptions extends JobPlace {
  vfs: Vfs;
  job: Job;
  keys: DataKeys | undefined;
  nextFile(): number;
}

const NOTHING = new Uint8Array(0);

export class OutputValues {
  readonly files: ValueFileMeta[] = [];
  readonly #options: OutputValuesOptions;
  readonly #emptied: ReadonlySet<number>;
  readonly #readers = new Map<number, ValueReader>();
  readonly #pointer = { file: 0, offset: 0, bytes: 0 };
  readonly #pointerBytes = new Uint8Array(POINTER_BYTES_MAX);
  /** What is written in the place of an entry. */
  readonly #entry: Entry = {
    ...{ keyBytes: NOTHING, keyFrom: 0, keyTo: 0, sequence: 0, kind: EntryKind.delete },
    ...{ expireAtMs: 0, valueBytes: NOTHING, valueFrom: 0, valueTo: 0 },
  };
  #writer: ValueWriter | undefined;
  #writtenBytes = 0;
  #readBytes = 0;

  constructor(options: OutputValuesOptions) {
    this.#options = options;
    this.#emptied = new Set(options.job.rewriteValueFiles);
  }

  /** Bytes of all value files so far. */
  get writtenBytes(): number {
    return this.#writtenBytes + (this.#writer?.fileBytes ?? 0);
  }

  /** What was read from value files since the last call. */
  takeReadBytes(): number {
    const bytes = this.#readBytes;
    this.#readBytes = 0;
    return bytes;
  }

  /** `source` as a tombstone of the same sequence. Borrowed until the next call. */
  tombstone(source: Entry): Entry {
    return this.#replaced(source, EntryKind.delete, 0, NOTHING, 0);
  }

  /** What is written for `source`. Borrowed until the next call. */
  place(source: Entry): Entry {
    const { kind, valueBytes, valueFrom, valueTo, expireAtMs } = source;
    const threshold = this.#options.job.valueThresholdBytes;
    if (kind === EntryKind.put) {
      if (valueTo - valueFrom < threshold) return source;
      return this.#moved(source, valueBytes, valueFrom, valueTo);
    }
    if (kind !== EntryKind.pointer) return source;
    const pointer = readPointer(valueBytes, valueFrom, valueTo, this.#pointer);
    if (!this.#emptied.has(pointer.file)) return source;
    this.#readBytes += pointer.bytes;
    const value = this.#reader(pointer.file).read(pointer, source);
    if (value.length >= threshold) return this.#moved(source, value, 0, value.length);
    return this.#replaced(source, EntryKind.put, expireAtMs, value, value.length);
  }

  /** Ends the file that is being written. */
  finish(): void {
    const writer = this.#writer;
    if (writer === undefined) return;
    const { number, fileBytes, recordBytes, keyId } = writer.finish();
    this.#writer = undefined;
    this.#writtenBytes += fileBytes;
    const { createdMs } = this.#options.job;
    this.files.push({ number, fileBytes, recordBytes, keyId, createdMs });
  }

  /** Gives up the file that is being written. */
  abort(): void {
    this.#writer?.abort();
    this.#writer = undefined;
  }

  /** Lets go of the files that were read. */
  closeInputs(): void {
    for (const reader of this.#readers.values()) reader.closeSync();
    this.#readers.clear();
  }

  #moved(source: Entry, value: Uint8Array, from: number, to: number): Entry {
    const { keyBytes, keyFrom, keyTo, sequence, expireAtMs } = source;
    if (this.#writer !== undefined && this.#writer.fileBytes >= this.#options.job.valueFileBytes) {
      this.finish();
    }
    this.#writer ??= this.#begin();
    const pointer = this.#pointer;
    this.#writer.append(keyBytes, keyFrom, keyTo, sequence, value, from, to, pointer);
    const length = putPointer(this.#pointerBytes, 0, pointer);
    return this.#replaced(source, EntryKind.pointer, expireAtMs, this.#pointerBytes, length);
  }

  #replaced(
    { keyBytes, keyFrom, keyTo, sequence }: Entry,
    kind: EntryKind,
    expireAtMs: number,
    value: Uint8Array,
    length: number,
  ): Entry {
    const entry = this.#entry;
    entry.keyBytes = keyBytes;
    entry.keyFrom = keyFrom;
    entry.keyTo = keyTo;
    entry.sequence = sequence;
    entry.kind = kind;
    entry.expireAtMs = expireAtMs;
    entry.valueBytes = value;
    entry.valueFrom = 0;
    entry.valueTo = length;
    return entry;
  }

  #begin(): ValueWriter {
    const { vfs, dir, databaseUuid, keys, job, nextFile } = this.#options;
    const { compression, syncStepBytes } = job;
    const number = nextFile();
    const path = joinPath(dir, valueFile(number));
    return new ValueWriter(vfs, path, {
      ...{ databaseUuid, number, compression, syncStepBytes },
      ...(keys && { keys }),
    });
  }

  #reader(number: number): ValueReader {
    const known = this.#readers.get(number);
    if (known !== undefined) return known;
    const { vfs, dir, databaseUuid, keys } = this.#options;
    const file = vfs.openSync(joinPath(dir, valueFile(number)), 'read');
    try {
      const reader = ValueReader.open(file, { databaseUuid, ...(keys && { keys }) });
      this.#readers.set(number, reader);
      return reader;
    } catch (error) {
      file.closeSync();
      throw error;
    }
  }
}

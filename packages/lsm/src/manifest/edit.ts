/**
 * Version edits, and their bytes.
 *
 *     edit    field*
 *     field   tag uvarint, then what the tag says: uvarints; byte strings are length uvarint, bytes
 *
 * Invariants
 *  1. An edit happens wholly or not at all, and names durable files only.
 *  2. Unknown tags and spare bytes are refused: an edit is never half understood.
 */
import { FormatError, putUvarint, UvarintReader, uvarintBytes } from '@nendb/codec';
import type { TableMeta, ValueFileMeta, ValueRef } from '../version/table-meta.js';
import { Field } from './format.js';

/** Who keeps the log that the tree is rebuilt from. */
export type LogKind = 'own' | 'external';

/** A change of the state; the first one of a manifest is all of it. */
export interface VersionEdit {
  nextFileNumber?: number;
  /** Everything up to this sequence number is in tables. */
  flushedSequence?: number;
  /** What the owner wants to find again at that sequence number. */
  metadata?: Uint8Array;
  logKind?: LogKind;
  /** Sequence number = this + LSN, in a log of our own. `started`: the log was made, and must exist. */
  log?: { base: number; started: boolean };
  addTables?: readonly TableMeta[];
  removeTables?: readonly number[];
  addValueFiles?: readonly ValueFileMeta[];
  removeValueFiles?: readonly number[];
}

const LOG_KINDS: readonly LogKind[] = ['own', 'external'];

/** The bytes of `edit`. */
export function encodeEdit(edit: VersionEdit): Uint8Array {
  const out = new Output();
  if (edit.nextFileNumber !== undefined) out.numbers(Field.nextFileNumber, edit.nextFileNumber);
  if (edit.flushedSequence !== undefined) out.numbers(Field.flushedSequence, edit.flushedSequence);
  if (edit.metadata !== undefined) {
    out.numbers(Field.metadata);
    out.bytes(edit.metadata);
  }
  if (edit.logKind !== undefined) out.numbers(Field.logKind, LOG_KINDS.indexOf(edit.logKind));
  if (edit.log !== undefined) {
    out.numbers(Field.logBase, edit.log.base, edit.log.started ? 1 : 0);
  }
  for (const number of edit.removeTables ?? []) out.numbers(Field.removeTable, number);
  for (const table of edit.addTables ?? []) putTable(out, table);
  for (const number of edit.removeValueFiles ?? []) out.numbers(Field.removeValueFile, number);
  for (const file of edit.addValueFiles ?? []) {
    const { number, fileBytes, recordBytes, keyId, createdMs } = file;
    out.numbers(Field.addValueFile, number, fileBytes, recordBytes, keyId + 1, createdMs);
  }
  return out.take();
}

/** The edit in `bytes`. Throws `FormatError`. */
export function decodeEdit(bytes: Uint8Array): VersionEdit {
  const input = new Input(bytes);
  const removeTables: number[] = [];
  const addTables: TableMeta[] = [];
  const removeValueFiles: number[] = [];
  const addValueFiles: ValueFileMeta[] = [];
  const edit: VersionEdit = { removeTables, addTables, removeValueFiles, addValueFiles };
  while (!input.atEnd) {
    const tag = input.number();
    if (tag === Field.nextFileNumber) edit.nextFileNumber = input.number();
    else if (tag === Field.flushedSequence) edit.flushedSequence = input.number();
    else if (tag === Field.metadata) edit.metadata = input.bytes();
    else if (tag === Field.logKind) edit.logKind = input.choice(LOG_KINDS);
    else if (tag === Field.logBase) {
      edit.log = { base: input.number(), started: input.choice([false, true]) };
    } else if (tag === Field.removeTable) removeTables.push(input.number());
    else if (tag === Field.addTable) addTables.push(readTable(input));
    else if (tag === Field.removeValueFile) removeValueFiles.push(input.number());
    else if (tag === Field.addValueFile) {
      addValueFiles.push({
        number: input.number(),
        fileBytes: input.number(),
        recordBytes: input.number(),
        keyId: input.number() - 1,
        createdMs: input.number(),
      });
    } else throw new FormatError('FORMAT_TOO_NEW', `expected a known field of an edit, got ${tag}`);
  }
  return edit;
}

function putTable(out: Output, table: TableMeta): void {
  const { number, level, run, fileBytes, sequenceMin, sequenceMax, entries, tombstones } = table;
  out.numbers(Field.addTable, number, level, run, fileBytes, sequenceMin, sequenceMax);
  out.numbers(entries, tombstones, table.rangeTombstones, table.expireMinMs);
  out.numbers(table.keyId + 1, table.createdMs);
  out.bytes(table.smallest);
  out.bytes(table.largest);
  out.numbers(table.valueRefs.length);
  for (const { file, bytes, entries: refs } of table.valueRefs) out.numbers(file, bytes, refs);
}

function readTable(input: Input): TableMeta {
  const table = {
    number: input.number(),
    level: input.number(),
    run: input.number(),
    fileBytes: input.number(),
    sequenceMin: input.number(),
    sequenceMax: input.number(),
    entries: input.number(),
    tombstones: input.number(),
    rangeTombstones: input.number(),
    expireMinMs: input.number(),
    keyId: input.number() - 1,
    createdMs: input.number(),
    smallest: input.bytes(),
    largest: input.bytes(),
  };
  const valueRefs: ValueRef[] = [];
  for (let left = input.number(); left > 0; left--) {
    valueRefs.push({ file: input.number(), bytes: input.number(), entries: input.number() });
  }
  return { ...table, valueRefs };
}

const OUTPUT_BYTES_MIN = 256;

class Output {
  #target = new Uint8Array(OUTPUT_BYTES_MIN);
  #length = 0;

  numbers(...values: number[]): void {
    for (const value of values) {
      this.#ensure(uvarintBytes(value));
      this.#length = putUvarint(this.#target, this.#length, value);
    }
  }

  bytes(bytes: Uint8Array): void {
    this.numbers(bytes.length);
    this.#ensure(bytes.length);
    this.#target.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  take(): Uint8Array {
    return this.#target.slice(0, this.#length);
  }

  #ensure(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#target.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#target.length * 2));
    grown.set(this.#target.subarray(0, this.#length));
    this.#target = grown;
  }
}

class Input {
  readonly #bytes: Uint8Array;
  readonly #reader = new UvarintReader();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#reader.reset(bytes);
  }

  get atEnd(): boolean {
    return this.#reader.offset === this.#bytes.length;
  }

  number(): number {
    return this.#reader.next();
  }

  choice<T>(of: readonly T[]): T {
    const index = this.number();
    if (index < of.length) return of[index];
    throw new FormatError('FORMAT_BAD_VALUE', `expected a number below ${of.length}, got ${index}`);
  }

  bytes(): Uint8Array {
    const length = this.number();
    const from = this.#reader.offset;
    if (length > this.#bytes.length - from) {
      throw new FormatError(
        'FORMAT_TRUNCATED',
        `expected ${length} bytes at ${from} of an edit of ${this.#bytes.length}`,
      );
    }
    this.#reader.reset(this.#bytes, from + length);
    return this.#bytes.slice(from, from + length);
  }
}

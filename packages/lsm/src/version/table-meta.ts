/**
 * What the manifest knows of a table and of a value-log file, without opening them.
 *
 * Invariants
 *  1. `smallest <= key <= largest` for every key in a table; where a range tombstone ends it, `largest`
 *     is the tombstone's exclusive end.
 *  2. Tables of one run do not overlap, but that `largest` of one may equal `smallest` of the next.
 *  3. A value file's live bytes are what the tables' `valueRefs` add up to: nothing is counted apart,
 *     so nothing can drift.
 */

/** Bytes of one value-log file that a table's pointers refer to. */
export interface ValueRef {
  file: number;
  bytes: number;
  entries: number;
}

export interface TableMeta {
  number: number;
  /** 0 to `LEVELS_MAX - 1`. */
  level: number;
  /** Of level 0: tables with the same number form one sorted run; a higher number is newer. */
  run: number;
  fileBytes: number;
  smallest: Uint8Array;
  largest: Uint8Array;
  sequenceMin: number;
  sequenceMax: number;
  entries: number;
  /** Point tombstones. */
  tombstones: number;
  rangeTombstones: number;
  /** The earliest expiry, in ms since 1970; 0 where nothing expires. */
  expireMinMs: number;
  /** The data key that it is encrypted with; -1 in the clear. */
  keyId: number;
  /** When it was written, in ms since 1970. */
  createdMs: number;
  valueRefs: readonly ValueRef[];
}

export interface ValueFileMeta {
  number: number;
  fileBytes: number;
  /** Bytes of its records: what pointers may refer to. */
  recordBytes: number;
  keyId: number;
  createdMs: number;
}

/** A table's bytes and those that it refers to: what its level weighs. */
export function weightBytes(table: TableMeta): number {
  let bytes = table.fileBytes;
  for (const ref of table.valueRefs) bytes += ref.bytes;
  return bytes;
}

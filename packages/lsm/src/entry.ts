/**
 * An entry, and the cursor that every sorted source of entries offers: memtable, table, merge.
 *
 * Order: keys ascending by bytes; under one key, sequence numbers descending, so that the newest
 * version of a key comes first.
 *
 * Invariants
 *  1. A (key, sequence) pair occurs once in a tree.
 *  2. What a cursor shows is borrowed: valid until the cursor moves or closes.
 *  3. A cursor hides nothing: deleted, expired and shadowed versions are all shown. Who merges
 *     decides (`tombstone(seq = N)` shadows `value(seq = M)` iff `N > M`).
 *  4. Sequence numbers are whole doubles up to 2^53 - 1, never BigInt.
 */

/** What an entry is. The numbers are on disk. */
export const EntryKind = {
  /** A tombstone. */
  delete: 0,
  /** A value held beside its key. */
  put: 1,
  /** A value held in the value log: the entry's value is its pointer. */
  pointer: 2,
} as const;
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

/** A borrowed entry: plain fields, so that hot loops read them without calls. */
export interface Entry {
  keyBytes: Uint8Array;
  keyFrom: number;
  keyTo: number;
  sequence: number;
  kind: EntryKind;
  /** Milliseconds since 1970; 0 means never. */
  expireAtMs: number;
  valueBytes: Uint8Array;
  valueFrom: number;
  valueTo: number;
}

/** Moves over the entries of one source. The fields of `Entry` mean something while `valid`. */
export interface EntryCursor extends Entry {
  /** Whether the cursor stands on an entry. */
  valid: boolean;
  seekToFirst(): void;
  seekToLast(): void;
  /** To the first entry at or behind (key, sequence): the newest version not newer than it. */
  seek(key: Uint8Array, from: number, to: number, sequence: number): void;
  /** To the last entry whose key is smaller than `key`. */
  seekBefore(key: Uint8Array, from: number, to: number): void;
  next(): void;
  prev(): void;
  /** Gives up what it pins. */
  close(): void;
}

/** All keys in `[gte, lt)` were deleted at `sequence`: shadows versions with smaller numbers. */
export interface RangeTombstone {
  gte: Uint8Array;
  lt: Uint8Array;
  sequence: number;
}

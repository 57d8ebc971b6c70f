/**
 * What a table says about itself: written behind its blocks, enough to list it in a manifest again.
 *
 *     entries | tombstones | range tombstones | sequence min | max | expire min | max | created
 *     | key bytes | value bytes | smallest: length, bytes | largest: length, bytes
 *     | value references: count, then each file, bytes, entries                          (varints)
 *
 * Invariants
 *  1. `smallest <= key <= largest` for every key; where a range tombstone ends the table, `largest` is
 *     its exclusive end.
 *  2. `expireMinMs` and `expireMaxMs` are those of entries that expire; 0 where none does.
 */
import { putUvarint, UVARINT_BYTES_MAX, UvarintReader } from '@nendb/codec';

/** What of one value file a table refers to. */
export interface ValueReference {
  /** Number of the value file. */
  file: number;
  /** Bytes of its records, whole. */
  bytes: number;
  entries: number;
}

export interface TableProperties {
  /** Versions of keys, tombstones included. */
  entries: number;
  tombstones: number;
  rangeTombstones: number;
  sequenceMin: number;
  sequenceMax: number;
  expireMinMs: number;
  expireMaxMs: number;
  createdMs: number;
  /** Bytes of all keys and values before compression: what users wrote. */
  keyBytes: number;
  valueBytes: number;
  smallest: Uint8Array;
  largest: Uint8Array;
  valueRefs: ValueReference[];
}

const NUMBERS = [
  'entries',
  'tombstones',
  'rangeTombstones',
  'sequenceMin',
  'sequenceMax',
  'expireMinMs',
  'expireMaxMs',
  'createdMs',
  'keyBytes',
  'valueBytes',
] as const;

export function encodeProperties(properties: TableProperties): Uint8Array {
  const { smallest, largest, valueRefs } = properties;
  const varints = NUMBERS.length + 3 + valueRefs.length * 3;
  const bytes = new Uint8Array(varints * UVARINT_BYTES_MAX + smallest.length + largest.length);
  let at = 0;
  for (const name of NUMBERS) at = putUvarint(bytes, at, properties[name]);
  for (const key of [smallest, largest]) {
    at = putUvarint(bytes, at, key.length);
    bytes.set(key, at);
    at += key.length;
  }
  at = putUvarint(bytes, at, valueRefs.length);
  for (const reference of valueRefs) {
    at = putUvarint(bytes, at, reference.file);
    at = putUvarint(bytes, at, reference.bytes);
    at = putUvarint(bytes, at, reference.entries);
  }
  return bytes.subarray(0, at);
}

/** What `encodeProperties` wrote. Throws `FormatError` or `RangeError` for anything else. */
export function decodeProperties(bytes: Uint8Array): TableProperties {
  const reader = new UvarintReader();
  reader.reset(bytes);
  const properties: TableProperties = {
    entries: 0,
    tombstones: 0,
    rangeTombstones: 0,
    sequenceMin: 0,
    sequenceMax: 0,
    expireMinMs: 0,
    expireMaxMs: 0,
    createdMs: 0,
    keyBytes: 0,
    valueBytes: 0,
    smallest: bytes,
    largest: bytes,
    valueRefs: [],
  };
  for (const name of NUMBERS) properties[name] = reader.next();
  for (const name of ['smallest', 'largest'] as const) {
    const length = reader.next();
    const from = reader.offset;
    properties[name] = bytes.slice(from, from + length);
    reader.reset(bytes, from + length);
  }
  for (let count = reader.next(); count > 0; count--) {
    properties.valueRefs.push({
      file: reader.next(),
      bytes: reader.next(),
      entries: reader.next(),
    });
  }
  if (reader.offset === bytes.length) return properties;
  throw new RangeError(`expected properties of ${reader.offset} bytes, got ${bytes.length}`);
}

/**
 * A ready-made payload for key-value programs: a put or a delete, with an optional expiry and
 * optional compression. The log itself does not look into records.
 *
 *     +------+-------------------+-----+----------------+----------------------------------------+
 *     | kind | key bytes, varint | key | expireAtMs u64 | value                                  |
 *     | u8   |                   |     | (kind & 16)    | or id u8, plain bytes varint, stream   |
 *     +------+-------------------+-----+----------------+----------------------(kind & 32)-------+
 *
 * Invariants
 *  1. A value is stored compressed only where that makes the record shorter.
 *  2. No length is believed before it was checked: decoding allocates at most the value it returns.
 *  3. What `decode` returns encodes to the same bytes; spare bytes and unknown bits are refused.
 */
import {
  type Compression,
  compress,
  compressionId,
  compressionOf,
  decompress,
  FormatError,
  putUvarint,
  UvarintReader,
  uvarintBytes,
} from '@nendb/codec';
import * as format from './format.js';
import { RECORD_BYTES_DEFAULT } from './limits.js';
import { bad, checkCompression, checkNames, type OptionNames } from './options.js';
import { getU64, putU64, viewOf } from './u64.js';

/** Sets `key` to `value`. */
export interface PutRecord {
  readonly type: 'put';
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** When the value expires, in ms since 1970. */
  readonly expireAtMs?: number;
  /** How `encode` tries to store the value; in a decoded record, how it was stored. */
  readonly compress: Compression;
}

/** Removes `key`. */
export interface DeleteRecord {
  readonly type: 'delete';
  readonly key: Uint8Array;
}

export type WalRecord = PutRecord | DeleteRecord;

export interface PutOptions {
  /** When the value expires, in ms since 1970: an integer from 0 to 2^53 - 1. */
  expireAtMs?: number;
  /** Default `'none'`. */
  compress?: Compression;
}

const PUT_OPTIONS: OptionNames<PutOptions> = { expireAtMs: true, compress: true };

/**
 * Makes, encodes and decodes records.
 *
 * ```ts
 * await wal.append(Record.encode(Record.put('user:1', 'Ada', { expireAtMs: Date.now() + 60_000 })));
 * for await (const { payload } of wal.read()) console.log(Record.decode(payload));
 * ```
 */
export const Record = {
  /** A put. Text is stored as UTF-8; bytes are borrowed until `encode`. Throws `WAL_BAD_OPTION`. */
  put(key: Uint8Array | string, value: Uint8Array | string, options: PutOptions = {}): PutRecord {
    checkNames('the options of a put', '{ expireAtMs, compress }', options, PUT_OPTIONS);
    const { expireAtMs, compress: compression = 'none' } = options;
    const record = {
      type: 'put',
      key: bytesOf('key', key),
      value: bytesOf('value', value),
      compress: checkCompression(compression, 'compress'),
    } as const;
    checkExpiry(expireAtMs);
    return expireAtMs === undefined ? record : { ...record, expireAtMs };
  },

  /** A delete. Throws `WAL_BAD_OPTION`. */
  delete(key: Uint8Array | string): DeleteRecord {
    return { type: 'delete', key: bytesOf('key', key) };
  },

  /** The record as bytes for `append`, in a buffer of its own. Throws `WAL_BAD_OPTION`. */
  encode(record: WalRecord): Uint8Array {
    checkRecord(record);
    const { key } = record;
    const start = 1 + uvarintBytes(key.length) + key.length;
    if (record.type === 'delete') {
      const bytes = new Uint8Array(start);
      putKey(bytes, format.RecordKind.delete, key);
      return bytes;
    }
    const { value, expireAtMs } = record;
    const shorter = shorterOf(value, record.compress);
    const stored = shorter ?? value;
    const head = shorter ? 1 + uvarintBytes(value.length) : 0;
    const valueAt = start + (expireAtMs === undefined ? 0 : format.RECORD_EXPIRY_BYTES);
    const bytes = new Uint8Array(valueAt + head + stored.length);
    const kind =
      format.RecordKind.put |
      (expireAtMs === undefined ? 0 : format.RECORD_EXPIRES) |
      (shorter ? format.RECORD_COMPRESSED : 0);
    putKey(bytes, kind, key);
    if (expireAtMs !== undefined) putU64(viewOf(bytes), start, expireAtMs);
    if (shorter) {
      bytes[valueAt] = compressionId(record.compress);
      putUvarint(bytes, valueAt + 1, value.length);
    }
    bytes.set(stored, valueAt + head);
    return bytes;
  },

  /**
   * The record in `bytes`. Keys and plain values are views of them. A value longer than
   * `valueBytesMax` (default 513 MiB) is refused before it is inflated.
   *
   * Throws `WAL_BAD_OPTION` for what is no bytes, and `FormatError`: `FORMAT_TRUNCATED`, `FORMAT_BAD_VALUE`, `FORMAT_TOO_NEW` for a kind or a
   * compression that this release does not know.
   */
  decode(
    bytes: Uint8Array,
    { valueBytesMax = RECORD_BYTES_DEFAULT }: { valueBytesMax?: number } = {},
  ): WalRecord {
    checkBytes('a payload', bytes);
    const kind = kindOf(bytes);
    const reader = new UvarintReader();
    reader.reset(bytes, 1);
    const keyBytes = reader.next();
    const start = reader.offset + keyBytes;
    if (start > bytes.length) throw cutOff(`a key of ${keyBytes} bytes`, bytes);
    const key = bytes.subarray(reader.offset, start);
    if (kind === format.RecordKind.delete) {
      if (start === bytes.length) return { type: 'delete', key };
      throw badValue(`a delete of ${start} bytes, got ${bytes.length}`);
    }
    const expires = (kind & format.RECORD_EXPIRES) !== 0;
    const valueAt = start + (expires ? format.RECORD_EXPIRY_BYTES : 0);
    if (valueAt > bytes.length) throw cutOff('an expiry time', bytes);
    const rest = bytes.subarray(valueAt);
    const record = { type: 'put', key, ...readValue(rest, kind, valueBytesMax) } as const;
    return expires ? { ...record, expireAtMs: expiryAt(bytes, start) } : record;
  },
} as const;

function bytesOf(name: string, given: Uint8Array | string): Uint8Array {
  if (typeof given === 'string') return new TextEncoder().encode(given);
  if (given instanceof Uint8Array) return given;
  throw bad(name, 'a string, or bytes as a Uint8Array', given);
}

/** A record need not be of `put` or `delete`: one that is decoded, or made by hand, is encoded too. */
function checkRecord(record: WalRecord): void {
  if (record?.type !== 'put' && record?.type !== 'delete') {
    throw bad('a record', 'what Record.put or Record.delete returns', record);
  }
  checkBytes('key', record.key);
  if (record.type === 'delete') return;
  checkBytes('value', record.value);
  checkCompression(record.compress, 'compress');
  checkExpiry(record.expireAtMs);
}

function checkBytes(name: string, bytes: Uint8Array): void {
  if (!(bytes instanceof Uint8Array)) throw bad(name, 'bytes as a Uint8Array', bytes);
}

function checkExpiry(expireAtMs: number | undefined): void {
  if (expireAtMs === undefined) return;
  if (Number.isSafeInteger(expireAtMs) && expireAtMs >= 0) return;
  throw bad('expireAtMs', 'an integer from 0 to 2^53 - 1, in ms since 1970', expireAtMs);
}

/** The compressed value, if that pays for the bytes that say so. */
function shorterOf(value: Uint8Array, compression: Compression): Uint8Array | undefined {
  const stream = compress(value, compression);
  return stream && stream.length + 1 + uvarintBytes(value.length) < value.length
    ? stream
    : undefined;
}

function putKey(bytes: Uint8Array, kind: number, key: Uint8Array): void {
  bytes[0] = kind;
  bytes.set(key, putUvarint(bytes, 1, key.length));
}

function kindOf(bytes: Uint8Array): number {
  if (bytes.length === 0) throw cutOff('a record', bytes);
  const kind = bytes[0];
  const flags = kind & ~format.RECORD_KIND_MASK;
  const known =
    kind === format.RecordKind.delete ||
    ((kind & format.RECORD_KIND_MASK) === format.RecordKind.put &&
      (flags & ~(format.RECORD_EXPIRES | format.RECORD_COMPRESSED)) === 0);
  if (known) return kind;
  throw new FormatError(
    'FORMAT_TOO_NEW',
    `expected a record of kind ${format.RecordKind.put} (put) or ${format.RecordKind.delete} (delete), got ${kind}: it is no record, or of a newer release`,
  );
}

function expiryAt(bytes: Uint8Array, at: number): number {
  const expireAtMs = getU64(viewOf(bytes), at);
  if (Number.isSafeInteger(expireAtMs)) return expireAtMs;
  throw badValue(`an expiry time up to 2^53 - 1, got ${expireAtMs}`);
}

function readValue(
  bytes: Uint8Array,
  kind: number,
  bytesMax: number,
): Pick<PutRecord, 'value' | 'compress'> {
  if ((kind & format.RECORD_COMPRESSED) === 0) {
    if (bytes.length > bytesMax) throw tooLong(bytes.length, bytesMax);
    return { value: bytes, compress: 'none' };
  }
  if (bytes.length === 0) throw cutOff('a compressed value', bytes);
  const reader = new UvarintReader();
  reader.reset(bytes, 1);
  const plainBytes = reader.next();
  const stream = bytes.subarray(reader.offset);
  const compression = compressionOf(bytes[0]);
  if (plainBytes > bytesMax) throw tooLong(plainBytes, bytesMax);
  if (compression === 'none' || plainBytes <= bytes.length) {
    throw badValue(`a compressed value shorter than its ${plainBytes} bytes, got ${bytes.length}`);
  }
  const value = decompress(stream, bytes[0], plainBytes);
  if (value.length === plainBytes) return { value, compress: compression };
  throw badValue(`a value of ${plainBytes} bytes when inflated, got ${value.length}`);
}

function cutOff(what: string, bytes: Uint8Array): FormatError {
  return new FormatError(
    'FORMAT_TRUNCATED',
    `expected ${what}, the bytes end at ${bytes.length}: give the whole payload`,
  );
}

function badValue(problem: string): FormatError {
  return new FormatError('FORMAT_BAD_VALUE', `expected ${problem}: these bytes are no record`);
}

function tooLong(came: number, bytesMax: number): FormatError {
  return new FormatError(
    'FORMAT_BAD_VALUE',
    `expected a value of at most ${bytesMax} bytes, got ${came}: raise valueBytesMax`,
  );
}

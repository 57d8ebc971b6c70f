/**
 * Long entries: key and value, one behind the other, cut into pieces that lie anywhere in the log,
 * and a record that lists them.
 *
 *     head ... | keyBytes | piece 0 | piece 1 | ...          addresses
 *     piece i:  head | bytes | table | hash | i | bytes      `pieceBytes` of them but in the last
 *
 * Invariants
 *  1. A piece belongs to one current record at a time. A record that takes another's place with other
 *     flags, another time or a patch may take over its pieces.
 *  2. The words that name pieces change when compaction moves one, to a copy with the same bytes.
 *  3. Room for all of them is reserved before the first is written: compaction must not run while
 *     there are pieces that nothing names yet.
 */
import { HEAD, PIECE_HEADER_BYTES, RECORD_EXPIRING_BYTES, RECORD_HEADER_BYTES } from '../format.js';
import { offsetOf, windowAt, wordOf } from '../space/words.js';
import { PIECE_OVERHEAD_BYTES } from './record.js';
import type { RecordLog } from './record-log.js';

/** Bytes of key and value as pieces cut them. */
export interface Payload {
  key: Uint8Array;
  keyFrom: number;
  keyTo: number;
  value: Uint8Array;
  valueFrom: number;
  valueTo: number;
}

/** Units that an entry takes as a chained record. */
export function chainedUnits(log: RecordLog, payloadBytes: number, expires: boolean): number {
  const { pieceBytes } = log.reader;
  const pieces = Math.ceil(payloadBytes / pieceBytes);
  const header = expires ? RECORD_EXPIRING_BYTES : RECORD_HEADER_BYTES;
  const last = payloadBytes - (pieces - 1) * pieceBytes;
  const unitsOf = (bytes: number) => (PIECE_OVERHEAD_BYTES + bytes + 7) >>> 3;
  return (pieces - 1) * unitsOf(pieceBytes) + unitsOf(last) + ((header + 4 + pieces * 4 + 7) >>> 3);
}

/** Writes every piece of an entry; their addresses. Room for them is reserved. */
export function writePieces(log: RecordLog, table: number, hash: number, from: Payload): number[] {
  const { pieceBytes } = log.reader;
  const keyBytes = from.keyTo - from.keyFrom;
  const bytes = keyBytes + from.valueTo - from.valueFrom;
  const pieces: number[] = [];
  for (let done = 0; done < bytes; done += pieceBytes) {
    const end = Math.min(done + pieceBytes, bytes);
    const at = placePiece(log, end - done);
    const window = windowAt(log.reader.windows, at);
    const body = (wordOf(at) << 2) + PIECE_OVERHEAD_BYTES;
    const keyEnd = Math.min(end, keyBytes);
    if (done < keyEnd) window.copyIn(body, from.key, from.keyFrom + done, from.keyFrom + keyEnd);
    const valueBegin = Math.max(done, keyBytes);
    if (valueBegin < end) {
      const shift = from.valueFrom - keyBytes;
      window.copyIn(body + valueBegin - done, from.value, shift + valueBegin, shift + end);
    }
    finishPiece(log, at, end - done, table, hash, pieces.length);
    pieces.push(at);
  }
  return pieces;
}

/** Room for a piece of `bytes` bytes. */
export function placePiece(log: RecordLog, bytes: number): number {
  return log.place((PIECE_OVERHEAD_BYTES + bytes + 7) >>> 3);
}

/** Stores the header of a piece whose bytes are in place, and makes it durable. */
export function finishPiece(
  log: RecordLog,
  at: number,
  bytes: number,
  table: number,
  hash: number,
  number: number,
): void {
  const window = windowAt(log.reader.windows, at);
  const word = wordOf(at) + (RECORD_HEADER_BYTES >>> 2);
  window.store32(word, hash);
  window.store32(word + 1, number);
  log.writeHeader(at, HEAD.piece, PIECE_HEADER_BYTES + bytes, table, 0, 0);
  log.persist(at, PIECE_OVERHEAD_BYTES + bytes);
}

/** Writes the record that lists `pieces`. Room for it is reserved. */
export function writeChained(
  log: RecordLog,
  table: number,
  keyBytes: number,
  valueBytes: number,
  flags: number,
  expireAtMs: number,
  pieces: readonly number[],
): number {
  const header = expireAtMs === 0 ? RECORD_HEADER_BYTES : RECORD_EXPIRING_BYTES;
  const bytes = header + 4 + pieces.length * 4;
  const at = log.place((bytes + 7) >>> 3);
  const window = windowAt(log.reader.windows, at);
  const word = wordOf(at) + (header >>> 2);
  window.store32(word, keyBytes);
  for (let i = 0; i < pieces.length; i++) window.store32(word + 1 + i, pieces[i]);
  log.writeHeader(at, HEAD.chained, valueBytes, table, flags, expireAtMs);
  log.persist(at, bytes);
  return at;
}

/** Addresses of the pieces of the chained record at `at`. */
export function piecesOf(log: RecordLog, at: number): number[] {
  const { reader } = log;
  const { i32 } = windowAt(reader.windows, at);
  const first = reader.pieceWord(at, 0);
  return Array.from({ length: reader.pieces(at) }, (_, i) => i32[first + i]);
}

/** The hash of the key that a piece belongs to. */
export function pieceHash(log: RecordLog, at: number): number {
  return windowAt(log.reader.windows, at).i32[wordOf(at) + (RECORD_HEADER_BYTES >>> 2)];
}

/** Which piece of its record it is. */
export function pieceNumber(log: RecordLog, at: number): number {
  return windowAt(log.reader.windows, at).i32[wordOf(at) + (RECORD_HEADER_BYTES >>> 2) + 1];
}

/** Byte offset, for the region, of the word that names piece `number` of a record. */
export function pieceWordOffset(log: RecordLog, at: number, number: number): number {
  return offsetOf(at) + (log.reader.pieceWord(at, number) - wordOf(at)) * 4;
}

/**
 * Appends a copy of the record that `core` has found, with other flags and another time. A chained
 * record's copy names the same pieces.
 */
export function copyWithPieces(
  log: RecordLog,
  core: { readonly record: number; readonly unit: number; readonly hash: number },
  flags: number,
  expireAtMs: number,
): number {
  const { reader } = log;
  const header = expireAtMs === 0 ? RECORD_HEADER_BYTES : RECORD_EXPIRING_BYTES;
  const pieces = reader.pieces(core.record);
  const keyBytes = reader.keyBytes(core.record);
  const valueBytes = reader.valueBytes(core.record);
  if (pieces > 0) {
    log.reserve((header + 4 + pieces * 4 + 7) >>> 3);
    const list = piecesOf(log, core.record);
    log.appendedUnits = (header + 4 + pieces * 4 + 7) >>> 3;
    return writeChained(log, core.unit, keyBytes, valueBytes, flags, expireAtMs, list);
  }
  const bytes = header + keyBytes + valueBytes;
  const at = log.place((bytes + 7) >>> 3);
  // Placing may have moved the record.
  const from = reader.bodyAt(core.record);
  const source = windowAt(reader.windows, core.record);
  const target = windowAt(reader.windows, at);
  const body = (wordOf(at) << 2) + header;
  source.copyWithin(target, body, from, from + keyBytes + valueBytes);
  log.writeHeader(at, keyBytes, valueBytes, core.unit, flags, expireAtMs);
  log.persist(at, bytes);
  log.appendedUnits = (bytes + 7) >>> 3;
  return at;
}

/**
 * A long value with some of its bytes changed: a new list of pieces, of which only those that differ
 * are new. Setting a bit of a value of 512 MiB writes a piece and the list, not the value.
 *
 *     old    [ piece 0 | piece 1 | piece 2 | piece 3 ]
 *     new    [ piece 0 | piece 1'| piece 2 | piece 3 ]      1' has the patch
 */
import { RECORD_EXPIRING_BYTES, RECORD_HEADER_BYTES } from '../format.js';
import { windowAt, wordOf } from '../space/words.js';
import { finishPiece, piecesOf, placePiece, writeChained } from './pieces.js';
import { PIECE_OVERHEAD_BYTES } from './record.js';
import type { RecordLog } from './record-log.js';

/** The record that is patched: its address is read again when others may have moved it. */
export interface Patched {
  readonly record: number;
  readonly unit: number;
  readonly hash: number;
}

/** Bytes `bytes[from, to)` that go to `at` of a value, which is `newLength` bytes long afterwards. */
export interface Patch {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly newLength: number;
}

/**
 * Appends the patched record of a chained one that stays chained. Returns its address; `replaced`
 * receives the old pieces that it does not name. Throws `PMEM_EXHAUSTED`.
 */
export function appendPatched(
  log: RecordLog,
  patched: Patched,
  patch: Patch,
  replaced: number[],
): number {
  const { reader } = log;
  const keyBytes = reader.keyBytes(patched.record);
  const flags = reader.flags(patched.record);
  const expireAtMs = reader.expireAtMs(patched.record);
  const total = keyBytes + patch.newLength;
  const count = Math.ceil(total / reader.pieceBytes);
  const changed = changedPieces(log, patched.record, keyBytes, patch, count);
  const header = expireAtMs === 0 ? RECORD_HEADER_BYTES : RECORD_EXPIRING_BYTES;
  const listUnits = (header + 4 + count * 4 + 7) >>> 3;
  const pieceUnits = (PIECE_OVERHEAD_BYTES + reader.pieceBytes + 7) >>> 3;
  log.reserve(changed.length * pieceUnits + listUnits);
  const old = piecesOf(log, patched.record);
  const pieces = old.slice(0, count);
  let units = listUnits;
  for (const number of changed) {
    pieces[number] = writePiece(log, patched, keyBytes, patch, number);
    units += reader.units(pieces[number]);
    if (number < old.length) replaced.push(old[number]);
  }
  for (let number = count; number < old.length; number++) replaced.push(old[number]);
  log.appendedUnits = units;
  return writeChained(log, patched.unit, keyBytes, patch.newLength, flags, expireAtMs, pieces);
}

/** Numbers of the pieces that are not as they were. */
function changedPieces(
  log: RecordLog,
  record: number,
  keyBytes: number,
  patch: Patch,
  count: number,
): number[] {
  const { pieceBytes } = log.reader;
  const before = keyBytes + log.reader.valueBytes(record);
  const after = keyBytes + patch.newLength;
  const begin = keyBytes + patch.at;
  const end = begin + patch.to - patch.from;
  const changed: number[] = [];
  for (let number = 0; number < count; number++) {
    const from = number * pieceBytes;
    const to = Math.min(from + pieceBytes, after);
    const same = to === Math.min(from + pieceBytes, before) && (to <= begin || from >= end);
    if (!same) changed.push(number);
  }
  return changed;
}

/** Writes piece `number`: old bytes, zeros behind them, the patch over both. */
function writePiece(
  log: RecordLog,
  patched: Patched,
  keyBytes: number,
  patch: Patch,
  number: number,
): number {
  const { reader } = log;
  const from = number * reader.pieceBytes;
  const to = Math.min(from + reader.pieceBytes, keyBytes + patch.newLength);
  const at = placePiece(log, to - from);
  const window = windowAt(reader.windows, at);
  const body = (wordOf(at) << 2) + PIECE_OVERHEAD_BYTES;
  const kept = Math.min(to, keyBytes + reader.valueBytes(patched.record));
  if (kept < to) window.zero(body + Math.max(0, kept - from), body + to - from);
  if (from < kept) {
    const old = piecesOf(log, patched.record)[number];
    const source = (wordOf(old) << 2) + PIECE_OVERHEAD_BYTES;
    windowAt(reader.windows, old).copyWithin(window, body, source, source + kept - from);
  }
  const shift = patch.from - keyBytes - patch.at;
  const begin = Math.max(from, keyBytes + patch.at);
  const end = Math.min(to, keyBytes + patch.at + patch.to - patch.from);
  if (begin < end) window.copyIn(body + begin - from, patch.bytes, shift + begin, shift + end);
  finishPiece(log, at, to - from, patched.unit, patched.hash, number);
  return at;
}

/**
 * Reads records across segments while the log goes on being written.
 *
 * Invariants
 *  1. A reader sees what was written when it began: whole units, each LSN once, in order.
 *  2. It holds one segment open at a time, and about one read buffer.
 *  3. `WAL_TRUNCATED_AWAY` where the log no longer begins at or before what is asked for.
 */
import type { Lsn } from '@nendb/codec';
import type { Vfs } from '@nendb/vfs';
import type { Segment } from './directory.js';
import { WalError } from './errors.js';
import { WalPosition } from './position.js';
import type { Lease, Position, WalEntry } from './types.js';
import { UnitReader } from './unit-reader.js';

/** Gets a record as the bytes of `bytes` from `from` to `to`; borrowed for the time of the call. */
export type RecordVisitor = (
  lsn: Lsn,
  bytes: Uint8Array,
  from: number,
  to: number,
  databaseTimeMs: number,
) => void;

/** What keeps a reader's view of the log, and says what of it is still true. */
export interface Hold {
  lease: Lease;
  /** The last LSN that was not cut off since the view was made. */
  uncutLsn(): number;
}

/** The segments of a log as a reader sees them: oldest first, the last one up to what is written. */
export type LogView = readonly Segment[];

class LogEntry implements WalEntry {
  constructor(
    readonly lsn: Lsn,
    readonly payload: Uint8Array,
    readonly position: Position,
    readonly databaseTimeMs: number,
  ) {}

  toJSON(): object {
    return { ...this, lsn: String(this.lsn) };
  }
}

/** The segments that hold LSNs from `from` on. Throws `WAL_TRUNCATED_AWAY`. */
function segmentsFrom(view: LogView, from: number): LogView {
  const firstLsn = view[0].header.baseLsn;
  if (from < firstLsn) {
    throw new WalError(
      'WAL_TRUNCATED_AWAY',
      `expected to read from LSN ${from}, but the log begins at ${firstLsn}: read from there`,
    );
  }
  return view.filter((segment) => segment.lastLsn >= from);
}

/** Calls `visit` for each record of LSN `from` to `to`; makes no object per record. */
export async function replayLog(
  vfs: Vfs,
  view: LogView,
  from: number,
  to: number,
  visit: RecordVisitor,
  hold?: Hold,
): Promise<void> {
  for (const segment of segmentsFrom(view, from)) {
    if (segment.header.baseLsn > to) return;
    const reader = await openSegment(vfs, view, segment, { from, keepBuffers: false, hold });
    try {
      for (;;) {
        const next = reader.next();
        if (next === false || (next !== true && !(await next))) break;
        const lastLsn = Math.min(to, reader.firstLsn + reader.count - 1);
        if (hold && lastLsn > hold.uncutLsn()) throw cutOff(segment.path);
        visitUnit(reader, from, to, visit);
      }
    } finally {
      await reader.close();
    }
  }
}

/** Hot: lengths are decoded in place, one byte at a time only where they are long. */
function visitUnit(reader: UnitReader, from: number, to: number, visit: RecordVisitor): void {
  const { bytes, to: end, count, databaseTimeMs } = reader;
  let at = reader.from;
  let lsn = reader.firstLsn;
  for (let left = count; left > 0; left--, lsn++) {
    let length = at < end ? bytes[at++] : 0x80;
    if (length >= 0x80) {
      length &= 0x7f;
      let scale = 0x80;
      let byte = 0x80;
      while (byte >= 0x80) {
        if (at >= end || scale > 0x8000_0000) throw reader.malformed();
        byte = bytes[at++];
        length += (byte & 0x7f) * scale;
        scale *= 0x80;
      }
    }
    const next = at + length;
    if (next > end) throw reader.malformed();
    if (lsn >= from && lsn <= to) visit(lsn as Lsn, bytes, at, next, databaseTimeMs);
    at = next;
  }
  if (at !== end) throw reader.malformed();
}

/** The records of the reader's unit, LSN `from` to `to`. `sequence`: of the segment it reads. */
export function entriesOf(
  reader: UnitReader,
  from: number,
  to: number,
  sequence: number,
): WalEntry[] {
  const { epoch, offset } = reader;
  const entries: WalEntry[] = [];
  visitUnit(reader, from, to, (lsn, bytes, start, end, databaseTimeMs) => {
    const position = new WalPosition(epoch, lsn, sequence, offset);
    entries.push(new LogEntry(lsn, bytes.subarray(start, end), position, databaseTimeMs));
  });
  return entries;
}

/** Opens a segment of `view`; what comes before it may go from now on. */
async function openSegment(
  vfs: Vfs,
  view: LogView,
  segment: Segment,
  { from, keepBuffers, hold }: { from: number; keepBuffers: boolean; hold: Hold | undefined },
): Promise<UnitReader> {
  const { header, path } = segment;
  const lease = hold?.lease;
  if (lease?.lost) throw cutOff(path);
  if (lease && header.baseLsn > lease.lsn) lease.advance(header.baseLsn);
  const sealed = segment !== view[view.length - 1];
  const reader = await UnitReader.open(vfs, segment, { sealed, fromLsn: from, keepBuffers });
  if (!lease?.lost) return reader;
  // Another file may have had the name by then.
  await reader.close();
  throw cutOff(path);
}

function cutOff(file: string): WalError {
  return new WalError(
    'WAL_TRUNCATED_AWAY',
    `${file} was cut off while it was to be read: read from the log's first LSN`,
    { file },
  );
}

/**
 * Yields each record of LSN `from` to `to`, with payloads that stay valid. One that was cut off
 * meanwhile is `WAL_TRUNCATED_AWAY`.
 */
export async function* readLog(
  vfs: Vfs,
  view: LogView,
  from: number,
  to: number,
  hold: Hold,
): AsyncGenerator<WalEntry, void, void> {
  for (const segment of segmentsFrom(view, from)) {
    if (segment.header.baseLsn > to) return;
    const reader = await openSegment(vfs, view, segment, { from, keepBuffers: true, hold });
    try {
      for (;;) {
        const next = reader.next();
        if (next === false || (next !== true && !(await next))) break;
        for (const entry of entriesOf(reader, from, to, segment.header.sequence)) {
          if (entry.lsn > hold.uncutLsn()) throw cutOff(segment.path);
          yield entry;
        }
        // To its end a segment is read for the sake of its chained checksum, short of it for nothing.
        if (to < segment.lastLsn && reader.firstLsn + reader.count > to) return;
      }
    } finally {
      await reader.close();
    }
  }
}

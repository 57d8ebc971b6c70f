/**
 * Finds where the last segment ends, and whether it ends cleanly, torn, or damaged (R13).
 *
 * The rule: the first place that holds no valid frame is the end. If anything valid behind it, or
 * the segment's own header, vouches for that place (a watermark beyond it), or a later frame in
 * sequence was only written after it was synced, the place is damaged; otherwise the write was
 * never acknowledged and the place is a torn tail.
 *
 * Invariants
 *  1. Nothing is changed on disk.
 *  2. Memory is bounded by one read and one frame.
 *  3. A `closed` trailer at the end of the file is trusted, like a sealed segment: its frames are
 *     checked when they are read.
 */
import { crc32 } from '@nendb/codec';
import { readFully, type Vfs, type VfsFile } from '@nendb/vfs';
import type { Segment } from './directory.js';
import { corrupt, WalError } from './errors.js';
import * as format from './format.js';
import { emptyFrameHeader, type FrameHeader, frameBytes, readFrameHeader } from './frame.js';
import { FrameCursor, type FrameSource, Step } from './frame-cursor.js';
import { FRAME_BYTES_MAX, READ_BYTES } from './limits.js';
import { decodeFooter, decodeTrailer } from './trailer.js';
import { viewOf } from './u64.js';

export interface TailScan {
  /** Whether a `closed` trailer follows the frames. */
  closed: boolean;
  /** Behind the last whole unit or control frame, in bytes. */
  end: number;
  lastLsn: number;
  chain: number;
  /** Everything up to here is surely on disk where it is. */
  syncedLsn: number;
  databaseTimeMs: number;
  /** Bytes behind `end` that are no zeros, up to the last one; 0 for a clean end. */
  tornBytes: number;
}

/** Scans the last segment. Throws `WAL_CORRUPT`, `WAL_MISSING_SEGMENT`, `WAL_TOO_NEW`. */
export async function scanTail(vfs: Vfs, segment: Segment): Promise<TailScan> {
  const file = await vfs.open(segment.path, 'read');
  try {
    return (await scanTrailer(file, segment)) ?? (await scanFrames(file, segment));
  } finally {
    await file.close();
  }
}

/** What a cursor must know of `segment`. */
export function sourceOf(segment: Segment): FrameSource {
  return {
    seed: segment.seed,
    headerBytes: segment.headerBytes,
    baseLsn: segment.header.baseLsn,
    epoch: segment.header.epoch,
    compressed: segment.header.compressed,
    sealed: segment.header.sealing !== undefined,
    cipher: segment.header.sealing?.cipher,
  };
}

/** The fast way: a whole trailer at the very end of the file. */
async function scanTrailer(file: VfsFile, segment: Segment): Promise<TailScan | undefined> {
  const { fileBytes, headerBytes } = segment;
  const footer = new Uint8Array(format.FOOTER_BYTES);
  if (fileBytes < headerBytes + format.FRAME_HEADER_BYTES + footer.length) return undefined;
  await readFully(file, footer, fileBytes - footer.length);
  const offset = decodeFooter(footer);
  if (offset === undefined || offset < headerBytes || offset % format.FRAME_ALIGNMENT !== 0) {
    return undefined;
  }
  const length = fileBytes - offset;
  if (length < format.FRAME_HEADER_BYTES || length > FRAME_BYTES_MAX) return undefined;
  const bytes = new Uint8Array(length);
  await readFully(file, bytes, offset);
  const header = emptyFrameHeader();
  if (!readFrameHeader(bytes, viewOf(bytes), 0, header, offset, segment.seed)) return undefined;
  if (frameBytes(header.payloadBytes) !== length || header.epoch > segment.header.epoch) {
    return undefined;
  }
  const payload = bytes.subarray(
    format.FRAME_HEADER_BYTES,
    format.FRAME_HEADER_BYTES + header.payloadBytes,
  );
  if (crc32(payload) !== header.payloadCrc) return undefined;
  if (header.type === format.FrameType.rotated) throw successorMissing(segment, offset);
  if (header.type !== format.FrameType.closed) return undefined;
  const trailer = decodeTrailer(payload);
  if (typeof trailer === 'string') throw corrupt(segment.path, offset, trailer);
  if (
    trailer.lastLsn !== header.firstLsn - 1 ||
    trailer.count !== header.firstLsn - segment.header.baseLsn
  ) {
    throw corrupt(
      segment.path,
      offset,
      `a trailer that counts ${trailer.count} records up to LSN ${trailer.lastLsn}`,
    );
  }
  return {
    closed: true,
    end: offset,
    lastLsn: trailer.lastLsn,
    chain: trailer.chain,
    syncedLsn: trailer.lastLsn,
    databaseTimeMs: Math.max(header.databaseTimeMs, segment.header.databaseTimeMs),
    tornBytes: 0,
  };
}

async function scanFrames(file: VfsFile, segment: Segment): Promise<TailScan> {
  const cursor = new FrameCursor(file, sourceOf(segment), segment.fileBytes, false);
  let bad = '';
  for (;;) {
    const step = cursor.step();
    if (step === Step.more) {
      await cursor.fill();
      continue;
    }
    if (step === Step.bad) bad = cursor.problem;
    if (step !== Step.frame) break;
    if (cursor.header.type === format.FrameType.rotated) {
      throw successorMissing(segment, cursor.offset);
    }
    // A whole `closed` trailer is found by its footer; one that is not at the end of the file was
    // written, but the cut behind it was not: the log was being closed, and nothing follows.
    if (cursor.header.type === format.FrameType.closed) break;
  }
  const rest = await scanRest(file, segment, cursor);
  const syncedLsn = Math.max(segment.header.syncedLsn, cursor.syncedLsn, rest.syncedLsn);
  if (syncedLsn > cursor.committedLsn || rest.syncedEnd > cursor.committedEnd) {
    throw corrupt(
      segment.path,
      cursor.committedEnd,
      `${bad || 'zeros, or a unit without its end,'} where LSN ${cursor.committedLsn + 1} should be, and LSN ${syncedLsn} was synced`,
    );
  }
  return {
    closed: false,
    end: cursor.committedEnd,
    lastLsn: cursor.committedLsn,
    chain: cursor.committedChain,
    syncedLsn,
    databaseTimeMs: Math.max(cursor.databaseTimeMs, segment.header.databaseTimeMs),
    tornBytes: rest.end - cursor.committedEnd,
  };
}

function successorMissing(segment: Segment, offset: number): WalError {
  return new WalError(
    'WAL_MISSING_SEGMENT',
    `${segment.path} has a trailer that says the log goes on, expected ${format.segmentName(segment.header.sequence + 1)} beside it; nothing was changed: put it back`,
    { file: segment.path, offset },
  );
}

/** Zeros that were reserved are passed over in pieces: most of what lies behind the end is nothing else. */
const PIECE_BYTES = 4096;
const ZEROS = Buffer.alloc(PIECE_BYTES);

interface Rest {
  /** The highest watermark in a valid frame behind the end. */
  syncedLsn: number;
  syncedEnd: number;
  /** Behind the last byte that is not zero; the committed end where all are. */
  end: number;
}

/** Looks through everything behind the last whole unit for frames that vouch for it. */
async function scanRest(file: VfsFile, segment: Segment, cursor: FrameCursor): Promise<Rest> {
  const rest: Rest = { syncedLsn: 0, syncedEnd: 0, end: cursor.committedEnd };
  const header: FrameHeader = emptyFrameHeader();
  const overlap = format.FRAME_HEADER_BYTES - format.FRAME_ALIGNMENT;
  const left = Math.max(0, segment.fileBytes - cursor.committedEnd);
  const buffer = new Uint8Array(Math.min(READ_BYTES, left) + overlap);
  const view = viewOf(buffer);
  let position = cursor.committedEnd;
  while (position < segment.fileBytes) {
    buffer.fill(0);
    const read = await readFully(file, buffer, position);
    if (read === 0) break;
    const limit = Math.min(READ_BYTES, read);
    for (let from = 0; from < limit; from += PIECE_BYTES) {
      const to = Math.min(from + PIECE_BYTES, limit);
      if (ZEROS.compare(buffer, from, to, 0, to - from) === 0) continue;
      for (let at = from; at < to; at += format.FRAME_ALIGNMENT) {
        if (view.getUint16(at + format.FRAME_MAGIC_AT, true) !== format.FRAME_MAGIC) continue;
        if (!readFrameHeader(buffer, view, at, header, position + at, segment.seed)) continue;
        rest.syncedLsn = Math.max(rest.syncedLsn, header.syncedLsn);
        rest.syncedEnd = Math.max(rest.syncedEnd, header.syncedEnd);
      }
      let last = to - 1;
      while (buffer[last] === 0) last--;
      rest.end = Math.max(rest.end, position + last + 1);
    }
    position += READ_BYTES;
  }
  return rest;
}

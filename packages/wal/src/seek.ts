/**
 * Where in a segment to begin reading for an LSN, without reading what comes before it.
 *
 *     live or just sealed      the index in memory
 *     sealed                   the trailer that follows the frames: its index, if its checksums are right
 *
 * The index is a hint and is never believed: the frame it points at must be a valid one of the LSN
 * that it names, else the segment is read from its start.
 */
import { crc32 } from '@nendb/codec';
import { readFully, type VfsFile } from '@nendb/vfs';
import type { Segment } from './directory.js';
import * as format from './format.js';
import { emptyFrameHeader, readFrameHeader } from './frame.js';
import { FRAME_BYTES_MAX, INDEX_EVERY_BYTES } from './limits.js';
import { decodeTrailer, findInTrailer, type IndexEntry, trailerBytesMax } from './trailer.js';
import { viewOf } from './u64.js';

/** The last known unit at or before LSN `lsn` of `segment`; `undefined`: begin at its start. */
export async function seekUnit(
  file: VfsFile,
  segment: Segment,
  lsn: number,
): Promise<IndexEntry | undefined> {
  const { header, headerBytes, end } = segment;
  if (lsn <= header.baseLsn || end - headerBytes <= INDEX_EVERY_BYTES) return undefined;
  const entry = segment.index ? segment.index.find(lsn) : await findOnDisk(file, segment, lsn);
  if (!entry || entry.lsn <= header.baseLsn || !fits(entry, segment)) return undefined;
  const bytes = new Uint8Array(format.FRAME_HEADER_BYTES);
  if ((await readFully(file, bytes, entry.offset)) < bytes.length) return undefined;
  const frame = emptyFrameHeader();
  const valid = readFrameHeader(bytes, viewOf(bytes), 0, frame, entry.offset, segment.seed);
  return valid && frame.firstLsn === entry.lsn && (frame.flags & format.FLAG_FIRST) !== 0
    ? entry
    : undefined;
}

function fits(
  { lsn, offset }: IndexEntry,
  { header, headerBytes, end, lastLsn }: Segment,
): boolean {
  return (
    lsn > header.baseLsn &&
    lsn <= lastLsn &&
    offset > headerBytes &&
    offset < end &&
    offset % format.FRAME_ALIGNMENT === 0
  );
}

async function findOnDisk(
  file: VfsFile,
  { end, seed }: Segment,
  lsn: number,
): Promise<IndexEntry | undefined> {
  const bytes = new Uint8Array(Math.min(trailerBytesMax(end), FRAME_BYTES_MAX));
  const read = await readFully(file, bytes, end);
  const frame = emptyFrameHeader();
  if (read < format.FRAME_HEADER_BYTES) return undefined;
  if (!readFrameHeader(bytes, viewOf(bytes), 0, frame, end, seed)) return undefined;
  const to = format.FRAME_HEADER_BYTES + frame.payloadBytes;
  if (frame.count !== 0 || to > read) return undefined;
  const payload = bytes.subarray(format.FRAME_HEADER_BYTES, to);
  if (crc32(payload) !== frame.payloadCrc || typeof decodeTrailer(payload) === 'string') {
    return undefined;
  }
  return findInTrailer(payload, lsn);
}

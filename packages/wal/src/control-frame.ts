/** Control frames: they carry no record, and take no LSN. */
import { crc32 } from '@nendb/codec';
import * as format from './format.js';
import { emptyFrameHeader, frameBytes, putFrameHeader } from './frame.js';
import type { LiveSegment } from './live-segment.js';
import { viewOf } from './u64.js';

/** The bytes of a control frame at the end of `segment`. */
export function encodeControlFrame(
  segment: LiveSegment,
  type: format.FrameType,
  payload: Uint8Array,
  databaseTimeMs: number,
  syncedLsn: number,
): Uint8Array {
  const bytes = new Uint8Array(frameBytes(payload.length));
  bytes.set(payload, format.FRAME_HEADER_BYTES);
  const header = emptyFrameHeader();
  header.type = type;
  header.flags = format.FLAG_FIRST | format.FLAG_LAST;
  header.payloadBytes = payload.length;
  header.unitBytes = payload.length;
  header.payloadCrc = crc32(payload);
  header.firstLsn = segment.lastLsn + 1;
  header.epoch = segment.header.epoch;
  header.databaseTimeMs = databaseTimeMs;
  header.syncedLsn = syncedLsn;
  header.syncedEnd = segment.syncedEnd;
  header.origin = format.ORIGIN_LOCAL;
  putFrameHeader(bytes, viewOf(bytes), 0, header, segment.end, segment.seed);
  return bytes;
}

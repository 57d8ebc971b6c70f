/**
 * Frame headers: encoding, decoding, checksums.
 *
 *     0      4      6     7      8        12       16        24     28        32
 *     +------+------+-----+------+--------+--------+---------+------+---------+
 *     | crc  | magic| type| flags| payload| payload| first   | count| fragment|
 *     | u32  | u16  | u8  | u8   | bytes  | crc    | lsn u64 | u32  | u32     |
 *     +------+------+-----+------+--------+--------+---------+------+---------+
 *     32      36      40           48           56          60       64
 *     +-------+-------+------------+------------+-----------+--------+
 *     | unit  | epoch | database   | synced lsn | synced    | origin |
 *     | bytes | u32   | time u64   | u64        | end / 8   | u32    |
 *     +-------+-------+------------+------------+-----------+--------+
 *
 * Invariants
 *  1. `crc` covers the segment's uuid, the frame's own file offset and bytes 4 to 63: a frame that
 *     was moved, or left behind by a recycled file, is no frame.
 *  2. A header is checked before its payload's length is used for anything.
 *  3. `synced lsn` and `synced end` (the watermark) were covered by a finished sync when the frame
 *     was written: whatever is bad below them is damage, not a torn write (R13).
 */
import { crc32 } from '@nendb/codec';
import * as format from './format.js';
import { FRAME_BYTES_MAX } from './limits.js';
import { getU64, putU64 } from './u64.js';

/** The fields of a frame header. One object is reused by each reader. */
export interface FrameHeader {
  type: number;
  flags: number;
  payloadBytes: number;
  payloadCrc: number;
  /** LSN of its unit's first record; of the next record to come for a control frame. */
  firstLsn: number;
  /** Records in its unit, or in this frame where it is one; 0 for a control frame. */
  count: number;
  /** Which fragment of its unit it is, from 0. */
  fragment: number;
  /** Payload bytes of the whole unit. */
  unitBytes: number;
  epoch: number;
  databaseTimeMs: number;
  syncedLsn: number;
  /** Offset in this segment up to which a sync had finished, in bytes. */
  syncedEnd: number;
  origin: number;
  /** The header's checksum; the chain runs over these. */
  crc: number;
}

export function emptyFrameHeader(): FrameHeader {
  return {
    type: 0,
    flags: 0,
    payloadBytes: 0,
    payloadCrc: 0,
    firstLsn: 0,
    count: 0,
    fragment: 0,
    unitBytes: 0,
    epoch: 0,
    databaseTimeMs: 0,
    syncedLsn: 0,
    syncedEnd: 0,
    origin: 0,
    crc: 0,
  };
}

/** A segment's identity as frames use it: computed once per segment. */
export function frameSeed(segmentUuid: Uint8Array): number {
  return crc32(segmentUuid);
}

const place = new Uint8Array(8);
const placeView = new DataView(place.buffer);

function headerCrc(bytes: Uint8Array, at: number, fileOffset: number, seed: number): number {
  putU64(placeView, 0, fileOffset);
  return crc32(
    bytes.subarray(at + format.FRAME_CRC_FROM, at + format.FRAME_HEADER_BYTES),
    crc32(place, seed),
  );
}

/**
 * Writes `header` at `at`, for a frame that will be at `fileOffset` of the segment with `seed`.
 * Sets and returns its checksum.
 */
export function putFrameHeader(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  header: FrameHeader,
  fileOffset: number,
  seed: number,
): number {
  view.setUint16(at + format.FRAME_MAGIC_AT, format.FRAME_MAGIC, true);
  view.setUint8(at + format.FRAME_TYPE_AT, header.type);
  view.setUint8(at + format.FRAME_FLAGS_AT, header.flags);
  view.setUint32(at + format.FRAME_PAYLOAD_BYTES_AT, header.payloadBytes, true);
  view.setUint32(at + format.FRAME_PAYLOAD_CRC_AT, header.payloadCrc, true);
  putU64(view, at + format.FRAME_FIRST_LSN_AT, header.firstLsn);
  view.setUint32(at + format.FRAME_COUNT_AT, header.count, true);
  view.setUint32(at + format.FRAME_FRAGMENT_AT, header.fragment, true);
  view.setUint32(at + format.FRAME_UNIT_BYTES_AT, header.unitBytes, true);
  view.setUint32(at + format.FRAME_EPOCH_AT, header.epoch, true);
  putU64(view, at + format.FRAME_TIME_AT, header.databaseTimeMs);
  putU64(view, at + format.FRAME_SYNCED_LSN_AT, header.syncedLsn);
  view.setUint32(
    at + format.FRAME_SYNCED_END_AT,
    Math.floor(header.syncedEnd / format.FRAME_ALIGNMENT),
    true,
  );
  view.setUint32(at + format.FRAME_ORIGIN_AT, header.origin, true);
  header.crc = headerCrc(bytes, at, fileOffset, seed);
  view.setUint32(at + format.FRAME_CRC_AT, header.crc, true);
  return header.crc;
}

/**
 * Whether a valid frame header stands at `at`; if so, `into` holds it. All fields are then what a
 * writer wrote, and `payloadBytes` fits a frame.
 */
export function readFrameHeader(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  into: FrameHeader,
  fileOffset: number,
  seed: number,
): boolean {
  if (view.getUint16(at + format.FRAME_MAGIC_AT, true) !== format.FRAME_MAGIC) return false;
  const payloadBytes = view.getUint32(at + format.FRAME_PAYLOAD_BYTES_AT, true);
  if (payloadBytes > FRAME_BYTES_MAX - format.FRAME_HEADER_BYTES) return false;
  const crc = view.getUint32(at + format.FRAME_CRC_AT, true);
  if (crc !== headerCrc(bytes, at, fileOffset, seed)) return false;
  into.crc = crc;
  into.type = view.getUint8(at + format.FRAME_TYPE_AT);
  into.flags = view.getUint8(at + format.FRAME_FLAGS_AT);
  into.payloadBytes = payloadBytes;
  into.payloadCrc = view.getUint32(at + format.FRAME_PAYLOAD_CRC_AT, true);
  into.firstLsn = getU64(view, at + format.FRAME_FIRST_LSN_AT);
  into.count = view.getUint32(at + format.FRAME_COUNT_AT, true);
  into.fragment = view.getUint32(at + format.FRAME_FRAGMENT_AT, true);
  into.unitBytes = view.getUint32(at + format.FRAME_UNIT_BYTES_AT, true);
  into.epoch = view.getUint32(at + format.FRAME_EPOCH_AT, true);
  into.databaseTimeMs = getU64(view, at + format.FRAME_TIME_AT);
  into.syncedLsn = getU64(view, at + format.FRAME_SYNCED_LSN_AT);
  into.syncedEnd = view.getUint32(at + format.FRAME_SYNCED_END_AT, true) * format.FRAME_ALIGNMENT;
  into.origin = view.getUint32(at + format.FRAME_ORIGIN_AT, true);
  return true;
}

const link = new Uint8Array(4);
const linkView = new DataView(link.buffer);

/** The chained checksum after a frame: it pins every header, and through them every payload. */
export function chainAfter(chain: number, frameCrc: number): number {
  linkView.setUint32(0, frameCrc, true);
  return crc32(link, chain);
}

/** The chained checksum of a segment without frames. */
export const CHAIN_START = 0;

/** Bytes a frame takes in the file. */
export function frameBytes(payloadBytes: number): number {
  return format.alignFrame(format.FRAME_HEADER_BYTES + payloadBytes);
}

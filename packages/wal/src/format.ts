/**
 * Every constant and offset of the log on disk, shared by writer, reader and recovery;
 * `docs/formats/wal.md` draws it byte by byte.
 *
 *     <dir>/HEAD                     two copies of: first and last known segment, epoch
 *     <dir>/0000000000000001.wal     segments: header, frames, trailer
 *     <dir>/0000000000000002.spare   a segment built ahead: zeros, not part of the log
 *     <dir>/0000000000000002.tmp     a segment being built by recovery: not part of the log
 *     <dir>/0000000000000002.next    a segment being built by a cut: part of the log once HEAD says so
 *     <dir>/0000000000000002.wal.e5.cut   what a cut that began epoch 5 has set aside: no part of it
 *
 * Little-endian. Frames start at multiples of 8. All-zero bytes are no frame.
 */
import type { Features } from '@nendb/codec';
import { PREAMBLE_BYTES } from '@nendb/codec';

export const WAL_VERSION = 1;

/** Incompat: frames of the segment may be compressed. */
export const FEATURE_COMPRESSED = 1;
/** Incompat: the records of the segment are encrypted. */
export const FEATURE_ENCRYPTED = 2;

/** Feature bits this release reads. */
export const WAL_FEATURES: Features = {
  compat: 0,
  readOnlyCompat: 0,
  incompat: FEATURE_COMPRESSED | FEATURE_ENCRYPTED,
};

// Segment header: preamble, then these. Its length is a multiple of HEADER_ALIGNMENT; its last
// four bytes are the CRC-32 of everything before them.
export const SEGMENT_MAGIC = 'NENDBWAL';
export const HEADER_ALIGNMENT = 512;
export const HEADER_BYTES_AT = PREAMBLE_BYTES;
export const HEADER_KIND_AT = 52;
export const HEADER_UUID_AT = 56;
export const HEADER_SEQUENCE_AT = 72;
export const HEADER_BASE_LSN_AT = 80;
export const HEADER_SYNCED_LSN_AT = 88;
export const HEADER_EPOCH_AT = 96;
export const HEADER_EPOCH_COUNT_AT = 100;
export const HEADER_TIME_AT = 104;
export const HEADER_PREDECESSOR_UUID_AT = 112;
export const HEADER_PREDECESSOR_END_AT = 128;
export const HEADER_PREDECESSOR_CHAIN_AT = 136;
export const HEADER_ZERO_AT = 140;
/** With `FEATURE_ENCRYPTED`: these, and the epochs behind them. */
export const HEADER_KEY_ID_AT = 144;
export const HEADER_SALT_AT = 152;
export const HEADER_TAG_AT = 184;
export const HEADER_SEALING_BYTES = 64;
/** Without it. */
export const HEADER_EPOCHS_AT = 144;
export const EPOCH_ENTRY_BYTES = 16;
export const HEADER_CRC_BYTES = 4;

/** How the predecessor ended. The numbers are on disk. */
export const SegmentKind = {
  /** There is none. */
  first: 1,
  /** It is full; it has a `rotated` trailer once this segment holds a frame. */
  rotated: 2,
  /** It was closed; it has a `closed` trailer. */
  closed: 3,
  /** It was not closed; what was not surely synced in it is repeated here. */
  recovered: 4,
  /** It was cut back: what lies behind the end that this header names was set aside. */
  cut: 5,
} as const;
export type SegmentKind = (typeof SegmentKind)[keyof typeof SegmentKind];

// Frame header.
export const FRAME_HEADER_BYTES = 64;
export const FRAME_ALIGNMENT = 8;
export const FRAME_MAGIC = 0x464e;
export const FRAME_CRC_AT = 0;
export const FRAME_MAGIC_AT = 4;
export const FRAME_TYPE_AT = 6;
export const FRAME_FLAGS_AT = 7;
export const FRAME_PAYLOAD_BYTES_AT = 8;
export const FRAME_PAYLOAD_CRC_AT = 12;
export const FRAME_FIRST_LSN_AT = 16;
export const FRAME_COUNT_AT = 24;
export const FRAME_FRAGMENT_AT = 28;
export const FRAME_UNIT_BYTES_AT = 32;
export const FRAME_EPOCH_AT = 36;
export const FRAME_TIME_AT = 40;
export const FRAME_SYNCED_LSN_AT = 48;
export const FRAME_SYNCED_END_AT = 56;
export const FRAME_ORIGIN_AT = 60;
/** What the header checksum covers of the header: all behind itself. */
export const FRAME_CRC_FROM = 4;

/** What a frame is. The numbers are on disk. */
export const FrameType = { records: 1, idle: 2, rotated: 3, closed: 4 } as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];
export const FRAME_TYPE_LAST = FrameType.closed;

/** The frame starts a unit (what is there whole or not at all). */
export const FLAG_FIRST = 1;
/** The frame ends a unit, and commits it. */
export const FLAG_LAST = 2;
/** The payload is a compressor's number, its plain length, and compressed bytes. */
export const FLAG_COMPRESSED = 4;
/** The payload is encrypted bytes and a tag. */
export const FLAG_ENCRYPTED = 8;
/** The records of the frame are one unit; without it each is one (unless there are fragments). */
export const FLAG_BATCH = 16;
export const FLAGS_KNOWN = FLAG_FIRST | FLAG_LAST | FLAG_COMPRESSED | FLAG_ENCRYPTED | FLAG_BATCH;

// A compressed payload.
export const COMPRESSOR_AT = 0;
export const PLAIN_BYTES_AT = 4;
export const COMPRESSED_AT = 8;

/** Written here: the log's own records. Others are for records that came from elsewhere. */
export const ORIGIN_LOCAL = 0;

// Trailer: the payload of a `rotated` or `closed` frame: these, index entries, footer.
export const TRAILER_COUNT_AT = 0;
export const TRAILER_LAST_LSN_AT = 8;
export const TRAILER_CHAIN_AT = 16;
export const TRAILER_ENTRIES_AT = 20;
export const TRAILER_INDEX_AT = 24;
/** LSN and file offset of a frame that starts a unit. */
export const INDEX_ENTRY_BYTES = 16;
/** The last bytes of a sealed file: the offset of the trailer's frame, and this magic. */
export const FOOTER_BYTES = 16;
export const FOOTER_MAGIC = 'NENDBEND';

// HEAD: two slots of the same content, written one after the other.
export const HEAD_NAME = 'HEAD';
export const LOCK_NAME = 'LOCK';
/** Zeros that are given back when an opening finds the disk full: see `reserve.ts`. */
export const RESERVE_NAME = 'RESERVE';
/** The plan of a salvage that has begun to move files: no log is opened beside it. */
export const SALVAGE_NAME = 'SALVAGE';
export const SALVAGE_MAGIC = 'NENDBSLV';
export const SALVAGE_VERSION = 1;
export const HEAD_MAGIC = 'NENDBWHD';
export const HEAD_SLOT_BYTES = 512;
export const HEAD_SLOTS_AT = [0, 4096] as const;
export const HEAD_FILE_BYTES = 8192;
export const HEAD_GENERATION_AT = PREAMBLE_BYTES;
export const HEAD_FIRST_SEQUENCE_AT = 56;
export const HEAD_LAST_SEQUENCE_AT = 64;
export const HEAD_EPOCH_AT = 72;
export const HEAD_SYNCED_LSN_AT = 80;
/** The first segment that a cut has replaced; 0 where no cut is under way. */
export const HEAD_CUT_SEQUENCE_AT = 88;
export const HEAD_CRC_AT = HEAD_SLOT_BYTES - 4;

// Record: what `Record.encode` makes of a put or a delete. The log does not look into it.
/** What a record does. The numbers are on disk, in the low four bits of its first byte. */
export const RecordKind = { put: 1, delete: 2 } as const;
export const RECORD_KIND_MASK = 0x0f;
/** A put that has an expiry time. */
export const RECORD_EXPIRES = 0x10;
/** A put whose value is stored as compression id, plain length and stream. */
export const RECORD_COMPRESSED = 0x20;
export const RECORD_EXPIRY_BYTES = 8;

const SEQUENCE_DIGITS = 16;
const NAME = /^(\d{16})\.(wal|spare|tmp|next)$/;

/** What the files of a log are called: `wal` is part of it, the others are not. */
export type SegmentSuffix = 'wal' | 'spare' | 'tmp' | 'next';

/** The file name of segment `sequence`, counted from 1. */
export function segmentName(sequence: number, suffix: SegmentSuffix = 'wal'): string {
  return `${String(sequence).padStart(SEQUENCE_DIGITS, '0')}.${suffix}`;
}

/** What a segment is called that was cut off, whole or in part, when `epoch` began. */
export function asideName(name: string, epoch: number): string {
  return `${name}.e${epoch}.cut`;
}

/** What a file name says; `undefined` for a file that is not the log's. */
export function parseSegmentName(
  name: string,
): { sequence: number; suffix: SegmentSuffix } | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const sequence = Number(match[1]);
  if (!Number.isSafeInteger(sequence) || sequence === 0) return undefined;
  return { sequence, suffix: match[2] as SegmentSuffix };
}

/** `bytes` rounded up to where the next frame may start. */
export function alignFrame(bytes: number): number {
  return Math.ceil(bytes / FRAME_ALIGNMENT) * FRAME_ALIGNMENT;
}

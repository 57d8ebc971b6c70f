/**
 * The header of a segment: who it is, where it starts, and what came before.
 *
 * A header is written once, into a file that does not yet have its final name, and synced before
 * the file gets it. A named segment with a bad header is therefore damaged, never half-written.
 *
 * It vouches for its predecessor (uuid, end, chained checksum) and, through `syncedLsn`, for all
 * records up to there, its own first frames included: they were on disk before it had its name.
 */
import {
  crc32,
  FILE_SALT_BYTES,
  FormatError,
  type Preamble,
  putPreamble,
  readPreamble,
  sameUuid,
  TAG_BYTES,
  UUID_BYTES,
} from '@nendb/codec';
import { corrupt, WalError } from './errors.js';
import * as format from './format.js';
import { EPOCH_MAX, EPOCHS_MAX, SEGMENT_HEADER_BYTES_MAX } from './limits.js';
import { type Sealing, sealHeader } from './sealing.js';
import { getU64, putU64, viewOf } from './u64.js';

/** An opening for writing and the first LSN it could assign. */
export interface EpochStart {
  epoch: number;
  firstLsn: number;
}

export interface SegmentHeader {
  databaseUuid: Uint8Array;
  /** 16 bytes, new for each segment; part of every frame's checksum. */
  segmentUuid: Uint8Array;
  kind: format.SegmentKind;
  /** From 1, without gaps; also the file's name. */
  sequence: number;
  /** LSN of the first record this segment holds or will hold. */
  baseLsn: number;
  /** Everything up to here was synced before this segment had its name. */
  syncedLsn: number;
  epoch: number;
  databaseTimeMs: number;
  /** 16 bytes; zeros in the first segment. */
  predecessorUuid: Uint8Array;
  /** Where the predecessor's frames end, in bytes; its trailer, if any, is there. */
  predecessorEnd: number;
  predecessorChain: number;
  /** Oldest first; the last one is this segment's own epoch. */
  epochs: readonly EpochStart[];
  /** Whether frames may be compressed. */
  compressed: boolean;
  /** Set where the records are encrypted. */
  sealing: Sealing | undefined;
}

const ZERO_UUID = new Uint8Array(UUID_BYTES);

/** Bytes of a header that remembers `epochCount` epochs. */
export function segmentHeaderBytes(epochCount: number, sealed: boolean): number {
  const bytes = epochsAt(sealed) + epochCount * format.EPOCH_ENTRY_BYTES + format.HEADER_CRC_BYTES;
  return Math.ceil(bytes / format.HEADER_ALIGNMENT) * format.HEADER_ALIGNMENT;
}

function epochsAt(sealed: boolean): number {
  return format.HEADER_EPOCHS_AT + (sealed ? format.HEADER_SEALING_BYTES : 0);
}

/** The bytes of a new header. Once for each segment: with `sealing` it takes a nonce. */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const { sealing } = header;
  const length = segmentHeaderBytes(header.epochs.length, sealing !== undefined);
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  putPreamble(bytes, 0, {
    magic: format.SEGMENT_MAGIC,
    version: format.WAL_VERSION,
    ...format.WAL_FEATURES,
    incompat:
      (header.compressed ? format.FEATURE_COMPRESSED : 0) |
      (sealing ? format.FEATURE_ENCRYPTED : 0),
    databaseUuid: header.databaseUuid,
  });
  view.setUint32(format.HEADER_BYTES_AT, length, true);
  view.setUint32(format.HEADER_KIND_AT, header.kind, true);
  bytes.set(header.segmentUuid, format.HEADER_UUID_AT);
  putU64(view, format.HEADER_SEQUENCE_AT, header.sequence);
  putU64(view, format.HEADER_BASE_LSN_AT, header.baseLsn);
  putU64(view, format.HEADER_SYNCED_LSN_AT, header.syncedLsn);
  view.setUint32(format.HEADER_EPOCH_AT, header.epoch, true);
  view.setUint32(format.HEADER_EPOCH_COUNT_AT, header.epochs.length, true);
  putU64(view, format.HEADER_TIME_AT, header.databaseTimeMs);
  bytes.set(header.predecessorUuid, format.HEADER_PREDECESSOR_UUID_AT);
  putU64(view, format.HEADER_PREDECESSOR_END_AT, header.predecessorEnd);
  view.setUint32(format.HEADER_PREDECESSOR_CHAIN_AT, header.predecessorChain, true);
  let at = epochsAt(sealing !== undefined);
  for (const { epoch, firstLsn } of header.epochs) {
    putU64(view, at, epoch);
    putU64(view, at + 8, firstLsn);
    at += format.EPOCH_ENTRY_BYTES;
  }
  const crcAt = length - format.HEADER_CRC_BYTES;
  if (sealing) {
    view.setUint32(format.HEADER_KEY_ID_AT, sealing.keyId, true);
    bytes.set(sealing.salt, format.HEADER_SALT_AT);
    bytes.set(sealHeader(sealing, bytes.subarray(0, crcAt)), format.HEADER_TAG_AT);
  }
  view.setUint32(crcAt, crc32(bytes.subarray(0, crcAt)), true);
  return bytes;
}

/**
 * How long the header that starts with `start` says it is, in bytes. Throws `WAL_CORRUPT` where
 * that is impossible: nothing is allocated from an unchecked length.
 */
export function declaredHeaderBytes(start: Uint8Array, file: string): number {
  const length = viewOf(start).getUint32(format.HEADER_BYTES_AT, true);
  if (
    length < format.HEADER_ALIGNMENT ||
    length > SEGMENT_HEADER_BYTES_MAX ||
    length % format.HEADER_ALIGNMENT !== 0
  ) {
    throw corrupt(file, format.HEADER_BYTES_AT, `a segment header cannot be ${length} bytes long`);
  }
  return length;
}

/**
 * Reads and checks the preamble alone; throws `WAL_CORRUPT` or `WAL_TOO_NEW`. `file` and the
 * `magic` are the caller's: HEAD has a preamble, too.
 */
export function checkPreamble(bytes: Uint8Array, magic: string, file: string): Preamble {
  try {
    return readPreamble(bytes, {
      magic,
      version: format.WAL_VERSION,
      ...format.WAL_FEATURES,
      forWriting: true,
    });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (error.code === 'FORMAT_TOO_NEW') {
      throw new WalError('WAL_TOO_NEW', `${file}: ${error.message}`, { file, cause: error });
    }
    throw corrupt(file, 0, error.message);
  }
}

/** Decodes a whole header. Throws `WAL_CORRUPT` or `WAL_TOO_NEW`. */
export function decodeSegmentHeader(bytes: Uint8Array, file: string): SegmentHeader {
  const { databaseUuid, incompat } = checkPreamble(bytes, format.SEGMENT_MAGIC, file);
  const sealed = (incompat & format.FEATURE_ENCRYPTED) !== 0;
  const view = viewOf(bytes);
  const crcAt = bytes.length - format.HEADER_CRC_BYTES;
  if (view.getUint32(crcAt, true) !== crc32(bytes.subarray(0, crcAt))) {
    throw corrupt(file, crcAt, 'the segment header does not match its checksum');
  }
  const kind = view.getUint32(format.HEADER_KIND_AT, true);
  const epochCount = view.getUint32(format.HEADER_EPOCH_COUNT_AT, true);
  const epoch = view.getUint32(format.HEADER_EPOCH_AT, true);
  if (epochCount === 0 || epochCount > EPOCHS_MAX || epoch === 0 || epoch > EPOCH_MAX) {
    throw corrupt(file, format.HEADER_EPOCH_AT, `epoch ${epoch} with ${epochCount} epochs`);
  }
  if (bytes.length !== segmentHeaderBytes(epochCount, sealed)) {
    throw corrupt(file, format.HEADER_BYTES_AT, `${epochCount} epochs in ${bytes.length} bytes`);
  }
  if (!isKind(kind)) {
    throw new WalError(
      'WAL_TOO_NEW',
      `${file}: unknown segment kind ${kind}: use a newer release`,
      {
        file,
        offset: format.HEADER_KIND_AT,
      },
    );
  }
  const epochs: EpochStart[] = [];
  for (let i = 0; i < epochCount; i++) {
    const at = epochsAt(sealed) + i * format.EPOCH_ENTRY_BYTES;
    epochs.push({ epoch: getU64(view, at), firstLsn: getU64(view, at + 8) });
  }
  const header: SegmentHeader = {
    databaseUuid,
    segmentUuid: bytes.slice(format.HEADER_UUID_AT, format.HEADER_UUID_AT + UUID_BYTES),
    kind,
    sequence: getU64(view, format.HEADER_SEQUENCE_AT),
    baseLsn: getU64(view, format.HEADER_BASE_LSN_AT),
    syncedLsn: getU64(view, format.HEADER_SYNCED_LSN_AT),
    epoch,
    databaseTimeMs: getU64(view, format.HEADER_TIME_AT),
    predecessorUuid: bytes.slice(
      format.HEADER_PREDECESSOR_UUID_AT,
      format.HEADER_PREDECESSOR_UUID_AT + UUID_BYTES,
    ),
    predecessorEnd: getU64(view, format.HEADER_PREDECESSOR_END_AT),
    predecessorChain: view.getUint32(format.HEADER_PREDECESSOR_CHAIN_AT, true),
    epochs,
    compressed: (incompat & format.FEATURE_COMPRESSED) !== 0,
    sealing: sealed ? decodeSealing(bytes.subarray(0, crcAt)) : undefined,
  };
  if ((kind === format.SegmentKind.first) !== sameUuid(header.predecessorUuid, ZERO_UUID)) {
    throw corrupt(file, format.HEADER_KIND_AT, 'the kind does not fit the predecessor');
  }
  return header;
}

/** The key's id and the salt in a header that cannot be proved: its frames have to prove them. */
export function readSealing(header: Uint8Array): Sealing {
  const { keyId, salt } = decodeSealing(header);
  return { keyId, salt, cipher: undefined };
}

function decodeSealing(header: Uint8Array): Sealing {
  const covered = header.slice();
  covered.fill(0, format.HEADER_TAG_AT, format.HEADER_TAG_AT + TAG_BYTES);
  return {
    keyId: viewOf(header).getUint32(format.HEADER_KEY_ID_AT, true),
    salt: header.slice(format.HEADER_SALT_AT, format.HEADER_SALT_AT + FILE_SALT_BYTES),
    cipher: undefined,
    proof: {
      tag: header.slice(format.HEADER_TAG_AT, format.HEADER_TAG_AT + TAG_BYTES),
      covered,
    },
  };
}

function isKind(value: number): value is format.SegmentKind {
  return value >= format.SegmentKind.first && value <= format.SegmentKind.cut;
}

/** The uuid that stands for "no predecessor". */
export function noUuid(): Uint8Array {
  return new Uint8Array(UUID_BYTES);
}

/**
 * The bytes of an image: every constant and offset. `docs/formats/snapshot.md` draws them.
 *
 *     +------+---------+---------+-----+--------+
 *     | head | block 0 | block 1 | ... | footer |
 *     +------+---------+---------+-----+--------+
 *
 *     head     0 preamble 48 | 48 image uuid 16 | 64 lsn u64 | 72 epoch u64 | 80 time u64 | 88 zero u32 | 92 crc u32
 *     lock     0 key id u32 | 4 salt 32 | 36 tag 16 | 52 crc u32              only where the image is encrypted
 *     block    0 index u32 | 4 length u24, compression u8 | 8 stored crc u32 | 12 crc u32 | 16 stored bytes
 *     footer   0 text 8 | 8 payload bytes u64 | 16 file bytes u64 | 24 blocks u32 | 28 chain u32 | 32 zero u32
 *              | tag 16, only where the image is encrypted | crc u32
 *
 * Little-endian. Invariants
 *  1. The image's uuid is made for each image and begins the checksum of every block header and of
 *     the footer: a block of another image, or of an older one in the same place, does not match.
 *  2. A block header's checksum covers index, length, compression and the checksum of the stored
 *     bytes, and is checked before the length is used.
 *  3. `chain` is the checksum over the head's checksum (the lock's, where there is one) and all block
 *     headers' checksums in order.
 *  4. Every byte of a file is under a checksum, and the file ends with its footer.
 *  5. Stored bytes are the payload, compressed where that pays, then sealed where the image is
 *     encrypted. Checksums cover what is stored: a good checksum with a bad tag is another key or
 *     somebody's hand, never a damaged disk.
 *  6. An image without features is what the first release of this format wrote, byte for byte.
 */
import {
  compressionId,
  FILE_SALT_BYTES,
  NO_FEATURES,
  PREAMBLE_BYTES,
  type Readable,
  TAG_BYTES,
} from '@nendb/codec';
import { BLOCK_BYTES_MAX, BLOCKS_MAX } from './limits.js';

export const NEWEST_FILE = 'nendb.snapshot';
export const BAK_FILE = 'nendb.snapshot.bak';
/** Names that a writer gives to an image before it is published. */
export const TEMPORARY_FILE = /^nendb\.snapshot\.[0-9a-f]{32}\.tmp$/;
/** Names of images that are older than the `.bak`: epoch and LSN. */
export const KEPT_FILE = /^nendb\.snapshot\.(0|[1-9]\d{0,15})-(0|[1-9]\d{0,15})$/;

export const MAGIC = 'NENDBSNP';
export const FORMAT_VERSION = 1;
/** `incompat` feature bits of the preamble. */
export const FEATURE_DEFLATE = 0x1;
export const FEATURE_ENCRYPTED = 0x2;
export const READABLE: Readable = {
  magic: MAGIC,
  version: FORMAT_VERSION,
  ...NO_FEATURES,
  incompat: FEATURE_DEFLATE | FEATURE_ENCRYPTED,
};

export const UUID_BYTES = 16;
export const IMAGE_UUID_AT = PREAMBLE_BYTES;
export const LSN_AT = 64;
export const EPOCH_AT = 72;
export const TIME_AT = 80;
export const HEAD_ZERO_AT = 88;
export const HEAD_CRC_AT = 92;
export const HEAD_BYTES = 96;

/** From the start of the file. */
export const KEY_ID_AT = HEAD_BYTES;
export const SALT_AT = KEY_ID_AT + 4;
export const HEAD_TAG_AT = SALT_AT + FILE_SALT_BYTES;
export const LOCK_CRC_AT = HEAD_TAG_AT + TAG_BYTES;
const LOCK_BYTES = LOCK_CRC_AT + 4 - HEAD_BYTES;
/** The longest head: with its lock. */
export const HEAD_BYTES_MAX = HEAD_BYTES + LOCK_BYTES;

export const BLOCK_INDEX_AT = 0;
export const BLOCK_LENGTH_AT = 4;
/** The lower 24 bits of the field at `BLOCK_LENGTH_AT` are the length, the upper 8 the compression. */
export const BLOCK_LENGTH_MASK = 0xffffff;
export const BLOCK_COMPRESSION_SHIFT = 24;
export const BLOCK_STORED_CRC_AT = 8;
export const BLOCK_CRC_AT = 12;
export const BLOCK_HEADER_BYTES = 16;
/** The most payload of one block that is not encrypted, in bytes. */
export const BLOCK_PAYLOAD_BYTES_MAX = BLOCK_BYTES_MAX - BLOCK_HEADER_BYTES;

export const FOOTER_TEXT = 'NENDBEND';
export const FOOTER_TEXT_BYTES = 8;
export const PAYLOAD_BYTES_AT = 8;
export const FILE_BYTES_AT = 16;
export const BLOCKS_AT = 24;
export const CHAIN_AT = 28;
export const FOOTER_ZERO_AT = 32;
/** Where the footer's tag is, or its checksum where it has none. */
export const FOOTER_TAG_AT = 36;
export const FOOTER_BYTES = 40;

/** What the preamble says about all blocks of an image. */
export interface ImageFeatures {
  /** Blocks may be deflated. */
  compressed: boolean;
  encrypted: boolean;
}

/** The bytes of a head: with the lock where the image is encrypted. */
export function headBytes(encrypted: boolean): number {
  return encrypted ? HEAD_BYTES_MAX : HEAD_BYTES;
}

/** What a block takes beyond its payload, in bytes. */
export function blockOverheadBytes(encrypted: boolean): number {
  return encrypted ? BLOCK_HEADER_BYTES + TAG_BYTES : BLOCK_HEADER_BYTES;
}

/** The most payload of one block, in bytes. */
export function blockPayloadBytesMax(encrypted: boolean): number {
  return BLOCK_BYTES_MAX - blockOverheadBytes(encrypted);
}

export function footerBytes(encrypted: boolean): number {
  return encrypted ? FOOTER_BYTES + TAG_BYTES : FOOTER_BYTES;
}

/** Whether blocks of an image with these features may be stored under compression `id`. */
export function mayCompress(id: number, { compressed }: ImageFeatures): boolean {
  return compressed || id === compressionId('none');
}

/** The bytes that an image with `payloadBytes` of payload takes on disk when nothing shrinks. */
export function imageBytes(payloadBytes: number, encrypted = false): number {
  const blocks = Math.ceil(payloadBytes / blockPayloadBytesMax(encrypted));
  if (blocks > BLOCKS_MAX) {
    throw new RangeError(`expected at most ${BLOCKS_MAX} blocks, got ${blocks}: split the image`);
  }
  const ends = headBytes(encrypted) + footerBytes(encrypted);
  return ends + payloadBytes + blocks * blockOverheadBytes(encrypted);
}

/** The name of an image that is not published yet. */
export function temporaryFile(imageUuid: Uint8Array): string {
  return `${NEWEST_FILE}.${Buffer.from(imageUuid).toString('hex')}.tmp`;
}

/** The name of an image that is older than the `.bak`. */
export function keptFile({ epoch, lsn }: { epoch: number; lsn: number }): string {
  return `${NEWEST_FILE}.${epoch}-${lsn}`;
}

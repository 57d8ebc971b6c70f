/**
 * The bytes of an image: every constant and offset. `docs/formats/snapshot.md` draws them.
 *
 *     +------+---------+---------+-----+--------+
 *     | head | block 0 | block 1 | ... | footer |
 *     +------+---------+---------+-----+--------+
 *
 *     head     0 preamble 48 | 48 image uuid 16 | 64 lsn u64 | 72 epoch u64 | 80 time u64 | 88 zero u32 | 92 crc u32
 *     block    0 index u32 | 4 length u32 | 8 payload crc u32 | 12 crc u32 | 16 payload
 *     footer   0 text 8 | 8 payload bytes u64 | 16 file bytes u64 | 24 blocks u32 | 28 chain u32 | 32 zero u32 | 36 crc u32
 *
 * Little-endian. Invariants
 *  1. The image's uuid is made for each image and begins the checksum of every block header and of
 *     the footer: a block of another image, or of an older one in the same place, does not match.
 *  2. A block header's checksum covers index, length and the payload's checksum, and is checked
 *     before the length is used.
 *  3. `chain` is the checksum over the head's checksum and all block headers' checksums in order.
 *  4. Every byte of a file is under a checksum, and the file ends with its footer.
 */
import {
  crc32,
  FormatError,
  lsn,
  NO_FEATURES,
  PREAMBLE_BYTES,
  putPreamble,
  type Readable,
  readPreamble,
} from '@nendb/codec';
import { BLOCK_BYTES_MAX, BLOCKS_MAX } from './limits.js';
import type { SnapshotHeader } from './types.js';

export const NEWEST_FILE = 'nendb.snapshot';
export const BAK_FILE = 'nendb.snapshot.bak';
/** Names that a writer gives to an image before it is published. */
export const TEMPORARY_FILE = /^nendb\.snapshot\.[0-9a-f]{32}\.tmp$/;

const MAGIC = 'NENDBSNP';
export const FORMAT_VERSION = 1;
const READABLE: Readable = { magic: MAGIC, version: FORMAT_VERSION, ...NO_FEATURES };

const UUID_BYTES = 16;
const IMAGE_UUID_AT = PREAMBLE_BYTES;
const LSN_AT = 64;
const EPOCH_AT = 72;
const TIME_AT = 80;
const HEAD_ZERO_AT = 88;
const HEAD_CRC_AT = 92;
export const HEAD_BYTES = 96;

const BLOCK_INDEX_AT = 0;
const BLOCK_LENGTH_AT = 4;
const BLOCK_PAYLOAD_CRC_AT = 8;
const BLOCK_CRC_AT = 12;
export const BLOCK_HEADER_BYTES = 16;
/** The most payload of one block, in bytes. */
export const BLOCK_PAYLOAD_BYTES_MAX = BLOCK_BYTES_MAX - BLOCK_HEADER_BYTES;

const FOOTER_TEXT = 'NENDBEND';
const FOOTER_TEXT_BYTES = 8;
const PAYLOAD_BYTES_AT = 8;
const FILE_BYTES_AT = 16;
const BLOCKS_AT = 24;
const CHAIN_AT = 28;
const FOOTER_ZERO_AT = 32;
const FOOTER_CRC_AT = 36;
export const FOOTER_BYTES = 40;

export interface ImageHead {
  header: SnapshotHeader;
  /** 16 bytes, different for every image. */
  imageUuid: Uint8Array;
  /** The head's checksum: where the chain starts. */
  crc: number;
}

export interface BlockHeader {
  /** Payload bytes, at least 1. */
  length: number;
  payloadCrc: number;
  crc: number;
}

export interface ImageFooter {
  payloadBytes: number;
  fileBytes: number;
  blocks: number;
  chain: number;
}

/** The name of an image that is not published yet. */
export function temporaryFile(imageUuid: Uint8Array): string {
  return `${NEWEST_FILE}.${Buffer.from(imageUuid).toString('hex')}.tmp`;
}

/** The checksum that every checksum of an image's blocks and footer goes on from. */
export function imageSeed(imageUuid: Uint8Array): number {
  return crc32(imageUuid);
}

/** The chain with one more block. */
export function extendChain(chain: number, blockCrc: number): number {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(blockCrc);
  return crc32(bytes, chain);
}

/** A new image's first `HEAD_BYTES`, and their checksum, where the chain starts. */
export function encodeHead(
  header: SnapshotHeader,
  imageUuid: Uint8Array,
): { bytes: Buffer; crc: number } {
  const bytes = Buffer.alloc(HEAD_BYTES);
  putPreamble(bytes, 0, {
    magic: MAGIC,
    version: FORMAT_VERSION,
    ...NO_FEATURES,
    databaseUuid: header.uuid,
  });
  bytes.set(imageUuid, IMAGE_UUID_AT);
  bytes.writeBigUInt64LE(BigInt(header.lsn), LSN_AT);
  bytes.writeBigUInt64LE(BigInt(header.epoch), EPOCH_AT);
  bytes.writeBigUInt64LE(BigInt(header.databaseTimeMs), TIME_AT);
  const crc = crc32(bytes.subarray(0, HEAD_CRC_AT));
  bytes.writeUInt32LE(crc, HEAD_CRC_AT);
  return { bytes, crc };
}

/** Throws `FormatError`; `FORMAT_TOO_NEW` only where the preamble itself is sound. */
export function decodeHead(source: Uint8Array): ImageHead {
  const { databaseUuid } = readPreamble(source, READABLE);
  const bytes = whole(source, HEAD_BYTES, 'a head');
  const crc = checkCrc(bytes, HEAD_CRC_AT, 0, 'head');
  checkZero(bytes, HEAD_ZERO_AT, 'head');
  return {
    header: {
      lsn: lsn(readU64(bytes, LSN_AT, 'LSN')),
      epoch: readU64(bytes, EPOCH_AT, 'epoch'),
      uuid: databaseUuid,
      databaseTimeMs: readU64(bytes, TIME_AT, 'database time'),
    },
    imageUuid: Uint8Array.from(bytes.subarray(IMAGE_UUID_AT, IMAGE_UUID_AT + UUID_BYTES)),
    crc,
  };
}

/** Fills in the header at the start of `block`, payload behind it; returns its checksum. */
export function sealBlock(block: Uint8Array, index: number, seed: number): number {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.length);
  bytes.writeUInt32LE(index, BLOCK_INDEX_AT);
  bytes.writeUInt32LE(block.length - BLOCK_HEADER_BYTES, BLOCK_LENGTH_AT);
  bytes.writeUInt32LE(crc32(bytes.subarray(BLOCK_HEADER_BYTES)), BLOCK_PAYLOAD_CRC_AT);
  const crc = crc32(bytes.subarray(0, BLOCK_CRC_AT), seed);
  bytes.writeUInt32LE(crc, BLOCK_CRC_AT);
  return crc;
}

/** Reads the header of block `index`. Throws `FormatError`; the payload is not looked at. */
export function decodeBlockHeader(source: Uint8Array, index: number, seed: number): BlockHeader {
  const bytes = whole(source, BLOCK_HEADER_BYTES, `the header of block ${index}`);
  const crc = checkCrc(bytes, BLOCK_CRC_AT, seed, `header of block ${index}`);
  const found = bytes.readUInt32LE(BLOCK_INDEX_AT);
  if (found !== index) {
    throw new FormatError('FORMAT_BAD_VALUE', `expected block ${index}, got block ${found}`);
  }
  const length = bytes.readUInt32LE(BLOCK_LENGTH_AT);
  if (length === 0 || length > BLOCK_PAYLOAD_BYTES_MAX) {
    throw new FormatError(
      'FORMAT_BAD_VALUE',
      `expected 1 to ${BLOCK_PAYLOAD_BYTES_MAX} bytes in block ${index}, got ${length}`,
    );
  }
  return { length, payloadCrc: bytes.readUInt32LE(BLOCK_PAYLOAD_CRC_AT), crc };
}

/** Throws `FormatError` unless `payload` is what `header` was made for. */
export function checkPayload(payload: Uint8Array, header: BlockHeader, index: number): void {
  const computed = crc32(payload);
  if (computed === header.payloadCrc) return;
  throw new FormatError(
    'FORMAT_BAD_CHECKSUM',
    `expected payload checksum ${hex(header.payloadCrc)} in block ${index}, got ${hex(computed)}`,
  );
}

/** An image's last `FOOTER_BYTES`. */
export function encodeFooter(footer: ImageFooter, seed: number): Buffer {
  const bytes = Buffer.alloc(FOOTER_BYTES);
  bytes.write(FOOTER_TEXT, 0, 'latin1');
  bytes.writeBigUInt64LE(BigInt(footer.payloadBytes), PAYLOAD_BYTES_AT);
  bytes.writeBigUInt64LE(BigInt(footer.fileBytes), FILE_BYTES_AT);
  bytes.writeUInt32LE(footer.blocks, BLOCKS_AT);
  bytes.writeUInt32LE(footer.chain, CHAIN_AT);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, FOOTER_CRC_AT), seed), FOOTER_CRC_AT);
  return bytes;
}

/** Reads the footer of a file of `fileBytes`. Throws `FormatError`. */
export function decodeFooter(source: Uint8Array, fileBytes: number, seed: number): ImageFooter {
  const bytes = whole(source, FOOTER_BYTES, 'a footer');
  const text = bytes.toString('latin1', 0, FOOTER_TEXT_BYTES);
  if (text !== FOOTER_TEXT) {
    throw new FormatError(
      'FORMAT_BAD_MAGIC',
      `expected the footer's ${JSON.stringify(FOOTER_TEXT)}, got ${JSON.stringify(text)}`,
    );
  }
  checkCrc(bytes, FOOTER_CRC_AT, seed, 'footer');
  checkZero(bytes, FOOTER_ZERO_AT, 'footer');
  const footer: ImageFooter = {
    payloadBytes: readU64(bytes, PAYLOAD_BYTES_AT, 'payload length'),
    fileBytes: readU64(bytes, FILE_BYTES_AT, 'file length'),
    blocks: bytes.readUInt32LE(BLOCKS_AT),
    chain: bytes.readUInt32LE(CHAIN_AT),
  };
  const overhead = HEAD_BYTES + footer.blocks * BLOCK_HEADER_BYTES + FOOTER_BYTES;
  if (footer.fileBytes !== fileBytes || footer.payloadBytes + overhead !== fileBytes) {
    throw new FormatError(
      'FORMAT_BAD_VALUE',
      `expected a file of ${footer.fileBytes} bytes with ${footer.payloadBytes} of payload in ${footer.blocks} blocks, got ${fileBytes} bytes`,
    );
  }
  return footer;
}

/** The bytes that an image with `payloadBytes` of payload takes on disk. */
export function imageBytes(payloadBytes: number): number {
  const blocks = Math.ceil(payloadBytes / BLOCK_PAYLOAD_BYTES_MAX);
  if (blocks > BLOCKS_MAX) {
    throw new RangeError(`expected at most ${BLOCKS_MAX} blocks, got ${blocks}: split the image`);
  }
  return HEAD_BYTES + payloadBytes + blocks * BLOCK_HEADER_BYTES + FOOTER_BYTES;
}

function whole(source: Uint8Array, length: number, what: string): Buffer {
  if (source.length < length) {
    throw new FormatError(
      'FORMAT_TRUNCATED',
      `expected ${what} of ${length} bytes, got ${source.length}`,
    );
  }
  return Buffer.from(source.buffer, source.byteOffset, length);
}

function checkCrc(bytes: Buffer, at: number, seed: number, what: string): number {
  const stored = bytes.readUInt32LE(at);
  const computed = crc32(bytes.subarray(0, at), seed);
  if (stored === computed) return stored;
  throw new FormatError(
    'FORMAT_BAD_CHECKSUM',
    `expected ${what} checksum ${hex(stored)}, got ${hex(computed)}`,
  );
}

function checkZero(bytes: Buffer, at: number, what: string): void {
  if (bytes.readUInt32LE(at) === 0) return;
  throw new FormatError('FORMAT_BAD_VALUE', `expected zero at ${at} of the ${what}`);
}

function readU64(bytes: Buffer, at: number, what: string): number {
  const value = bytes.readBigUInt64LE(at);
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw new FormatError('FORMAT_BAD_VALUE', `expected ${what} up to 2^53 - 1, got ${value}`);
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}

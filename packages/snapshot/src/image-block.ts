/** Blocks: a header of its own before the stored bytes of each. */
import { type Compression, compress, compressionId, crc32, FormatError } from '@nendb/codec';
import { checkCrc, hex, whole } from './fields.js';
import {
  BLOCK_COMPRESSION_SHIFT,
  BLOCK_CRC_AT,
  BLOCK_HEADER_BYTES,
  BLOCK_INDEX_AT,
  BLOCK_LENGTH_AT,
  BLOCK_LENGTH_MASK,
  BLOCK_PAYLOAD_BYTES_MAX,
  BLOCK_STORED_CRC_AT,
  type ImageFeatures,
  mayCompress,
} from './format.js';
import type { ImageCipher } from './image-cipher.js';

export interface BlockHeader {
  /** Stored bytes, at least 1. */
  length: number;
  /** The number of the compression that was applied before sealing. */
  compression: number;
  storedCrc: number;
  crc: number;
}

/** What becomes of a payload before it is stored. */
export interface Storing {
  compression: Compression;
  cipher?: ImageCipher;
}

/**
 * The block on disk for `room`, which is room for a header with the payload behind it: `room` itself
 * where the payload is stored as it is, else a new buffer; and the checksum of its header.
 */
export function encodeBlock(
  room: Uint8Array,
  index: number,
  seed: number,
  { compression, cipher }: Storing,
): { bytes: Uint8Array; crc: number } {
  const payload = room.subarray(BLOCK_HEADER_BYTES);
  const compressed = compress(payload, compression);
  const id = compressionId(compressed === undefined ? 'none' : compression);
  const packed = compressed ?? payload;
  const stored = cipher === undefined ? packed : cipher.sealBlock(index, id, packed);
  const bytes = stored === payload ? room : withRoom(stored);
  return { bytes, crc: sealHeader(bytes, index, id, seed) };
}

function withRoom(stored: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(BLOCK_HEADER_BYTES + stored.length);
  bytes.set(stored, BLOCK_HEADER_BYTES);
  return bytes;
}

/** Fills in the header at the start of `block`; returns its checksum. */
function sealHeader(block: Uint8Array, index: number, compression: number, seed: number): number {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.length);
  const length = block.length - BLOCK_HEADER_BYTES;
  bytes.writeUInt32LE(index, BLOCK_INDEX_AT);
  bytes.writeUInt32LE(((compression << BLOCK_COMPRESSION_SHIFT) | length) >>> 0, BLOCK_LENGTH_AT);
  bytes.writeUInt32LE(crc32(bytes.subarray(BLOCK_HEADER_BYTES)), BLOCK_STORED_CRC_AT);
  const crc = crc32(bytes.subarray(0, BLOCK_CRC_AT), seed);
  bytes.writeUInt32LE(crc, BLOCK_CRC_AT);
  return crc;
}

/** Reads the header of block `index`. Throws `FormatError`; the stored bytes are not looked at. */
export function decodeBlockHeader(
  source: Uint8Array,
  index: number,
  seed: number,
  features: ImageFeatures,
): BlockHeader {
  const bytes = whole(source, BLOCK_HEADER_BYTES, `the header of block ${index}`);
  const crc = checkCrc(bytes, BLOCK_CRC_AT, seed, `header of block ${index}`);
  const found = bytes.readUInt32LE(BLOCK_INDEX_AT);
  if (found !== index) {
    throw new FormatError('FORMAT_BAD_VALUE', `expected block ${index}, got block ${found}`);
  }
  const lengthField = bytes.readUInt32LE(BLOCK_LENGTH_AT);
  const length = lengthField & BLOCK_LENGTH_MASK;
  const compression = lengthField >>> BLOCK_COMPRESSION_SHIFT;
  if (length === 0 || length > BLOCK_PAYLOAD_BYTES_MAX) {
    throw new FormatError(
      'FORMAT_BAD_VALUE',
      `expected 1 to ${BLOCK_PAYLOAD_BYTES_MAX} bytes in block ${index}, got ${length}`,
    );
  }
  if (!mayCompress(compression, features)) {
    throw new FormatError(
      'FORMAT_BAD_VALUE',
      `expected block ${index} of an image without compression as it is, got compression ${compression}`,
    );
  }
  return { length, compression, storedCrc: bytes.readUInt32LE(BLOCK_STORED_CRC_AT), crc };
}

/** Throws `FormatError` unless `stored` is what `header` was made for. */
export function checkStored(stored: Uint8Array, header: BlockHeader, index: number): void {
  const computed = crc32(stored);
  if (computed === header.storedCrc) return;
  throw new FormatError(
    'FORMAT_BAD_CHECKSUM',
    `expected payload checksum ${hex(header.storedCrc)} in block ${index}, got ${hex(computed)}`,
  );
}

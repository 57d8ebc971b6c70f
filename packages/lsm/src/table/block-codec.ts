/**
 * From a payload to the bytes of a block in a file, and back: compression, encryption, checksum.
 *
 *     payload ─ compress, where it pays ─ seal, where the file is encrypted ─ header and checksum ─▶ block
 *
 * Invariants
 *  1. The checksum is good for one place of one file: it begins with the file's seed and the offset.
 *  2. Compression comes before encryption. The checksum covers what is stored, so a good checksum with a
 *     bad tag is another key or somebody's hand, never a damaged disk.
 *  3. Lengths in a header are compared with what the caller knows before anything is allocated from them.
 */
import {
  type Compression,
  CryptoError,
  compress,
  compressionId,
  decompress,
  FormatError,
  TAG_BYTES,
} from '@nendb/codec';
import { corrupt } from '../errors.js';
import { crcAt, type FileHead, wrongKey } from '../file-head.js';
import { BLOCK_PAYLOAD_BYTES_MAX } from '../limits.js';
import {
  BLOCK_COMPRESSION_AT,
  BLOCK_COVERED_AT,
  BLOCK_CRC_AT,
  BLOCK_HEADER_BYTES,
  BLOCK_PLAIN_BYTES_AT,
  BLOCK_STORED_BYTES_AT,
  BLOCK_TYPE_AT,
  BLOCK_ZERO_AT,
  type BlockType,
} from './format.js';

const NONE = compressionId('none');

/** The bytes of a block that will be at `offset`. */
export function encodeBlock(
  head: FileHead,
  offset: number,
  type: BlockType,
  payload: Uint8Array,
  compression: Compression,
): Uint8Array {
  const compressed = compress(payload, compression);
  const plain = compressed ?? payload;
  const storedBytes = plain.length + (head.cipher ? TAG_BYTES : 0);
  const block = new Uint8Array(BLOCK_HEADER_BYTES + storedBytes);
  const view = new DataView(block.buffer);
  block[BLOCK_TYPE_AT] = type;
  block[BLOCK_COMPRESSION_AT] = compressed ? compressionId(compression) : NONE;
  view.setUint32(BLOCK_STORED_BYTES_AT, storedBytes, true);
  view.setUint32(BLOCK_PLAIN_BYTES_AT, payload.length, true);
  const clear = block.subarray(BLOCK_COVERED_AT, BLOCK_HEADER_BYTES);
  block.set(head.cipher?.seal(offset, type, plain, clear) ?? plain, BLOCK_HEADER_BYTES);
  const crc = crcAt(head.seed, offset, block.subarray(BLOCK_COVERED_AT));
  view.setUint32(BLOCK_CRC_AT, crc, true);
  return block;
}

/**
 * The payload of the block of `type` whose bytes `block` are, read at `offset` of `path`: a view of
 * `block` where it is stored as it is. Throws `LSM_CORRUPT`, `LSM_WRONG_KEY`, `LSM_TOO_NEW`.
 */
export function decodeBlock(
  path: string,
  head: FileHead,
  offset: number,
  type: BlockType,
  block: Uint8Array,
): Uint8Array {
  if (
    block.length < BLOCK_HEADER_BYTES ||
    crcAt(head.seed, offset, block.subarray(BLOCK_COVERED_AT)) !== u32(block, BLOCK_CRC_AT)
  ) {
    throw corrupt(path, offset, `a block of ${block.length} bytes does not match its checksum`);
  }
  const storedBytes = u32(block, BLOCK_STORED_BYTES_AT);
  if (storedBytes !== block.length - BLOCK_HEADER_BYTES) {
    throw corrupt(
      path,
      offset,
      `expected a block of ${block.length - BLOCK_HEADER_BYTES} stored bytes, its header says ${storedBytes}`,
    );
  }
  if (
    block[BLOCK_TYPE_AT] !== type ||
    block[BLOCK_ZERO_AT] !== 0 ||
    block[BLOCK_ZERO_AT + 1] !== 0
  ) {
    throw corrupt(path, offset, `expected a block of type ${type}, got ${block[BLOCK_TYPE_AT]}`);
  }
  const plainBytes = u32(block, BLOCK_PLAIN_BYTES_AT);
  const compression = block[BLOCK_COMPRESSION_AT];
  let payload = block.subarray(BLOCK_HEADER_BYTES);
  if (head.cipher !== undefined) payload = unseal(path, head, offset, type, block);
  if (compression !== NONE) payload = inflate(path, offset, payload, compression, plainBytes);
  if (payload.length === plainBytes) return payload;
  throw corrupt(path, offset, `expected ${plainBytes} bytes of payload, got ${payload.length}`);
}

function unseal(
  path: string,
  head: FileHead,
  offset: number,
  type: BlockType,
  block: Uint8Array,
): Uint8Array {
  const clear = block.subarray(BLOCK_COVERED_AT, BLOCK_HEADER_BYTES);
  try {
    return head.cipher!.open(offset, type, block.subarray(BLOCK_HEADER_BYTES), clear);
  } catch (error) {
    if (error instanceof FormatError) throw corrupt(path, offset, error.message, error);
    if (!(error instanceof CryptoError) || error.code !== 'CRYPTO_BAD_TAG') throw error;
    throw wrongKey(path, `a block is sealed otherwise: ${error.message}`, offset, error);
  }
}

function inflate(
  path: string,
  offset: number,
  stored: Uint8Array,
  compression: number,
  plainBytes: number,
): Uint8Array {
  if (plainBytes === 0 || plainBytes > BLOCK_PAYLOAD_BYTES_MAX) {
    throw corrupt(path, offset, `a compressed block claims ${plainBytes} bytes`);
  }
  try {
    return decompress(stored, compression, plainBytes);
  } catch (error) {
    if (error instanceof FormatError) throw corrupt(path, offset, error.message, error);
    throw error;
  }
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

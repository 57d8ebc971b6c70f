/**
 * Compressed payloads of frames: only where that pays, and bounded on the way back.
 *
 *     0              4              8
 *     +--------------+--------------+------------+
 *     | compressor   | plain length | compressed |
 *     | id u32       | u32          |            |
 *     +--------------+--------------+------------+
 *
 * A frame whose flag says so holds this and never plain bytes; it is always shorter than them.
 */
import { type Compression, compress, compressionId, decompress, FormatError } from '@nendb/codec';
import * as format from './format.js';
import { FRAME_BYTES_MAX } from './limits.js';
import { viewOf } from './u64.js';

/**
 * Compresses `bytes` from `from` to `to` in place; returns the new end, or `to` where it does not pay.
 */
export function compressInPlace(
  bytes: Uint8Array,
  from: number,
  to: number,
  compression: Compression,
): number {
  const compressed = compress(bytes.subarray(from, to), compression);
  const end = compressed ? from + format.COMPRESSED_AT + compressed.length : to;
  if (!compressed || end >= to) return to;
  const view = viewOf(bytes);
  view.setUint32(from + format.COMPRESSOR_AT, compressionId(compression), true);
  view.setUint32(from + format.PLAIN_BYTES_AT, to - from, true);
  bytes.set(compressed, from + format.COMPRESSED_AT);
  return end;
}

/** The plain bytes of a compressed payload, or what is wrong with it. */
export function decompressPayload(payload: Uint8Array): Uint8Array | string {
  if (payload.length < format.COMPRESSED_AT)
    return `a compressed payload of ${payload.length} bytes`;
  const view = viewOf(payload);
  const id = view.getUint32(format.COMPRESSOR_AT, true);
  const plainBytes = view.getUint32(format.PLAIN_BYTES_AT, true);
  if (plainBytes <= payload.length || plainBytes > FRAME_BYTES_MAX) {
    return `a compressed payload of ${payload.length} bytes that says ${plainBytes}`;
  }
  try {
    const plain = decompress(payload.subarray(format.COMPRESSED_AT), id, plainBytes);
    return plain.length === plainBytes
      ? plain
      : `a compressed payload of ${plain.length} plain bytes that says ${plainBytes}`;
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
}

/**
 * CRC-32 (IEEE 802.3, reflected polynomial 0xEDB88320), the one checksum of every NenDB file.
 *
 * Hot. Two implementations give the same answer: the `crc-32` package (table-driven JavaScript,
 * 1.7 GB/s, no call overhead) and `node:zlib` (native, 5 GB/s on large buffers, at least 40 ns for
 * the call and slow on the odd bytes behind the last 64).
 */
import { crc32 as crc32Native } from 'node:zlib';
import crcTable from 'crc-32';

/**
 * From this length on the native implementation stays the faster one, in bytes. Measured by
 * `bench/crc32.bench.mjs`: at 256 B 157 ns against 179, at 384 B 231 against 224, at 1 KiB 601
 * against 348.
 */
export const CRC_NATIVE_BYTES_MIN = 384;

/**
 * The CRC-32 of `bytes`, an unsigned 32-bit integer.
 *
 * `seed` is the CRC of what came before: `crc32(b, crc32(a))` is the CRC of `a` followed by `b`.
 */
export function crc32(bytes: Uint8Array, seed = 0): number {
  return bytes.length < CRC_NATIVE_BYTES_MIN
    ? crcTable.buf(bytes, seed) >>> 0
    : crc32Native(bytes, seed);
}

/** Reading fields, each checked before it is believed. All throw `FormatError`. */
import { crc32, FormatError } from '@nendb/codec';

/** The first `length` bytes of `source`. */
export function whole(source: Uint8Array, length: number, what: string): Buffer {
  if (source.length < length) {
    throw new FormatError(
      'FORMAT_TRUNCATED',
      `expected ${what} of ${length} bytes, got ${source.length}`,
    );
  }
  return Buffer.from(source.buffer, source.byteOffset, length);
}

/** The checksum stored at `at`, which is over the bytes from `from` up to it. */
export function checkCrc(bytes: Buffer, at: number, seed: number, what: string, from = 0): number {
  const stored = bytes.readUInt32LE(at);
  const computed = crc32(bytes.subarray(from, at), seed);
  if (stored === computed) return stored;
  throw new FormatError(
    'FORMAT_BAD_CHECKSUM',
    `expected ${what} checksum ${hex(stored)}, got ${hex(computed)}`,
  );
}

export function checkZero(bytes: Buffer, at: number, what: string): void {
  if (bytes.readUInt32LE(at) === 0) return;
  throw new FormatError('FORMAT_BAD_VALUE', `expected zero at ${at} of the ${what}`);
}

export function readU64(bytes: Buffer, at: number, what: string): number {
  const value = bytes.readBigUInt64LE(at);
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw new FormatError('FORMAT_BAD_VALUE', `expected ${what} up to 2^53 - 1, got ${value}`);
}

export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}

/**
 * Encryption of segments: each has a salt, and so a key, of its own.
 *
 *     header   in the clear; a tag over it proves the key, and that nobody changed it
 *     frame    header in the clear and authenticated, payload encrypted; block number: its file offset
 *
 * Invariants
 *  1. No nonce is used twice: a segment is written once, front to back, and every new one has a new
 *     salt; what recovery repeats is encrypted anew (R14).
 *  2. Compression comes before encryption, checksums after it: damage is told from a wrong key
 *     without having any key.
 *  3. Where a key is given, a segment in the clear is refused, and a frame in the clear in an
 *     encrypted segment is damage.
 */

import type { RandomSource } from '@nendb/codec';
import {
  CryptoError,
  crc32,
  type DataKeys,
  FILE_SALT_BYTES,
  FileCipher,
  TAG_BYTES,
} from '@nendb/codec';
import type { Segment } from './directory.js';
import { WalError } from './errors.js';
import * as format from './format.js';
import { type FrameHeader, putFrameHeader } from './frame.js';

/** What kind of file the key is for: part of its derivation. */
const KEY_INFO = 'nendb wal';
/** The header is block 0; frames are at higher offsets. */
const HEADER_BLOCK = 0;
const HEADER_TYPE = 0;
const NOTHING = new Uint8Array(0);

/** What a segment's header says of its encryption. */
export interface Sealing {
  keyId: number;
  /** 32 bytes. */
  salt: Uint8Array;
  /** `undefined` until the segment was unlocked. */
  cipher: FileCipher | undefined;
  /** The tag over the header, and what it covers: of a header that was read. */
  proof?: { tag: Uint8Array; covered: Uint8Array };
}

/** A new salt, and the cipher for the segment with `segmentUuid`. */
export function newSealing(keys: DataKeys, random: RandomSource, segmentUuid: Uint8Array): Sealing {
  const salt = new Uint8Array(FILE_SALT_BYTES);
  random.fill(salt);
  const dataKey = keys.active;
  const cipher = FileCipher.derive({ dataKey, salt, info: KEY_INFO, fileId: segmentUuid });
  return { keyId: dataKey.id, salt, cipher };
}

/** The tag over a new header; `covered` is the header with zeros for the tag. */
export function sealHeader({ cipher }: Sealing, covered: Uint8Array): Uint8Array {
  if (!cipher) {
    throw new WalError(
      'WAL_WRONG_KEY',
      'expected the key of an encrypted log to build a segment of it, got none: give the encryption',
    );
  }
  return cipher.seal(HEADER_BLOCK, HEADER_TYPE, NOTHING, covered);
}

/**
 * Makes `segment` readable with `keys`. Throws `WAL_WRONG_KEY` where they do not fit, or are missing;
 * `WAL_NOT_ENCRYPTED` where it is in the clear although there are keys.
 */
export function unlock({ header, path }: Segment, keys: DataKeys | undefined): void {
  const { sealing, segmentUuid } = header;
  if (!sealing) {
    if (!keys) return;
    throw new WalError(
      'WAL_NOT_ENCRYPTED',
      `expected ${path} to be encrypted, it is in the clear: open the log without encryption, or copy its records into a new one`,
      { file: path },
    );
  }
  if (sealing.cipher) return;
  if (!keys) throw wrongKey(path, sealing.keyId, 'it is encrypted, and no key was given');
  try {
    const dataKey = { id: sealing.keyId, key: keys.key(sealing.keyId) };
    const secret = { dataKey, salt: sealing.salt, info: KEY_INFO, fileId: segmentUuid };
    const cipher = FileCipher.derive(secret);
    if (sealing.proof) {
      cipher.open(HEADER_BLOCK, HEADER_TYPE, sealing.proof.tag, sealing.proof.covered);
    }
    sealing.cipher = cipher;
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    throw wrongKey(path, sealing.keyId, error.message, error);
  }
}

function wrongKey(file: string, keyId: number, why: string, cause?: unknown): WalError {
  return new WalError(
    'WAL_WRONG_KEY',
    `expected the key ${keyId} that ${file} was written with (${why}): nothing is damaged or changed, open the log with the right encryption`,
    { file, cause },
  );
}

/** How much longer a frame's payload is on disk. */
export function sealedOverhead(cipher: FileCipher | undefined): number {
  return cipher ? TAG_BYTES : 0;
}

/**
 * Makes the frame at `at` ready to be written at `fileOffset`: its payload stands behind the place of
 * its header, with room for the tag if there is a `cipher`; `header.payloadBytes` counts that. Sets
 * checksums and header; returns the header's checksum.
 */
export function sealFrame(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  header: FrameHeader,
  fileOffset: number,
  seed: number,
  cipher: FileCipher | undefined,
): number {
  const payloadAt = at + format.FRAME_HEADER_BYTES;
  const payloadEnd = payloadAt + header.payloadBytes;
  if (cipher) {
    header.flags |= format.FLAG_ENCRYPTED;
    header.payloadCrc = 0;
    putFrameHeader(bytes, view, at, header, fileOffset, seed);
    const plain = bytes.subarray(payloadAt, payloadEnd - TAG_BYTES);
    const covered = bytes.slice(at + format.FRAME_CRC_FROM, payloadAt);
    bytes.set(cipher.seal(fileOffset, header.type, plain, covered), payloadAt);
  }
  header.payloadCrc = crc32(bytes.subarray(payloadAt, payloadEnd));
  return putFrameHeader(bytes, view, at, header, fileOffset, seed);
}

/** The payload of the encrypted frame at `at`, or `undefined` where its tag does not fit. */
export function openFrame(
  bytes: Uint8Array,
  at: number,
  header: FrameHeader,
  fileOffset: number,
  cipher: FileCipher,
): Uint8Array | undefined {
  const payloadAt = at + format.FRAME_HEADER_BYTES;
  if (header.payloadBytes < TAG_BYTES) return undefined;
  const covered = bytes.slice(at + format.FRAME_CRC_FROM, payloadAt);
  const crcAt = format.FRAME_PAYLOAD_CRC_AT - format.FRAME_CRC_FROM;
  covered.fill(0, crcAt, crcAt + 4);
  const sealed = bytes.subarray(payloadAt, payloadAt + header.payloadBytes);
  try {
    return cipher.open(fileOffset, header.type, sealed, covered);
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'CRYPTO_BAD_TAG') return undefined;
    throw error;
  }
}

/** The first bytes of an image: whose it is, at which LSN, and what its blocks are stored as. */
import {
  crc32,
  FILE_SALT_BYTES,
  lsn,
  NO_FEATURES,
  putPreamble,
  readPreamble,
  TAG_BYTES,
} from '@nendb/codec';
import { checkCrc, checkZero, readU64, whole } from './fields.js';
import {
  EPOCH_AT,
  FEATURE_DEFLATE,
  FEATURE_ENCRYPTED,
  FORMAT_VERSION,
  HEAD_BYTES,
  HEAD_BYTES_MAX,
  HEAD_CRC_AT,
  HEAD_TAG_AT,
  HEAD_ZERO_AT,
  headBytes,
  IMAGE_UUID_AT,
  type ImageFeatures,
  KEY_ID_AT,
  LOCK_CRC_AT,
  LSN_AT,
  MAGIC,
  READABLE,
  SALT_AT,
  TIME_AT,
  UUID_BYTES,
} from './format.js';
import type { ImageCipher } from './image-cipher.js';
import { printable } from './printed.js';
import type { SnapshotHeader } from './types.js';

/** What a new image is encrypted with. */
export interface SealingLock {
  keyId: number;
  salt: Uint8Array;
  cipher: ImageCipher;
}

/** What an encrypted image says of its key. */
export interface HeadLock {
  keyId: number;
  salt: Uint8Array;
  /** The bytes that `tag` authenticates. */
  clear: Uint8Array;
  tag: Uint8Array;
}

export interface ImageHead extends ImageFeatures {
  header: SnapshotHeader;
  /** 16 bytes, different for every image. */
  imageUuid: Uint8Array;
  /** The checksum of the head, or of its lock: where the chain starts. */
  crc: number;
  /** Where the image is encrypted. */
  lock?: HeadLock;
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

/** A new image's first bytes, and the checksum that its chain starts from. */
export function encodeHead(
  header: SnapshotHeader,
  imageUuid: Uint8Array,
  { compressed, lock }: { compressed: boolean; lock?: SealingLock },
): { bytes: Buffer; crc: number } {
  const encrypted = lock !== undefined;
  const bytes = Buffer.alloc(headBytes(encrypted));
  putPreamble(bytes, 0, {
    magic: MAGIC,
    version: FORMAT_VERSION,
    ...NO_FEATURES,
    incompat: (compressed ? FEATURE_DEFLATE : 0) | (encrypted ? FEATURE_ENCRYPTED : 0),
    databaseUuid: header.uuid,
  });
  bytes.set(imageUuid, IMAGE_UUID_AT);
  bytes.writeBigUInt64LE(BigInt(header.lsn), LSN_AT);
  bytes.writeBigUInt64LE(BigInt(header.epoch), EPOCH_AT);
  bytes.writeBigUInt64LE(BigInt(header.databaseTimeMs), TIME_AT);
  const crc = crc32(bytes.subarray(0, HEAD_CRC_AT));
  bytes.writeUInt32LE(crc, HEAD_CRC_AT);
  if (lock === undefined) return { bytes, crc };
  bytes.writeUInt32LE(lock.keyId, KEY_ID_AT);
  bytes.set(lock.salt, SALT_AT);
  bytes.set(lock.cipher.sealHead(bytes.subarray(0, HEAD_TAG_AT)), HEAD_TAG_AT);
  const lockCrc = crc32(bytes.subarray(HEAD_BYTES, LOCK_CRC_AT), crc);
  bytes.writeUInt32LE(lockCrc, LOCK_CRC_AT);
  return { bytes, crc: lockCrc };
}

/**
 * Reads the head at the start of `source`, the lock included; the tag is not looked at. Throws
 * `FormatError`; `FORMAT_TOO_NEW` only where the preamble itself is sound.
 */
export function decodeHead(source: Uint8Array): ImageHead {
  const { databaseUuid, incompat } = readPreamble(source, READABLE);
  const bytes = whole(source, HEAD_BYTES, 'a head');
  const crc = checkCrc(bytes, HEAD_CRC_AT, 0, 'head');
  checkZero(bytes, HEAD_ZERO_AT, 'head');
  const head: ImageHead = {
    header: printable({
      lsn: lsn(readU64(bytes, LSN_AT, 'LSN')),
      epoch: readU64(bytes, EPOCH_AT, 'epoch'),
      uuid: databaseUuid,
      databaseTimeMs: readU64(bytes, TIME_AT, 'database time'),
    }),
    imageUuid: Uint8Array.from(bytes.subarray(IMAGE_UUID_AT, IMAGE_UUID_AT + UUID_BYTES)),
    crc,
    compressed: (incompat & FEATURE_DEFLATE) !== 0,
    encrypted: (incompat & FEATURE_ENCRYPTED) !== 0,
  };
  return head.encrypted ? { ...head, ...decodeLock(source, crc) } : head;
}

function decodeLock(source: Uint8Array, headCrc: number): { crc: number; lock: HeadLock } {
  const bytes = whole(source, HEAD_BYTES_MAX, 'a head with its lock');
  const crc = checkCrc(bytes, LOCK_CRC_AT, headCrc, 'lock', HEAD_BYTES);
  return {
    crc,
    lock: {
      keyId: bytes.readUInt32LE(KEY_ID_AT),
      salt: Uint8Array.from(bytes.subarray(SALT_AT, SALT_AT + FILE_SALT_BYTES)),
      clear: Uint8Array.from(bytes.subarray(0, HEAD_TAG_AT)),
      tag: Uint8Array.from(bytes.subarray(HEAD_TAG_AT, HEAD_TAG_AT + TAG_BYTES)),
    },
  };
}

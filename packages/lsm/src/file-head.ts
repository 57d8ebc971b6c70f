/**
 * The head of a table or value file, and the cipher that belongs to it.
 *
 *     0          48          64       68     100    116   120
 *     +----------+-----------+--------+------+------+-----+
 *     | preamble | file uuid | key id | salt | tag  | crc |
 *     | 48       | 16        | u32    | 32   | 16   | u32 |
 *     +----------+-----------+--------+------+------+-----+
 *
 * Little-endian. `crc` covers bytes 0 to 115. In the clear, key id is `NO_KEY_ID`, salt and tag are
 * zero. Encrypted, `tag` authenticates bytes 0 to 99, sealed as block 0 of the file.
 *
 * Invariants
 *  1. A head is written once; the uuid is random and different for every file. Every checksum in the
 *     file is seeded with it, so that a block of another file in the same place does not match.
 *  2. A good checksum with a bad tag is another key (`LSM_WRONG_KEY`), never a damaged disk.
 */
import {
  CryptoError,
  crc32,
  type DataKeys,
  FILE_SALT_BYTES,
  FileCipher,
  FormatError,
  PREAMBLE_BYTES,
  putPreamble,
  readPreamble,
  sameUuid,
  TAG_BYTES,
  UUID_BYTES,
} from '@nendb/codec';
import { readFullySync, type Vfs, type VfsFile } from '@nendb/vfs';
import { corrupt, LsmError } from './errors.js';

export const HEAD_UUID_AT = PREAMBLE_BYTES;
export const HEAD_KEY_ID_AT = HEAD_UUID_AT + UUID_BYTES;
export const HEAD_SALT_AT = HEAD_KEY_ID_AT + 4;
export const HEAD_TAG_AT = HEAD_SALT_AT + FILE_SALT_BYTES;
export const HEAD_CRC_AT = HEAD_TAG_AT + TAG_BYTES;
export const HEAD_BYTES = HEAD_CRC_AT + 4;
/** The key id of a file in the clear. */
export const NO_KEY_ID = 0xffff_ffff;
/** `incompat`: what the file holds is encrypted. */
export const FEATURE_ENCRYPTED = 0x1;
/** `incompat`: what the file holds may be deflated. */
export const FEATURE_DEFLATE = 0x2;

const HEAD_BLOCK = 0;
const HEAD_TYPE = 1;
const NOTHING = new Uint8Array(0);

/** What tells one kind of file from the other. */
export interface FileKind {
  /** Eight ASCII characters. */
  magic: string;
  version: number;
  /** What the keys of such files are derived for. */
  cipherInfo: string;
}

/** A file's identity, as its blocks need it. */
export interface FileHead {
  uuid: Uint8Array;
  /** The checksum that every other one in the file begins with. */
  seed: number;
  /** Of the data key; -1 in the clear. */
  keyId: number;
  /** `undefined` in the clear. */
  cipher: FileCipher | undefined;
}

export interface NewHead {
  /** 16 bytes. */
  databaseUuid: Uint8Array;
  /** Keys to encrypt with; in the clear without. */
  keys?: DataKeys;
  compressed: boolean;
}

/** A head for a new file and the bytes of it. */
export function makeHead(
  vfs: Vfs,
  kind: FileKind,
  { databaseUuid, keys, compressed }: NewHead,
): { head: FileHead; bytes: Uint8Array } {
  const bytes = new Uint8Array(HEAD_BYTES);
  const view = new DataView(bytes.buffer);
  const uuid = vfs.random.uuid();
  putPreamble(bytes, 0, {
    magic: kind.magic,
    version: kind.version,
    compat: 0,
    readOnlyCompat: 0,
    incompat: (keys ? FEATURE_ENCRYPTED : 0) | (compressed ? FEATURE_DEFLATE : 0),
    databaseUuid,
  });
  bytes.set(uuid, HEAD_UUID_AT);
  let cipher: FileCipher | undefined;
  if (keys === undefined) {
    view.setUint32(HEAD_KEY_ID_AT, NO_KEY_ID, true);
  } else {
    const salt = bytes.subarray(HEAD_SALT_AT, HEAD_TAG_AT);
    vfs.random.fill(salt);
    const dataKey = keys.active;
    view.setUint32(HEAD_KEY_ID_AT, dataKey.id, true);
    cipher = FileCipher.derive({ dataKey, salt, info: kind.cipherInfo, fileId: uuid });
    const clear = bytes.subarray(0, HEAD_TAG_AT);
    bytes.set(cipher.seal(HEAD_BLOCK, HEAD_TYPE, NOTHING, clear), HEAD_TAG_AT);
  }
  view.setUint32(HEAD_CRC_AT, crc32(bytes.subarray(0, HEAD_CRC_AT)), true);
  return { head: { uuid, seed: crc32(uuid), keyId: cipher?.keyId ?? -1, cipher }, bytes };
}

/**
 * Reads and checks the head of `file`. Throws `LSM_CORRUPT`, `LSM_TOO_NEW`, `LSM_FOREIGN` (another
 * database's), `LSM_WRONG_KEY` (another key, or none for
 * an encrypted file). A file in the clear is read whether or not keys are given: it may be older than they are.
 */
export function readHead(
  file: VfsFile,
  kind: FileKind,
  databaseUuid: Uint8Array,
  keys: DataKeys | undefined,
): FileHead {
  const bytes = readHeadBytes(file);
  const view = new DataView(bytes.buffer);
  const preamble = checkPreamble(file.path, bytes, kind);
  if (!sameUuid(preamble.databaseUuid, databaseUuid)) {
    throw new LsmError(
      'LSM_FOREIGN',
      `expected ${file.path} to belong to this database, got a file of another one: put the right file in its place`,
      { file: file.path, offset: 0 },
    );
  }
  const uuid = bytes.slice(HEAD_UUID_AT, HEAD_KEY_ID_AT);
  const seed = crc32(uuid);
  const keyId = view.getUint32(HEAD_KEY_ID_AT, true);
  if ((preamble.incompat & FEATURE_ENCRYPTED) === 0) {
    return { uuid, seed, keyId: -1, cipher: undefined };
  }
  if (keys === undefined) {
    throw wrongKey(file.path, `it is encrypted with key ${keyId}, and no key was given`);
  }
  const cipher = openCipher(file.path, kind, bytes, keys, keyId);
  return { uuid, seed, keyId, cipher };
}

/** Checks that the head of an open file is still the one that was read. Throws `LSM_CORRUPT`. */
export function checkHead(file: VfsFile, head: FileHead): void {
  const uuid = readHeadBytes(file).subarray(HEAD_UUID_AT, HEAD_KEY_ID_AT);
  if (!sameUuid(uuid, head.uuid)) {
    throw corrupt(file.path, HEAD_UUID_AT, 'the head is that of another file');
  }
}

function readHeadBytes(file: VfsFile): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEAD_BYTES);
  const came = readFullySync(file, bytes, 0);
  if (came < HEAD_BYTES) {
    throw corrupt(file.path, came, `expected a head of ${HEAD_BYTES} bytes, got ${came}`);
  }
  const stored = new DataView(bytes.buffer).getUint32(HEAD_CRC_AT, true);
  if (stored !== crc32(bytes.subarray(0, HEAD_CRC_AT))) {
    throw corrupt(file.path, 0, 'the head does not match its checksum');
  }
  return bytes;
}

const place = new Uint8Array(8);
const placeView = new DataView(place.buffer);

/** The checksum of `covered`, which is at `offset` of the file with `seed`. */
export function crcAt(seed: number, offset: number, covered: Uint8Array): number {
  const low = offset >>> 0;
  placeView.setUint32(0, low, true);
  placeView.setUint32(4, (offset - low) / 0x1_0000_0000, true);
  return crc32(covered, crc32(place, seed));
}

/** An `LSM_WRONG_KEY` error about `file`. */
export function wrongKey(file: string, problem: string, offset = 0, cause?: unknown): LsmError {
  return new LsmError(
    'LSM_WRONG_KEY',
    `expected the key of ${file}, but ${problem}: the file is not damaged, open it with its own key`,
    { file, offset, cause },
  );
}

function openCipher(
  path: string,
  kind: FileKind,
  bytes: Uint8Array,
  keys: DataKeys,
  keyId: number,
): FileCipher {
  let cipher: FileCipher | undefined;
  try {
    cipher = FileCipher.derive({
      dataKey: { id: keyId, key: keys.key(keyId) },
      salt: bytes.subarray(HEAD_SALT_AT, HEAD_TAG_AT),
      info: kind.cipherInfo,
      fileId: bytes.subarray(HEAD_UUID_AT, HEAD_KEY_ID_AT),
    });
    const tag = bytes.subarray(HEAD_TAG_AT, HEAD_CRC_AT);
    cipher.open(HEAD_BLOCK, HEAD_TYPE, tag, bytes.subarray(0, HEAD_TAG_AT));
    return cipher;
  } catch (error) {
    cipher?.dispose();
    if (!(error instanceof CryptoError)) throw error;
    if (error.code !== 'CRYPTO_BAD_TAG' && error.code !== 'CRYPTO_UNKNOWN_KEY') throw error;
    throw wrongKey(path, error.message, 0, error);
  }
}

function checkPreamble(path: string, bytes: Uint8Array, kind: FileKind) {
  try {
    return readPreamble(bytes, {
      magic: kind.magic,
      version: kind.version,
      compat: 0,
      readOnlyCompat: 0,
      incompat: FEATURE_ENCRYPTED | FEATURE_DEFLATE,
    });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (error.code === 'FORMAT_TOO_NEW') {
      throw new LsmError('LSM_TOO_NEW', `${path}: ${error.message}`, {
        file: path,
        offset: 0,
        cause: error,
      });
    }
    throw corrupt(path, 0, error.message, error);
  }
}

/**
 * `MANIFEST`: which files the tree consists of. Drawn in `docs/formats/lsm-manifest.md`.
 *
 *     0     48     64       68     100    116   120
 *     +-----+------+--------+------+------+-----+--------+--------+-- -
 *     | pre | uuid | key id | salt | tag  | crc | edit 0 | edit 1 | ...
 *     | 48  | 16   | u32    | 32   | 16   | u32 |        |        |
 *     +-----+------+--------+------+------+-----+--------+--------+-- -
 *
 *     0        4        8      9      12      16            20           24
 *     +--------+--------+------+------+-------+-------------+------------+---------+
 *     | length | number | kind | zero | chain | payload crc | header crc | payload |
 *     | u32    | u32    | u8   | 3    | u32   | u32         | u32        | length  |
 *     +--------+--------+------+------+-------+-------------+------------+---------+
 *
 * Little-endian. `length` counts the stored payload: sealed bytes and tag where encrypted. `chain` is
 * the CRC of every byte of the file before the frame, so a frame vouches for all before it; the
 * header's CRC is seeded with that of the file's uuid, so frames of other manifests do not count.
 */

export const MANIFEST_FILE = 'MANIFEST';
export const LOCK_FILE = 'LOCK';
export const KEYRING_FILE = 'KEYRING';
/** The log's own directory, where the tree has its own log. */
export const LOG_DIR = 'log';

export const MANIFEST_MAGIC = 'NENLSMMF';
export const MANIFEST_VERSION = 1;
/** `incompat`: payloads are sealed. */
export const ENCRYPTED_BIT = 1;
/** What the keys of manifests are derived for. */
export const CIPHER_INFO = 'nendb lsm manifest';

export const UUID_AT = 48;
export const KEY_ID_AT = 64;
export const SALT_AT = 68;
export const TAG_AT = 100;
export const HEADER_CRC_AT = 116;
export const HEADER_BYTES = 120;
/** The key id of a manifest in the clear. */
export const NO_KEY_ID = 0xffff_ffff;

export const FRAME_NUMBER_AT = 4;
export const FRAME_KIND_AT = 8;
export const FRAME_ZERO_AT = 9;
export const FRAME_CHAIN_AT = 12;
export const FRAME_PAYLOAD_CRC_AT = 16;
export const FRAME_CRC_AT = 20;
export const FRAME_HEADER_BYTES = 24;

/** What a frame is. */
export const FrameKind = {
  /** A version edit; number 0 is the whole state. */
  edit: 1,
  /** The tree was closed: nothing follows, and a bad frame before this one is damage. */
  closed: 2,
} as const;
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

/** Tags of an edit's fields. Never reused. */
export const Field = {
  nextFileNumber: 1,
  flushedSequence: 2,
  metadata: 3,
  logKind: 4,
  logBase: 5,
  addTable: 6,
  removeTable: 7,
  addValueFile: 8,
  removeValueFile: 9,
} as const;

/** Names of files, by number. */
export function tableFile(number: number): string {
  return `${String(number).padStart(8, '0')}.table`;
}

export function valueFile(number: number): string {
  return `${String(number).padStart(8, '0')}.values`;
}

const NUMBERED = /^(\d{8,16})\.(table|values)$/;

/** What a name in the directory is; `undefined` where it is none of ours. */
export function parseFile(name: string): { kind: 'table' | 'values'; number: number } | undefined {
  const match = NUMBERED.exec(name);
  if (match === null) return undefined;
  return { kind: match[2] as 'table' | 'values', number: Number(match[1]) };
}

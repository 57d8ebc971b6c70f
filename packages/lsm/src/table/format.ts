/**
 * Tables: every constant and offset. `docs/formats/lsm-table.md` draws them.
 *
 *     +------+--------+-----+--------+------------+--------+------------+------+------------+--------+
 *     | head | data 0 | ... | data n | partitions | filter | tombstones | root | properties | footer |
 *     | 120  |        |     |        | 0 or more  | 0 or 1 | 0 or 1     |      |            | 100    |
 *     +------+--------+-----+--------+------------+--------+------------+------+------------+--------+
 *
 *     block      0 crc u32 | 4 type u8 | 5 compression u8 | 6 zero u16 | 8 stored bytes u32 | 12 plain bytes u32 | 16 stored
 *     footer     0 text 8 | 8 filter u64 u32 | 20 tombstones u64 u32 | 32 root u64 u32 | 44 properties u64 u32
 *                | 56 data blocks u32 | 60 index levels u32 | 64 file bytes u64 | 72 zero u64 | 80 tag 16 | 96 crc u32
 *     entries    shared, rest (varints) | key rest | flags u8 | sequence, value bytes (varints) | expiry (varint) | value
 *                ... | restart offsets u32 each | entries u32 | key bytes u32 | restarts u32
 *
 * Little-endian. Invariants
 *  1. Blocks follow each other without a gap, from the head to the footer; the file ends with its
 *     footer. Every byte is under a checksum.
 *  2. A block's checksum begins with the file's uuid and the block's offset, then bytes 4 to the end of
 *     the stored bytes. It is checked before anything in the block is believed but its length.
 *  3. Stored bytes are the payload, compressed where that pays, then sealed where the file is encrypted,
 *     with bytes 4 to 15 authenticated along.
 */
import type { FileKind } from '../file-head.js';

export const TABLE_FILE: FileKind = {
  magic: 'NENLSMTB',
  version: 1,
  cipherInfo: 'nendb lsm table',
};

/** What a block is. The numbers are on disk. */
export const BlockType = {
  /** Entries of the tree. */
  data: 2,
  /** A part of the index: entries whose keys part data blocks. */
  partition: 3,
  /** The top of the index. */
  root: 4,
  filter: 5,
  tombstones: 6,
  properties: 7,
  /** Not a block: what the footer is sealed as. */
  footer: 8,
} as const;
export type BlockType = (typeof BlockType)[keyof typeof BlockType];

export const BLOCK_CRC_AT = 0;
/** From here on the checksum covers; up to the payload it is authenticated. */
export const BLOCK_COVERED_AT = 4;
export const BLOCK_TYPE_AT = 4;
export const BLOCK_COMPRESSION_AT = 5;
export const BLOCK_ZERO_AT = 6;
export const BLOCK_STORED_BYTES_AT = 8;
export const BLOCK_PLAIN_BYTES_AT = 12;
export const BLOCK_HEADER_BYTES = 16;

/** Flags of an entry: its kind in the low two bits, and whether it expires. */
export const ENTRY_KIND_MASK = 0x3;
export const ENTRY_EXPIRES = 0x4;

/** Behind the restart offsets of an entry block: entries, key bytes, restarts. */
export const ENTRIES_TRAILER_BYTES = 12;
export const RESTART_BYTES = 4;

export const FOOTER_TEXT = 'NENLSMTE';
export const FOOTER_FILTER_AT = 8;
export const FOOTER_TOMBSTONES_AT = 20;
export const FOOTER_ROOT_AT = 32;
export const FOOTER_PROPERTIES_AT = 44;
export const FOOTER_DATA_BLOCKS_AT = 56;
export const FOOTER_INDEX_LEVELS_AT = 60;
export const FOOTER_FILE_BYTES_AT = 64;
export const FOOTER_ZERO_AT = 72;
export const FOOTER_TAG_AT = 80;
export const FOOTER_CRC_AT = 96;
export const FOOTER_BYTES = 100;

/** Where a block is: all of it, its header included. */
export interface BlockHandle {
  offset: number;
  bytes: number;
}

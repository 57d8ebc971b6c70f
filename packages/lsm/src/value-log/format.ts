/**
 * Value files: every constant and offset. `docs/formats/value-log.md` draws them.
 *
 *     +------+----------+----------+-----+--------+
 *     | head | record 0 | record 1 | ... | footer |
 *     | 120  |          |          |     | 52     |
 *     +------+----------+----------+-----+--------+
 *
 *     record     0 crc u32 | 4 key bytes u32 | 8 stored bytes u32 | 12 value bytes u32 | 16 sequence u64
 *                | 24 compression u8 | 25 zero 3 | 28 stored: key, value, then a tag where encrypted
 *     footer     0 text 8 | 8 records u64 | 16 file bytes u64 | 24 zero u64 | 32 tag 16 | 48 crc u32
 *
 * Little-endian. Invariants
 *  1. Records follow each other without a gap, from the head to the footer. Every byte is under a
 *     checksum.
 *  2. A record's checksum begins with the file's uuid and the record's offset, then bytes 4 to its end.
 *  3. The value is compressed where that pays; key and value are sealed together where the file is
 *     encrypted, with bytes 4 to 27 authenticated along.
 */
import type { FileKind } from '../file-head.js';

export const VALUE_FILE: FileKind = {
  magic: 'NENLSMVL',
  version: 1,
  cipherInfo: 'nendb lsm values',
};

export const RECORD_CRC_AT = 0;
/** From here on the checksum covers; up to the key it is authenticated. */
export const RECORD_COVERED_AT = 4;
export const RECORD_KEY_BYTES_AT = 4;
export const RECORD_STORED_BYTES_AT = 8;
export const RECORD_VALUE_BYTES_AT = 12;
export const RECORD_SEQUENCE_AT = 16;
export const RECORD_COMPRESSION_AT = 24;
export const RECORD_ZERO_AT = 25;
export const RECORD_HEADER_BYTES = 28;

export const FOOTER_TEXT = 'NENLSMVE';
export const FOOTER_RECORDS_AT = 8;
export const FOOTER_FILE_BYTES_AT = 16;
export const FOOTER_ZERO_AT = 24;
export const FOOTER_TAG_AT = 32;
export const FOOTER_CRC_AT = 48;
export const FOOTER_BYTES = 52;

/** What is sealed; the head is 1. */
export const RECORD_TYPE = 2;
export const FOOTER_TYPE = 3;

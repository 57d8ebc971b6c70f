/**
 * What DUMP gives and RESTORE takes: one key's contents, apart from its name and its time.
 *
 *     0        4         5      6                 n-4      n
 *     +--------+---------+------+-----------------+--------+
 *     | "NDMP" | version | type | body            | crc-32 |
 *     | 4      | u8      | u8   | by type         | u32    |
 *     +--------+---------+------+-----------------+--------+
 *
 *     string   the bytes
 *     hash     v count, then each field: v length, bytes, v length, bytes, v expireAtMs (0: never)
 *
 * Integers are little-endian, `v` an unsigned varint (LEB128, at most eight bytes). The checksum
 * covers all that is before it. A newer version, and a type that is not known, are refused.
 * `docs/formats/dump.md` draws it.
 */
export const DUMP_MAGIC = Buffer.from('NDMP', 'latin1');
export const DUMP_VERSION = 1;

export const VERSION_AT = 4;
export const TYPE_AT = 5;
export const BODY_AT = 6;
export const CRC_BYTES = 4;
/** A varint of at most 2^53 - 1. */
export const VARINT_BYTES_MAX = 8;

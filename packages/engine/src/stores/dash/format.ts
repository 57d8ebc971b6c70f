/**
 * The bytes that the store keeps in its tables, version 1 (docs/formats/dash-store.md draws them).
 * Little-endian.
 *
 *     root 0: catalog ─┬─ namespace ─▶ keys (a table), directory (a table)
 *                      └─ condemned directory, to be freed
 *     keys       name  ─▶ string | packed hash | address and serial of a nested hash
 *     directory  serial ─▶ address of the nested hash, name of its key
 *     nested     field ─▶ value
 *
 * Every table has a serial of its own as its tag: addresses are used again, serials are not.
 *
 * Invariants
 *  1. A nested hash is in the directory before a key names it, and leaves it when no key does.
 *  2. A packed hash has 1 to `PACKED_FIELDS_MAX` fields, each name and value below 128 bytes.
 *  3. A record of a hash has `FLAG_TIMES` if a field of it ends.
 */

/** Flags of a key's record. 0 is a string. */
export const KIND_MASK = 3;
export const KIND_STRING = 0;
export const KIND_PACKED = 1;
export const KIND_NESTED = 2;
/** Fields end: of a packed hash, the first end is the last 8 bytes. */
export const FLAG_TIMES = 4;

/** A packed hash: the number of fields (u16), the fields, the first end (u64) with `FLAG_TIMES`. */
export const PACKED_COUNT_BYTES = 2;
export const TIME_BYTES = 8;
/** A field: length of its name, length of its value; the end where the first one's top bit is set. */
export const PACKED_HEAD_BYTES = 2;
export const PACKED_TIME_BIT = 0x80;

/** What the record of a key with a nested hash holds: address and serial (u32 each). */
export const NESTED_BYTES = 8;

/** A directory's value: the address (u32), then the key. Its key is the serial (u32). */
export const DIRECTORY_KEY_AT = 4;

/** The catalog's keys: a kind (u8) and a number (u32). Its values: addresses and serials (u32). */
export const CATALOG_ROOT = 0;
export const CATALOG_KEY_BYTES = 5;
/** Number: the namespace. Value: keys' address and serial, directory's address and serial or zeros. */
export const CATALOG_NAMESPACE = 1;
export const CATALOG_NAMESPACE_BYTES = 16;
/** Number: the directory's serial. Value: its address. */
export const CATALOG_CONDEMNED = 2;
export const CATALOG_CONDEMNED_BYTES = 4;
/** Number: 0. Value: the next namespace, then the namespace of each database (u32). */
export const CATALOG_DATABASES = 3;

/** Words of the region's header that the store uses. */
export const META_U32 = { version: 0, nextSerial: 1, uuid: 2 } as const;
/** Of mapped regions: see `region-marks.ts`. */
export const META_F64 = { epoch: 0, applyingLsn: 1, appliedLsn: 2 } as const;
export const STORE_VERSION = 1;

export function getU32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** Milliseconds since 1970, below 2^53. */
export function getTime(bytes: Uint8Array, at: number): number {
  return getU32(bytes, at + 4) * 0x100000000 + getU32(bytes, at);
}

export function putTime(bytes: Uint8Array, at: number, timeMs: number): void {
  putU32(bytes, at, timeMs % 0x100000000);
  putU32(bytes, at + 4, Math.floor(timeMs / 0x100000000));
}

/**
 * What the LSM store keeps in its tree, and under which keys. Drawn in `docs/formats/lsm-store.md`.
 *
 *     key record        namespace u32  slot u16            name
 *     field record      namespace u32  slot | 0x8000 u16   key name length u16  key name  hash u16  field name
 *     end of a key      namespace u32  0x4000 u16   ms u64  slot u16  key name
 *     end of a field    namespace u32  0x4001 u16   ms u64  slot u16  key name length u16  key name  field name
 *
 * All numbers in keys are big-endian, so that bytes sort as they do. A name is the key or field itself, up to
 * `NAME_BYTES_MAX` bytes; of a longer one it is as many bytes of it and their SHA-256, and the record
 * holds the whole. `slot` is that of a Redis cluster, 0 to 16383; `hash` spreads the fields of one key.
 */

export const NAMESPACE_BYTES = 4;
/** Where the name of a key record begins. */
export const NAME_AT = 6;

/** Longer names are cut: the tree's keys hold two of them. */
export const NAME_BYTES_MAX = 1024;
export const DIGEST_BYTES = 32;

export const SLOTS = 0x4000;
/** In the place of a slot: fields of keys in it. */
export const FIELDS_BIT = 0x8000;
/** In the place of a slot: when keys end. */
export const KEY_ENDS = 0x4000;
/** The same for fields. */
export const FIELD_ENDS = 0x4001;
/** Behind everything of a namespace. */
export const NAMESPACE_END = 0xffff;
/** Different hashes of field names. */
export const FIELD_HASHES = 0x1_0000;

/** Bits of a record's first byte, beside the type in the low four. */
export const TYPE_MASK = 0x0f;
/** The time at which it ends follows. */
export const EXPIRES_BIT = 0x40;
/** The whole name follows. */
export const LONG_NAME_BIT = 0x80;

export const METADATA_VERSION = 1;

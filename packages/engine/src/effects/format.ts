/**
 * Effects: what a commit does to the store, as bytes. One record of the log, and one chunk of a
 * snapshot, is a run of effects without header or count; the bytes around it are checksummed.
 *
 *     effect := type(u8) flags(u8) body
 *
 *     type  name         body (v = unsigned varint; a length is always followed by its bytes)
 *        1  put          v namespace, v key length, v expireAtMs, v value length
 *        2  delete       v namespace, v key length
 *        3  expire       v namespace, v key length, v expireAtMs
 *        4  patch        v namespace, v key length, v at, v newLength, v bytes length
 *        5  fieldPut     v namespace, v key length, v field length, v value length
 *        6  fieldDrop    v namespace, v key length, v field length
 *        7  fieldExpire  v namespace, v key length, v field length, v expireAtMs
 *       16  databases    v next namespace, v count, count times v namespace
 *
 *     flags: bits 0-3 the type of value the key holds (after the effect; before it for delete)
 *            bit 4 created: the key did not exist before
 *            bit 5 removed: the key does not exist afterwards
 *            bit 6 fieldCreated: the field did not exist before
 *
 * Invariants
 *  1. Effects are resolved: absolute times, final values, never something to be computed again.
 *  2. Applying a run of effects again over its own result changes nothing (R1).
 *  3. Unknown effects, types of values, and flags that the effect cannot have are refused, never
 *     skipped.
 *
 * `docs/formats/effects.md` draws each.
 */
import { ValueType } from '../stores/store.js';

export const EffectType = {
  put: 1,
  delete: 2,
  expire: 3,
  patch: 4,
  fieldPut: 5,
  fieldDrop: 6,
  fieldExpire: 7,
  databases: 16,
} as const;
export type EffectType = (typeof EffectType)[keyof typeof EffectType];

/** Bits 0 to 3 of the flags. */
export const VALUE_TYPE_MASK = 0x0f;
export const FLAG_CREATED = 0x10;
export const FLAG_REMOVED = 0x20;
export const FLAG_FIELD_CREATED = 0x40;
/** Type and flags, the fixed part of an effect, in bytes. */
export const EFFECT_HEAD_BYTES = 2;

const STRING = 1 << ValueType.string;
const HASH = 1 << ValueType.hash;

/** What each effect may say, by its number: the flags, and a bit for each type of value. */
const FLAGS_OF = new Uint8Array(256);
const VALUE_TYPES_OF = new Uint16Array(256);
const allow = (type: EffectType, flags: number, valueTypes: number) => {
  FLAGS_OF[type] = flags;
  VALUE_TYPES_OF[type] = valueTypes;
};
allow(EffectType.put, FLAG_CREATED, STRING);
allow(EffectType.delete, FLAG_REMOVED, STRING | HASH);
allow(EffectType.expire, 0, STRING | HASH);
allow(EffectType.patch, FLAG_CREATED, STRING);
allow(EffectType.fieldPut, FLAG_CREATED | FLAG_FIELD_CREATED, HASH);
allow(EffectType.fieldDrop, FLAG_REMOVED, HASH);
allow(EffectType.fieldExpire, 0, HASH);
allow(EffectType.databases, 0, 1);

/** Whether an effect of `type` (a byte) may have `flags`. Never, where the type is unknown. */
export function flagsAreKnown(type: number, flags: number): boolean {
  return (
    (flags & ~VALUE_TYPE_MASK & ~FLAGS_OF[type]) === 0 &&
    ((VALUE_TYPES_OF[type] >> (flags & VALUE_TYPE_MASK)) & 1) === 1
  );
}

/** The flags of an effect on a key that holds `type`. */
export function effectFlags(
  type: ValueType,
  created = false,
  removed = false,
  fieldCreated = false,
): number {
  return (
    type |
    (created ? FLAG_CREATED : 0) |
    (removed ? FLAG_REMOVED : 0) |
    (fieldCreated ? FLAG_FIELD_CREATED : 0)
  );
}

/**
 * Effects: what a commit does to the store, as bytes. One record of the log, and one chunk of a
 * snapshot, is a run of effects without header or count; the bytes around it are checksummed.
 *
 *     effect := type(u8) flags(u8) body
 *
 *     type  name       body (v = unsigned varint; a length is always followed by its bytes)
 *        1  put        v namespace, v key length, v expireAtMs, v value length
 *        2  delete     v namespace, v key length
 *        3  expire     v namespace, v key length, v expireAtMs
 *        4  patch      v namespace, v key length, v at, v newLength, v bytes length
 *        5  fieldPut   v namespace, v key length, v field length, v value length
 *        6  fieldDrop  v namespace, v key length, v field length
 *       16  databases  v next namespace, v count, count times v namespace
 *
 *     flags: bits 0-3 the type of value the key holds (after the effect; before it for delete)
 *            bit 4 created: the key did not exist before
 *            bit 5 removed: the key does not exist afterwards
 *            bit 6 fieldCreated: the field did not exist before
 *
 * Invariants
 *  1. Effects are resolved: absolute times, final values, never something to be computed again.
 *  2. Applying a run of effects again over its own result changes nothing (R1).
 *  3. Unknown types and impossible flags are refused, never skipped.
 *
 * `docs/formats/effects.md` draws each.
 */
import type { ValueType } from '../stores/store.js';

export const EffectType = {
  put: 1,
  delete: 2,
  expire: 3,
  patch: 4,
  fieldPut: 5,
  fieldDrop: 6,
  databases: 16,
} as const;
export type EffectType = (typeof EffectType)[keyof typeof EffectType];

/** Bits 0 to 3 of the flags. */
export const VALUE_TYPE_MASK = 0x0f;
export const FLAG_CREATED = 0x10;
export const FLAG_REMOVED = 0x20;
export const FLAG_FIELD_CREATED = 0x40;
const FLAGS_KNOWN = VALUE_TYPE_MASK | FLAG_CREATED | FLAG_REMOVED | FLAG_FIELD_CREATED;

/** Type and flags, the fixed part of an effect, in bytes. */
export const EFFECT_HEAD_BYTES = 2;

/** Whether `flags` are bits that some writer sets. */
export function flagsAreKnown(flags: number): boolean {
  return (flags & ~FLAGS_KNOWN) === 0;
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

/**
 * Whether the tree takes a commit: it goes there as one batch, which must not be refused once it has its LSN (R7).
 *
 * What a small effect makes may be large: a patch or a new time writes the whole string again.
 */
import { EffectType } from '../../effects/format.js';
import type { EffectReader } from '../../effects/reader.js';
import { EngineError } from '../../errors.js';
import { LSM_COMMIT_BYTES_MAX } from '../../limits.js';

/** Heads and numbers of a record and its end. */
const RECORD_BYTES = 80;
/** What removing what a key held may write: see `FIELD_BYTES_REMOVED_SINGLY`, and as much for the ranges. */
const REMOVE_BYTES = 8 * 1024;

/** What the store holds now under an effect's key, or field. */
export interface Held {
  /** Bytes of the string or the field's value. */
  valueBytes: number;
  isHash: boolean;
}

/**
 * Throws `ENGINE_TOO_LARGE` where the effects that `reader` stands before may change more than a batch of the tree
 * holds.
 */
export function admitToTree(reader: EffectReader, holds: (effect: EffectReader) => Held): void {
  let bytes = 0;
  while (reader.next()) bytes += bytesOf(reader, holds);
  if (bytes <= LSM_COMMIT_BYTES_MAX) return;
  throw new EngineError(
    'ENGINE_TOO_LARGE',
    `expected a commit that writes at most ${LSM_COMMIT_BYTES_MAX} bytes to the tree, this one may write ${bytes} (a patch or a new time writes the whole value): split it`,
  );
}

/** The most that an effect puts into a batch: record, end, and the end that was. */
function bytesOf(effect: EffectReader, holds: (effect: EffectReader) => Held): number {
  const value = effect.valueTo - effect.valueFrom;
  const record = RECORD_BYTES + 4 * (effect.keyTo - effect.keyFrom);
  const field = RECORD_BYTES + 4 * (effect.fieldTo - effect.fieldFrom);
  const removed = (): number => (!effect.created && holds(effect).isHash ? REMOVE_BYTES : 0);
  switch (effect.type) {
    case EffectType.put:
      return record + value + removed();
    case EffectType.patch:
      return record + effect.newLength + removed();
    case EffectType.delete:
      return record + removed();
    case EffectType.expire:
      return record + holds(effect).valueBytes;
    case EffectType.fieldPut:
      return record + field + value;
    case EffectType.fieldExpire:
      return record + field + holds(effect).valueBytes;
    case EffectType.fieldDrop:
      return record + field + (effect.removed ? removed() : 0);
    case EffectType.databases:
      return RECORD_BYTES * effect.namespaces.length;
  }
}

/**
 * Stages a whole key under another name: its value or its fields, and all times. What RENAME and
 * COPY log is this result; an effect "rename" would, replayed over what came later, take the new
 * contents of the old name with it (R1).
 */
import type { EffectWriter } from './effects/writer.js';
import { COPY_STEP_FIELDS } from './limits.js';
import { ValueType } from './stores/store.js';
import type { TransactionView } from './types.js';

/** A key by its name, in a database or a namespace. */
export interface KeyName {
  key: Uint8Array;
  from: number;
  to: number;
}

/**
 * Copies what lives under `source` to `target`, which holds nothing. Returns whether there was
 * something. The source is read through the transaction, so that what has ended is left behind.
 */
export function copyKey(
  transaction: TransactionView,
  writer: EffectWriter,
  database: number,
  source: KeyName,
  targetNamespace: number,
  target: KeyName,
): boolean {
  const view = transaction.find(database, source.key, source.from, source.to);
  if (!view) return false;
  const { type, expireAtMs } = view;
  const { key, from, to } = target;
  if (type === ValueType.string) {
    const value = view.bytes();
    writer.put(targetNamespace, type, true, key, from, to, expireAtMs, value, 0, value.length);
    return true;
  }
  let created = true;
  let cursor = 0;
  do {
    cursor = transaction.scanFields(
      database,
      source.key,
      source.from,
      source.to,
      cursor,
      COPY_STEP_FIELDS,
      (field, value) => {
        const { length } = field;
        const bytes = value.bytes();
        writer.fieldPut(
          targetNamespace,
          type,
          created,
          true,
          key,
          from,
          to,
          field,
          0,
          length,
          bytes,
          0,
          bytes.length,
        );
        created = false;
        if (value.expireAtMs !== 0) {
          writer.fieldExpire(
            targetNamespace,
            type,
            key,
            from,
            to,
            field,
            0,
            length,
            value.expireAtMs,
          );
        }
      },
    );
  } while (cursor !== 0);
  if (expireAtMs !== 0) writer.expire(targetNamespace, type, key, from, to, expireAtMs);
  return true;
}

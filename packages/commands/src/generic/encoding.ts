/**
 * What OBJECT ENCODING calls the form of a value. NenDB has one form; the name is the one that Redis
 * would choose for a value that was just set: clients use it to tell small values from large ones.
 */
import { type RecordView, ValueType } from '@nendb/engine';
import { INTEGER_BYTES_MAX, parseInt64 } from '../bytes/integers.js';

/** Redis's `OBJ_ENCODING_EMBSTR_SIZE_LIMIT`, in bytes. */
const EMBEDDED_BYTES_MAX = 44;
/** Redis's defaults for `hash-max-listpack-entries` and `hash-max-listpack-value`. */
const LISTPACK_FIELDS_MAX = 512;
const LISTPACK_VALUE_BYTES_MAX = 64;

export function stringEncoding(view: RecordView): string {
  if (view.length <= INTEGER_BYTES_MAX && parseInt64(view.bytes(), 0, view.length) !== undefined) {
    return 'int';
  }
  return view.length <= EMBEDDED_BYTES_MAX ? 'embstr' : 'raw';
}

/** `longest` is the length of the longest field or value, in bytes. */
export function hashEncoding(fields: number, longest: number, fieldsEnd: boolean): string {
  if (fields > LISTPACK_FIELDS_MAX || longest > LISTPACK_VALUE_BYTES_MAX) return 'hashtable';
  return fieldsEnd ? 'listpackex' : 'listpack';
}

/** Whether a hash of so many fields has to be looked through for long ones. */
export function mayBeListpack({ type, length }: RecordView): boolean {
  return type === ValueType.hash && length <= LISTPACK_FIELDS_MAX;
}

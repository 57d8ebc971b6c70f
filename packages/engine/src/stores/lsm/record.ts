/**
 * The values of the tree's entries: what a key or a field is.
 *
 *     string, field   type and flags u8 [ms uvarint] [name length uvarint, name]  value
 *     hash            type and flags u8 [ms uvarint] [name length uvarint, name]  fields uvarint, of these with a
 *                     time uvarint, first time uvarint
 *
 * `first time` is when the first field ends, or a time before that; 0 where none does.
 */
import { putUvarint, UVARINT_BYTES_MAX, UvarintReader } from '@nendb/codec';
import { type RecordView, ValueType } from '../store.js';
import { EXPIRES_BIT, LONG_NAME_BIT, TYPE_MASK } from './format.js';

const NO_BYTES = new Uint8Array(0);
const HEAD_BYTES_MAX = 1 + 2 * UVARINT_BYTES_MAX;

/** A record, decoded over borrowed bytes, or made to be encoded. */
export class Record implements RecordView {
  type: ValueType = ValueType.string;
  expireAtMs = 0;
  fieldsExpireAtMs = 0;
  /** The whole name where it is cut in the key, else `undefined`. */
  longName: Uint8Array | undefined;
  /** The string's or the field's bytes: `source[from, to)`. */
  source: Uint8Array = NO_BYTES;
  from = 0;
  to = 0;
  /** Of a hash. */
  fields = 0;
  /** Fields with a time. */
  fieldsExpiring = 0;
  readonly #reader = new UvarintReader();

  get length(): number {
    return this.type === ValueType.string ? this.to - this.from : this.fields;
  }

  copyTo(target: Uint8Array, at: number): number {
    target.set(this.bytes(), at);
    return at + this.to - this.from;
  }

  bytes(): Uint8Array {
    return this.source.subarray(this.from, this.to);
  }

  /** Makes this what `bytes` say; they are borrowed. Throws `FormatError`. */
  decode(bytes: Uint8Array): this {
    const head = bytes[0];
    const reader = this.#reader;
    reader.reset(bytes, 1);
    this.type = (head & TYPE_MASK) as ValueType;
    this.expireAtMs = head & EXPIRES_BIT ? reader.next() : 0;
    this.longName = undefined;
    if (head & LONG_NAME_BIT) {
      const length = reader.next();
      const from = reader.offset;
      this.longName = bytes.subarray(from, from + length);
      reader.reset(bytes, from + length);
    }
    this.source = bytes;
    this.from = reader.offset;
    this.to = bytes.length;
    if (this.type === ValueType.string) {
      this.fields = 0;
      this.fieldsExpiring = 0;
      this.fieldsExpireAtMs = 0;
    } else {
      this.fields = reader.next();
      this.fieldsExpiring = reader.next();
      this.fieldsExpireAtMs = reader.next();
      this.to = this.from;
    }
    return this;
  }

  /** Makes this an empty record of a key or a field that never ends; `whole` where its name is cut. */
  begin(type: ValueType, whole: Uint8Array | undefined): this {
    this.type = type;
    this.expireAtMs = 0;
    this.fieldsExpireAtMs = 0;
    this.longName = whole;
    this.setValue(NO_BYTES, 0, 0);
    this.fields = 0;
    this.fieldsExpiring = 0;
    return this;
  }

  setValue(source: Uint8Array, from: number, to: number): void {
    this.source = source;
    this.from = from;
    this.to = to;
  }

  encode(): Buffer {
    const { longName, type, expireAtMs } = this;
    const isString = type === ValueType.string;
    const nameBytes = longName === undefined ? 0 : longName.length + UVARINT_BYTES_MAX;
    const body = isString ? this.to - this.from : 3 * UVARINT_BYTES_MAX;
    const target = Buffer.allocUnsafe(HEAD_BYTES_MAX + nameBytes + body);
    target[0] =
      type | (expireAtMs === 0 ? 0 : EXPIRES_BIT) | (longName === undefined ? 0 : LONG_NAME_BIT);
    let at = 1;
    if (expireAtMs !== 0) at = putUvarint(target, at, expireAtMs);
    if (longName !== undefined) {
      at = putUvarint(target, at, longName.length);
      target.set(longName, at);
      at += longName.length;
    }
    if (isString) return target.subarray(0, this.copyTo(target, at));
    at = putUvarint(target, at, this.fields);
    at = putUvarint(target, at, this.fieldsExpiring);
    at = putUvarint(target, at, this.fieldsExpireAtMs);
    return target.subarray(0, at);
  }
}

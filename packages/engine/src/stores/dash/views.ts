/** Borrowed looks at what the tables hold (contract: `RecordView`). Hot: reused, never made anew. */
import type { RecordReader } from '@nendb/dash-hash';
import { UNIT_WINDOW_SHIFT } from '@nendb/pmem';
import type { RecordView, ValueType } from '../store.js';
import { ValueType as Type } from '../store.js';
import type { PackedFields } from './packed-fields.js';

/** A key, or a field of a nested hash. */
export class TableView implements RecordView {
  type: ValueType = Type.string;
  expireAtMs = 0;
  fieldsExpireAtMs = 0;
  length = 0;
  #record = 0;
  readonly #records: RecordReader;

  constructor(records: RecordReader) {
    this.#records = records;
  }

  /** Shows a record whose value is the string. */
  showString(record: number): this {
    const records = this.#records;
    this.#record = record;
    this.type = Type.string;
    this.expireAtMs = records.expireAtMs(record);
    this.fieldsExpireAtMs = 0;
    this.length = records.valueBytes(record);
    return this;
  }

  /** Shows a key with a hash of `length` fields, the first of which end at `fieldsExpireAtMs`. */
  showHash(record: number, length: number, fieldsExpireAtMs: number): this {
    this.#record = record;
    this.type = Type.hash;
    this.expireAtMs = this.#records.expireAtMs(record);
    this.fieldsExpireAtMs = fieldsExpireAtMs;
    this.length = length;
    return this;
  }

  copyTo(target: Uint8Array, at: number): number {
    this.#assertString();
    return at + this.#records.copyValue(this.#record, target, at);
  }

  /** Of a value in one piece no copy. */
  bytes(): Uint8Array {
    this.#assertString();
    const records = this.#records;
    const record = this.#record;
    if (records.pieces(record) === 0) {
      const { u8 } = records.windows[record >>> UNIT_WINDOW_SHIFT];
      const from = records.bodyAt(record) + records.keyBytes(record);
      return Buffer.from(u8.buffer, u8.byteOffset + from, this.length);
    }
    const value = Buffer.allocUnsafeSlow(this.length);
    records.copyValue(record, value, 0);
    return value;
  }

  #assertString(): void {
    if (this.type === Type.string) return;
    throw new TypeError(`expected a string to read the bytes of, the key holds type ${this.type}`);
  }
}

/** A field of a packed hash. */
export class PackedFieldView implements RecordView {
  readonly type = Type.string;
  readonly fieldsExpireAtMs = 0;
  expireAtMs = 0;
  length = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #from = 0;

  /** Shows the field that `packed` shows. */
  show(packed: PackedFields): this {
    this.#bytes = packed.bytes;
    this.#from = packed.valueFrom;
    this.length = packed.to - packed.valueFrom;
    this.expireAtMs = packed.expireAtMs;
    return this;
  }

  copyTo(target: Uint8Array, at: number): number {
    for (let i = 0; i < this.length; i++) target[at + i] = this.#bytes[this.#from + i];
    return at + this.length;
  }

  bytes(): Uint8Array {
    const { buffer, byteOffset } = this.#bytes;
    return Buffer.from(buffer, byteOffset + this.#from, this.length);
  }
}

/**
 * What the map store keeps: a row for each key, and for a collection a table of field rows.
 *
 * A row is its own `RecordView`: looking a key up allocates nothing but the name.
 * `generation` says which image the row has been passed by (`image.ts`).
 */
import { type RecordView, ValueType } from '../store.js';
import { type Expiring, ExpiryQueue } from './expiry-queue.js';
import { type Row, Table } from './table.js';

/** A string's bytes; the buffer may be longer than the string, so that it can grow in place. */
class Bytes {
  constructor(
    public buffer: Buffer,
    public length: number,
  ) {}
}

export class FieldRow implements Row, Expiring, RecordView {
  id = 0;
  dead = false;
  readonly type = ValueType.string;
  expireAtMs = 0;
  queueIndex = -1;
  readonly fieldsExpireAtMs = 0;

  constructor(
    readonly name: string,
    public value: Buffer,
    public generation: number,
  ) {}

  get length(): number {
    return this.value.length;
  }

  copyTo(target: Uint8Array, at: number): number {
    target.set(this.value, at);
    return at + this.value.length;
  }

  bytes(): Uint8Array {
    return this.value;
  }
}

/** A collection with fields that end, in the queue of its namespace by the first of them. */
export class FieldDeadline implements Expiring {
  expireAtMs = 0;
  queueIndex = -1;
  readonly fields = new ExpiryQueue<FieldRow>();

  constructor(readonly row: KeyRow) {}
}

export class KeyRow implements Row, Expiring, RecordView {
  id = 0;
  dead = false;
  expireAtMs = 0;
  queueIndex = -1;
  /** What the key, its content and their overhead take, in bytes. */
  heapBytes = 0;
  /** Made with the first field that ends. */
  deadline: FieldDeadline | undefined;

  constructor(
    readonly name: string,
    readonly type: ValueType,
    public content: Bytes | Table<FieldRow>,
    public generation: number,
  ) {}

  static string(name: string, value: Buffer, generation: number): KeyRow {
    return new KeyRow(name, ValueType.string, new Bytes(value, value.length), generation);
  }

  static collection(name: string, type: ValueType, generation: number): KeyRow {
    return new KeyRow(name, type, new Table<FieldRow>(), generation);
  }

  get string(): Bytes {
    if (this.content instanceof Bytes) return this.content;
    throw new Error(
      `expected key ${JSON.stringify(this.name)} to hold a string, it holds type ${this.type}`,
    );
  }

  get fields(): Table<FieldRow> {
    if (this.content instanceof Table) return this.content;
    throw new Error(`expected key ${JSON.stringify(this.name)} to hold fields, it holds a string`);
  }

  get fieldsExpireAtMs(): number {
    return this.deadline === undefined ? 0 : this.deadline.expireAtMs;
  }

  get length(): number {
    return this.content instanceof Bytes ? this.content.length : this.content.size;
  }

  copyTo(target: Uint8Array, at: number): number {
    const { buffer, length } = this.string;
    buffer.copy(target, at, 0, length);
    return at + length;
  }

  bytes(): Uint8Array {
    const { buffer, length } = this.string;
    return buffer.length === length ? buffer : buffer.subarray(0, length);
  }
}

/**
 * A point-in-time image of a map store, read in bounded steps while writes go on (R16 in its
 * simplest form).
 *
 * The image walks all rows in id order. A row that is about to change and that the walk has not
 * passed is *preserved* first: a reference to its old content goes into a queue, and its
 * generation is set to the image's, so that the walk will skip it. Old content is never changed in
 * place while it may still be referenced here (`MapStore` copies instead).
 *
 * Invariants
 *  1. Each row that lived when the image began is emitted exactly once, with its content of then.
 *  2. Rows added since carry the image's generation and are never emitted.
 *  3. A field of a preserved collection is emitted by the collection's walk or, if it changes
 *     before that gets there, preserved by itself, together with the key's expiry time.
 */
import type { EffectWriter } from '../../effects/writer.js';
import { ValueType } from '../store.js';
import type { FieldRow, KeyRow } from './entry.js';
import type { Table } from './table.js';

/** What a key was when it was preserved. */
interface KeyCopy {
  row: KeyRow;
  namespace: number;
  name: string;
  type: ValueType;
  expireAtMs: number;
  /** Bytes that live on for this copy alone. */
  retainedBytes: number;
  /** A string's bytes, already cut to length. */
  value?: Uint8Array;
  /** A collection's table: its rows of an older generation are still to be emitted. */
  fields?: Table<FieldRow>;
}

interface FieldCopy {
  key: KeyCopy;
  name: string;
  value: Buffer;
  expireAtMs: number;
  retainedBytes: number;
}

export class MapImage {
  readonly #spaces: { namespace: number; keys: Table<KeyRow>; lastId: number }[];
  readonly #preserved: (KeyCopy | FieldCopy)[] = [];
  #preservedFrom = 0;
  #preservedBytes = 0;
  /** Collections whose fields are not all emitted yet, as they were when the image passed them. */
  readonly #unfinished = new Map<KeyRow, KeyCopy>();
  #space = 0;
  #afterId = 0;
  /** The collection whose fields are being walked, and how far. */
  #walking: KeyCopy | undefined;
  #walkedFieldId = 0;

  constructor(
    readonly generation: number,
    spaces: ReadonlyMap<number, Table<KeyRow>>,
  ) {
    this.#spaces = [...spaces].map(([namespace, keys]) => ({
      namespace,
      keys,
      lastId: keys.lastId,
    }));
  }

  get preservedBytes(): number {
    return this.#preservedBytes;
  }

  /** Call before `row` changes in any way or goes. */
  preserveKey(namespace: number, row: KeyRow): void {
    if (row.generation === this.generation) return;
    this.#preserve(this.#pass(namespace, row));
  }

  /** Call before `field` of `row` changes or goes, after `preserveKey` of the row. */
  preserveField(row: KeyRow, field: FieldRow): void {
    if (field.generation === this.generation) return;
    const key = this.#unfinished.get(row);
    if (!key)
      throw new Error(`expected ${JSON.stringify(row.name)} to be passed before its fields`);
    field.generation = this.generation;
    const { name, value, expireAtMs } = field;
    this.#preserve({ key, name, value, expireAtMs, retainedBytes: name.length + value.length });
  }

  /**
   * Emits effects until `writer` holds about `bytesMax`, or `rowsMax` rows were passed: those that
   * have changed since are passed in silence. False when the image is complete.
   */
  emit(writer: EffectWriter, bytesMax: number, rowsMax: number): boolean {
    for (let rows = 0; rows < rowsMax && writer.length < bytesMax; rows++) {
      if (!this.#emitNext(writer)) return false;
    }
    return true;
  }

  #emitNext(writer: EffectWriter): boolean {
    if (this.#walking) {
      this.#emitNextField(writer, this.#walking);
      return true;
    }
    if (this.#preservedFrom < this.#preserved.length) {
      this.#emitPreserved(writer, this.#takePreserved());
      return true;
    }
    return this.#emitNextKey(writer);
  }

  /** The oldest copy. Those taken are let go of while others still come. */
  #takePreserved(): KeyCopy | FieldCopy {
    const copy = this.#preserved[this.#preservedFrom++];
    this.#preservedBytes -= copy.retainedBytes;
    if (this.#preservedFrom * 2 > this.#preserved.length) {
      this.#preserved.splice(0, this.#preservedFrom);
      this.#preservedFrom = 0;
    }
    return copy;
  }

  /** Passes one row, or goes on to the next namespace; false behind the last one. */
  #emitNextKey(writer: EffectWriter): boolean {
    if (this.#space === this.#spaces.length) return false;
    const { namespace, keys, lastId } = this.#spaces[this.#space];
    const row = keys.nextAfter(this.#afterId);
    if (!row || row.id > lastId) {
      this.#space++;
      this.#afterId = 0;
      return true;
    }
    this.#afterId = row.id;
    if (row.generation !== this.generation) this.#emitKey(writer, this.#pass(namespace, row));
    return true;
  }

  #emitPreserved(writer: EffectWriter, copy: KeyCopy | FieldCopy): void {
    if ('key' in copy) this.#emitField(writer, copy.key, copy, true);
    else this.#emitKey(writer, copy);
  }

  #emitKey(writer: EffectWriter, copy: KeyCopy): void {
    if (copy.fields) {
      this.#walking = copy;
      this.#walkedFieldId = 0;
      return;
    }
    const key = Buffer.from(copy.name, 'latin1');
    const value = copy.value ?? key.subarray(0, 0);
    writer.put(
      copy.namespace,
      copy.type,
      true,
      key,
      0,
      key.length,
      copy.expireAtMs,
      value,
      0,
      value.length,
    );
  }

  #emitNextField(writer: EffectWriter, key: KeyCopy): void {
    const field = key.fields?.nextAfter(this.#walkedFieldId);
    if (!field) {
      this.#unfinished.delete(key.row);
      this.#walking = undefined;
      return;
    }
    this.#walkedFieldId = field.id;
    if (field.generation === this.generation) return;
    field.generation = this.generation;
    this.#emitField(writer, key, field, key.expireAtMs !== 0);
  }

  #emitField(
    writer: EffectWriter,
    copy: KeyCopy,
    { name, value, expireAtMs }: Pick<FieldCopy, 'name' | 'value' | 'expireAtMs'>,
    withExpiry: boolean,
  ): void {
    const key = Buffer.from(copy.name, 'latin1');
    const field = Buffer.from(name, 'latin1');
    writer.fieldPut(
      copy.namespace,
      copy.type,
      false,
      false,
      key,
      0,
      key.length,
      field,
      0,
      field.length,
      value,
      0,
      value.length,
    );
    if (expireAtMs !== 0) {
      writer.fieldExpire(
        copy.namespace,
        copy.type,
        key,
        0,
        key.length,
        field,
        0,
        field.length,
        expireAtMs,
      );
    }
    if (withExpiry && copy.expireAtMs !== 0) {
      writer.expire(copy.namespace, copy.type, key, 0, key.length, copy.expireAtMs);
    }
  }

  #preserve(copy: KeyCopy | FieldCopy): void {
    this.#preserved.push(copy);
    this.#preservedBytes += copy.retainedBytes;
  }

  /** Marks a row as passed and keeps what it is now. */
  #pass(namespace: number, row: KeyRow): KeyCopy {
    row.generation = this.generation;
    const { name, type, expireAtMs } = row;
    const retainedBytes = name.length + (type === ValueType.string ? row.length : 0);
    const copy = { row, namespace, name, type, expireAtMs, retainedBytes };
    if (row.type === ValueType.string) return { ...copy, value: row.bytes() };
    const collection = { ...copy, fields: row.fields };
    this.#unfinished.set(row, collection);
    return collection;
  }
}

/**
 * Applies effects to what is staged. Each change reads the records that it touches, and keeps entries, ends and
 * counts in step with each other.
 */
import { ValueType } from '../store.js';
import type { Ends } from './ends.js';
import type { Metadata } from './metadata.js';
import { Record } from './record.js';
import type { Stage } from './stage.js';
import {
  fieldEnd,
  fieldKey,
  fieldsPrefix,
  isCut,
  keyEnd,
  nameInField,
  nameInRecord,
  recordKey,
} from './tree-keys.js';

/** A hash of up to so many fields, with names of so many bytes, goes field by field: a range costs readers more. */
const FIELDS_REMOVED_SINGLY = 64;
const FIELD_BYTES_REMOVED_SINGLY = 6 * 1024;
const NOTHING = Buffer.alloc(0);

export interface TreeWriterParts {
  stage: Stage;
  metadata: Metadata;
  keyEnds: Ends;
  fieldEnds: Ends;
}

export class TreeWriter {
  readonly #stage: Stage;
  readonly #metadata: Metadata;
  readonly #keyEnds: Ends;
  readonly #fieldEnds: Ends;
  readonly #record = new Record();
  readonly #field = new Record();

  constructor({ stage, metadata, keyEnds, fieldEnds }: TreeWriterParts) {
    this.#stage = stage;
    this.#metadata = metadata;
    this.#keyEnds = keyEnds;
    this.#fieldEnds = fieldEnds;
  }

  putString(
    namespace: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
    expireAtMs: number,
  ): void {
    const at = recordKey(namespace, key, keyFrom, keyTo);
    const record = this.#makeWay(namespace, at, ValueType.string, key, keyFrom, keyTo);
    record.setValue(value, valueFrom, valueTo);
    this.#setEnd(namespace, at, record, expireAtMs);
    this.#stage.put(at, record.encode());
  }

  patchString(
    namespace: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    at: number,
    bytes: Uint8Array,
    bytesFrom: number,
    bytesTo: number,
    newLength: number,
  ): void {
    const treeKey = recordKey(namespace, key, keyFrom, keyTo);
    const record = this.#makeWay(namespace, treeKey, ValueType.string, key, keyFrom, keyTo);
    const value = Buffer.alloc(newLength);
    const kept = Math.min(record.length, newLength);
    value.set(record.source.subarray(record.from, record.from + kept));
    value.set(bytes.subarray(bytesFrom, bytesTo), at);
    record.setValue(value, 0, newLength);
    this.#stage.put(treeKey, record.encode());
  }

  remove(namespace: number, key: Uint8Array, from: number, to: number): void {
    const at = recordKey(namespace, key, from, to);
    const bytes = this.#stage.get(at);
    if (bytes !== undefined) this.#remove(namespace, at, this.#record.decode(bytes));
  }

  setExpiry(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
    expireAtMs: number,
  ): void {
    const at = recordKey(namespace, key, from, to);
    const bytes = this.#stage.get(at);
    if (bytes === undefined) return;
    const record = this.#record.decode(bytes);
    if (record.expireAtMs === expireAtMs) return;
    this.#setEnd(namespace, at, record, expireAtMs);
    this.#stage.put(at, record.encode());
  }

  putField(
    namespace: number,
    type: ValueType,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
  ): void {
    const at = recordKey(namespace, key, keyFrom, keyTo);
    const hash = this.#makeWay(namespace, at, type, key, keyFrom, keyTo);
    // Copied before the next look into the tree, which may take back what it lent.
    const owned = ownName(hash);
    const prefix = fieldsPrefix(at);
    const fieldAt = fieldKey(prefix, field, fieldFrom, fieldTo);
    const old = this.#stage.get(fieldAt, prefix);
    const record = this.#field;
    if (old === undefined) {
      record.begin(
        ValueType.string,
        wholeOf(nameInField(fieldAt, prefix.length), field, fieldFrom, fieldTo),
      );
      owned.fields++;
      this.#stage.put(at, owned.encode());
    } else {
      record.decode(old);
      if (this.#setFieldEnd(namespace, owned, record, fieldAt, prefix, 0)) {
        this.#stage.put(at, owned.encode());
      }
    }
    record.setValue(value, valueFrom, valueTo);
    this.#stage.put(fieldAt, record.encode(), prefix);
  }

  setFieldExpiry(
    namespace: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
    expireAtMs: number,
  ): void {
    const at = recordKey(namespace, key, keyFrom, keyTo);
    const hash = this.#hashAt(at);
    if (hash === undefined) return;
    const prefix = fieldsPrefix(at);
    const fieldAt = fieldKey(prefix, field, fieldFrom, fieldTo);
    const bytes = this.#stage.get(fieldAt, prefix);
    if (bytes === undefined) return;
    const record = this.#field.decode(bytes);
    if (!this.#setFieldEnd(namespace, hash, record, fieldAt, prefix, expireAtMs)) return;
    this.#stage.put(fieldAt, record.encode(), prefix);
    this.#stage.put(at, hash.encode());
  }

  removeField(
    namespace: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
  ): void {
    const at = recordKey(namespace, key, keyFrom, keyTo);
    const hash = this.#hashAt(at);
    if (hash === undefined) return;
    const prefix = fieldsPrefix(at);
    const fieldAt = fieldKey(prefix, field, fieldFrom, fieldTo);
    const bytes = this.#stage.get(fieldAt, prefix);
    if (bytes === undefined) return;
    if (hash.fields === 1) {
      this.#remove(namespace, at, hash);
      return;
    }
    this.#setFieldEnd(namespace, hash, this.#field.decode(bytes), fieldAt, prefix, 0);
    hash.fields--;
    this.#stage.delete(fieldAt, prefix);
    this.#stage.put(at, hash.encode());
  }

  /** Drops all namespaces but these. */
  retainNamespaces(namespaces: readonly number[]): void {
    const kept = new Set(namespaces);
    for (const namespace of this.#metadata.namespaces) {
      if (kept.has(namespace)) continue;
      this.#stage.dropNamespace(namespace);
      this.#metadata.drop(namespace);
      this.#keyEnds.forget(namespace);
      this.#fieldEnds.forget(namespace);
    }
  }

  /** The record of a key that is to be of `type`: what is there, or an empty one; what is of another type goes. */
  #makeWay(
    namespace: number,
    at: Buffer,
    type: ValueType,
    key: Uint8Array,
    from: number,
    to: number,
  ): Record {
    const record = this.#record;
    const bytes = this.#stage.get(at);
    if (bytes !== undefined) {
      record.decode(bytes);
      if (record.type === type) return record;
      this.#remove(namespace, at, record);
    }
    this.#metadata.change(namespace).keys++;
    return record.begin(type, wholeOf(nameInRecord(at), key, from, to));
  }

  #hashAt(at: Buffer): Record | undefined {
    const bytes = this.#stage.get(at);
    if (bytes === undefined) return undefined;
    const record = this.#record.decode(bytes);
    return record.type === ValueType.string ? undefined : ownName(record);
  }

  /** Removes a key whose record is `record`, with all that belongs to it. */
  #remove(namespace: number, at: Buffer, record: Record): void {
    const counts = this.#metadata.change(namespace);
    counts.keys--;
    if (record.expireAtMs !== 0) {
      counts.expiring--;
      this.#stage.delete(keyEnd(at, record.expireAtMs));
    }
    if (record.type !== ValueType.string) this.#removeFields(namespace, at, record);
    this.#stage.delete(at);
  }

  #removeFields(namespace: number, at: Buffer, { fields, fieldsExpiring }: Record): void {
    const prefix = fieldsPrefix(at);
    if (fieldsExpiring > 0) this.#metadata.change(namespace).fieldExpiring--;
    if (fields > FIELDS_REMOVED_SINGLY) {
      this.#stage.dropFields(prefix);
      return;
    }
    const ends: Buffer[] = [];
    const keys: Buffer[] = [];
    let bytes = 0;
    this.#stage.visitFields(prefix, (key, value) => {
      const { expireAtMs } = this.#field.decode(value);
      if (expireAtMs !== 0) ends.push(fieldEnd(key, prefix.length, expireAtMs));
      keys.push(key);
      bytes += expireAtMs === 0 ? key.length : 2 * key.length;
    });
    if (bytes > FIELD_BYTES_REMOVED_SINGLY) {
      this.#stage.dropFields(prefix);
      return;
    }
    for (const end of ends) this.#stage.delete(end);
    for (const key of keys) this.#stage.delete(key, prefix);
  }

  #setEnd(namespace: number, at: Buffer, record: Record, expireAtMs: number): void {
    const old = record.expireAtMs;
    if (old === expireAtMs) return;
    const counts = this.#metadata.change(namespace);
    if (old !== 0) {
      counts.expiring--;
      this.#stage.delete(keyEnd(at, old));
    }
    if (expireAtMs !== 0) {
      counts.expiring++;
      const end = keyEnd(at, expireAtMs);
      this.#stage.put(end, NOTHING);
      this.#keyEnds.added(namespace, end);
    }
    record.expireAtMs = expireAtMs;
  }

  /** Sets the time in the field's record, its end entry and the hash's record; false where nothing changes. */
  #setFieldEnd(
    namespace: number,
    hash: Record,
    record: Record,
    fieldAt: Buffer,
    prefix: Buffer,
    expireAtMs: number,
  ): boolean {
    const old = record.expireAtMs;
    if (old === expireAtMs) return false;
    const before = hash.fieldsExpiring;
    if (old !== 0) {
      hash.fieldsExpiring--;
      this.#stage.delete(fieldEnd(fieldAt, prefix.length, old));
    }
    if (expireAtMs !== 0) {
      hash.fieldsExpiring++;
      const end = fieldEnd(fieldAt, prefix.length, expireAtMs);
      this.#stage.put(end, NOTHING);
      this.#fieldEnds.added(namespace, end);
      const soonest = hash.fieldsExpireAtMs;
      hash.fieldsExpireAtMs = soonest === 0 ? expireAtMs : Math.min(soonest, expireAtMs);
    }
    if (hash.fieldsExpiring === 0) hash.fieldsExpireAtMs = 0;
    const counted = Number(hash.fieldsExpiring > 0) - Number(before > 0);
    if (counted !== 0) this.#metadata.change(namespace).fieldExpiring += counted;
    record.expireAtMs = expireAtMs;
    return true;
  }
}

/** The whole name, to be kept in the record, where `name`, which is in the key, is cut. */
function wholeOf(
  name: Uint8Array,
  bytes: Uint8Array,
  from: number,
  to: number,
): Uint8Array | undefined {
  return isCut(name) ? bytes.subarray(from, to) : undefined;
}

/** A record of a hash borrows nothing but its name. */
function ownName(record: Record): Record {
  if (record.longName !== undefined) record.longName = Uint8Array.from(record.longName);
  return record;
}

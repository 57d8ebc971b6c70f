/**
 * An image of the store: the effects that make it, read from a pinned version of the tree while writes go on (R16).
 */
import type { Lsm, LsmCursor, LsmSnapshot } from '@nendb/lsm';
import type { EffectWriter } from '../../effects/writer.js';
import { ValueType } from '../store.js';
import { SLOTS } from './format.js';
import { Record } from './record.js';
import { behindPrefix, bound, fieldsPrefix, nameInField, nameInRecord } from './tree-keys.js';

interface OpenHash {
  key: Uint8Array;
  expireAtMs: number;
  prefixBytes: number;
  cursor: LsmCursor;
}

export class LsmImage {
  readonly #tree: Lsm;
  readonly #snapshot: LsmSnapshot;
  readonly #namespaces: number[];
  readonly #record = new Record();
  readonly #field = new Record();
  #namespace = 0;
  #keys: LsmCursor | undefined;
  #hash: OpenHash | undefined;

  constructor(tree: Lsm, namespaces: number[]) {
    this.#tree = tree;
    this.#snapshot = tree.snapshot();
    this.#namespaces = namespaces;
  }

  /** Emits until `writer` holds about `bytesMax`, or `stepsMax` entries were read; false at the end. */
  emit(writer: EffectWriter, bytesMax: number, stepsMax: number): boolean {
    for (let steps = 0; steps < stepsMax && writer.length < bytesMax; steps++) {
      const more = this.#hash === undefined ? this.#nextKey(writer) : this.#nextField(writer);
      if (!more) return false;
    }
    return true;
  }

  release(): void {
    this.#keys?.close();
    this.#hash?.cursor.close();
    this.#snapshot.close();
  }

  #nextKey(writer: EffectWriter): boolean {
    if (this.#keys === undefined) {
      const namespace = this.#namespaces.pop();
      if (namespace === undefined) return false;
      this.#namespace = namespace;
      this.#keys = this.#cursor(bound(namespace, 0), bound(namespace, SLOTS));
    }
    const cursor = this.#keys;
    if (!cursor.next()) {
      cursor.close();
      this.#keys = undefined;
      return true;
    }
    const { key: treeKey } = cursor;
    const record = this.#record.decode(cursor.valueView);
    const key = record.longName ?? nameInRecord(treeKey);
    if (record.type === ValueType.string) {
      const { source, from, to, expireAtMs } = record;
      const { string } = ValueType;
      const space = this.#namespace;
      writer.put(space, string, true, key, 0, key.length, expireAtMs, source, from, to);
      return true;
    }
    const prefix = fieldsPrefix(Buffer.from(treeKey));
    this.#hash = {
      key: Uint8Array.from(key),
      expireAtMs: record.expireAtMs,
      prefixBytes: prefix.length,
      cursor: this.#cursor(prefix, behindPrefix(prefix)),
    };
    return true;
  }

  #nextField(writer: EffectWriter): boolean {
    const hash = this.#hash;
    if (hash === undefined) return true;
    const { key, cursor, prefixBytes, expireAtMs } = hash;
    const space = this.#namespace;
    const type = ValueType.hash;
    if (!cursor.next()) {
      if (expireAtMs !== 0) writer.expire(space, type, key, 0, key.length, expireAtMs);
      cursor.close();
      this.#hash = undefined;
      return true;
    }
    const record = this.#field.decode(cursor.valueView);
    const field = record.longName ?? nameInField(cursor.keyView, prefixBytes);
    const { source, from, to } = record;
    const [keyBytes, fieldBytes] = [key.length, field.length];
    writer.fieldPut(
      space,
      type,
      false,
      false,
      key,
      0,
      keyBytes,
      field,
      0,
      fieldBytes,
      source,
      from,
      to,
    );
    if (record.expireAtMs !== 0) {
      writer.fieldExpire(space, type, key, 0, keyBytes, field, 0, fieldBytes, record.expireAtMs);
    }
    return true;
  }

  #cursor(gte: Buffer, lt: Buffer): LsmCursor {
    return this.#tree.cursor({ gte, lt, snapshot: this.#snapshot, fillCache: false });
  }
}

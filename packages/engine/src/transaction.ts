/**
 * The one transaction of the engine (shape and contract: `TransactionView` in `types.ts`): the writes, on
 * top of the reads in `transaction-reads.ts`. A write encodes effects; nothing reaches the store before
 * the engine commits.
 *
 * Invariants
 *  1. The flags of an effect (created, removed) are true of the state its predecessors leave.
 *  2. A write to a key or field that is in the store but past its time is preceded by its delete.
 *  3. What is staged can be decoded: arguments are checked before their first byte is written.
 *  4. Outside `begin` to `end` every call throws: nothing is staged that no commit will take.
 */
import { assertExpiry, assertName, assertPatch, assertRun } from './arguments.js';
import { copyKey } from './copy-key.js';
import type { Databases } from './effects/databases.js';
import { EngineError } from './errors.js';
import { latin1 } from './latin1.js';
import { isPast } from './overlay.js';
import type { RecordView, Store } from './stores/store.js';
import { ValueType } from './stores/store.js';
import { TransactionReads } from './transaction-reads.js';
import type { TransactionView } from './types.js';

export interface TransactionLimits {
  /** The longest string or field value, in bytes. */
  valueBytesMax: number;
  /** All effects of one commit together, in bytes. */
  commitBytesMax: number;
}

export class Transaction extends TransactionReads implements TransactionView {
  readonly #valueBytesMax: number;

  constructor(store: Store, databases: Databases, limits: TransactionLimits) {
    super(store, databases, limits.commitBytesMax);
    this.#valueBytesMax = limits.valueBytesMax;
  }

  putString(
    database: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
    expireAtMs: number,
  ): void {
    assertName(key, keyFrom, keyTo);
    assertRun(value, valueFrom, valueTo);
    assertExpiry(expireAtMs);
    this.#assertValueFits(valueTo - valueFrom);
    const namespace = this.namespaceOf(database);
    const created = !this.#makeWay(namespace, key, keyFrom, keyTo);
    this.writer.put(
      namespace,
      ValueType.string,
      created,
      key,
      keyFrom,
      keyTo,
      expireAtMs,
      value,
      valueFrom,
      valueTo,
    );
  }

  patchString(
    database: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    at: number,
    bytes: Uint8Array,
    bytesFrom: number,
    bytesTo: number,
    newLength: number,
  ): void {
    assertName(key, keyFrom, keyTo);
    assertRun(bytes, bytesFrom, bytesTo);
    assertPatch(at, bytesTo - bytesFrom, newLength);
    this.#assertValueFits(newLength);
    const created = !this.#openFor(database, key, keyFrom, keyTo, ValueType.string);
    this.writer.patch(
      this.namespaceOf(database),
      ValueType.string,
      created,
      key,
      keyFrom,
      keyTo,
      at,
      newLength,
      bytes,
      bytesFrom,
      bytesTo,
    );
  }

  remove(database: number, key: Uint8Array, from: number, to: number): boolean {
    assertRun(key, from, to);
    const view = this.find(database, key, from, to);
    if (!view) return false;
    this.writer.delete(this.namespaceOf(database), view.type, key, from, to);
    return true;
  }

  setExpiry(
    database: number,
    key: Uint8Array,
    from: number,
    to: number,
    expireAtMs: number,
  ): boolean {
    assertRun(key, from, to);
    assertExpiry(expireAtMs);
    const view = this.find(database, key, from, to);
    if (!view) return false;
    this.writer.expire(this.namespaceOf(database), view.type, key, from, to, expireAtMs);
    return true;
  }

  putField(
    database: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
  ): boolean {
    assertName(key, keyFrom, keyTo);
    assertName(field, fieldFrom, fieldTo);
    assertRun(value, valueFrom, valueTo);
    this.#assertValueFits(valueTo - valueFrom);
    const created = !this.#openFor(database, key, keyFrom, keyTo, ValueType.hash);
    const namespace = this.namespaceOf(database);
    let fieldCreated = created;
    if (!created) {
      const old = this.findAnyField(namespace, key, keyFrom, keyTo, field, fieldFrom, fieldTo);
      fieldCreated = !old || isPast(old.expireAtMs, this.nowMs);
      // Not the last field: one that has ended in a collection that lives is not alone in it.
      if (old && fieldCreated) {
        const { hash } = ValueType;
        this.writer.fieldDrop(
          namespace,
          hash,
          false,
          key,
          keyFrom,
          keyTo,
          field,
          fieldFrom,
          fieldTo,
        );
      }
    }
    this.writer.fieldPut(
      namespace,
      ValueType.hash,
      created,
      fieldCreated,
      key,
      keyFrom,
      keyTo,
      field,
      fieldFrom,
      fieldTo,
      value,
      valueFrom,
      valueTo,
    );
    return fieldCreated;
  }

  removeField(
    database: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
  ): boolean {
    assertRun(key, keyFrom, keyTo);
    assertRun(field, fieldFrom, fieldTo);
    if (!this.findField(database, key, keyFrom, keyTo, field, fieldFrom, fieldTo)) return false;
    const last = this.find(database, key, keyFrom, keyTo)?.length === 1;
    this.writer.fieldDrop(
      this.namespaceOf(database),
      ValueType.hash,
      last,
      key,
      keyFrom,
      keyTo,
      field,
      fieldFrom,
      fieldTo,
    );
    return true;
  }

  setFieldExpiry(
    database: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
    expireAtMs: number,
  ): boolean {
    assertRun(key, keyFrom, keyTo);
    assertRun(field, fieldFrom, fieldTo);
    assertExpiry(expireAtMs);
    if (!this.findField(database, key, keyFrom, keyTo, field, fieldFrom, fieldTo)) return false;
    this.writer.fieldExpire(
      this.namespaceOf(database),
      ValueType.hash,
      key,
      keyFrom,
      keyTo,
      field,
      fieldFrom,
      fieldTo,
      expireAtMs,
    );
    return true;
  }

  copy(
    database: number,
    key: Uint8Array,
    from: number,
    to: number,
    targetDatabase: number,
    target: Uint8Array,
    targetFrom: number,
    targetTo: number,
  ): boolean {
    assertRun(key, from, to);
    assertName(target, targetFrom, targetTo);
    const namespace = this.namespaceOf(targetDatabase);
    if (
      database === targetDatabase &&
      latin1(key, from, to) === latin1(target, targetFrom, targetTo)
    ) {
      throw new RangeError('expected two keys to copy from one to the other, got one key twice');
    }
    if (!this.find(database, key, from, to)) return false;
    const old = this.findAny(namespace, target, targetFrom, targetTo);
    if (old) this.writer.delete(namespace, old.type, target, targetFrom, targetTo);
    const source = { key, from, to };
    const name = { key: target, from: targetFrom, to: targetTo };
    return copyKey(this, this.writer, database, source, namespace, name);
  }

  flushDatabase(database: number): void {
    this.namespaces.flush(database);
  }

  flushAll(): void {
    this.namespaces.flushAll();
  }

  swapDatabases(a: number, b: number): void {
    this.namespaces.swap(a, b);
  }

  /** Stages the delete of a key that is past its time; nothing where it is not. */
  removeExpired(database: number, key: Uint8Array, from: number, to: number): boolean {
    const namespace = this.namespaceOf(database);
    const view = this.findAny(namespace, key, from, to);
    if (!view || !isPast(view.expireAtMs, this.nowMs)) return false;
    this.writer.delete(namespace, view.type, key, from, to);
    return true;
  }

  /** Stages the end of a field that is past its time, and of the key with its last field. */
  removeExpiredField(database: number, key: Uint8Array, field: Uint8Array): boolean {
    const namespace = this.namespaceOf(database);
    const fields = this.findAny(namespace, key, 0, key.length)?.length;
    const view = this.findAnyField(namespace, key, 0, key.length, field, 0, field.length);
    if (!view || !isPast(view.expireAtMs, this.nowMs)) return false;
    const { hash } = ValueType;
    this.writer.fieldDrop(
      namespace,
      hash,
      fields === 1,
      key,
      0,
      key.length,
      field,
      0,
      field.length,
    );
    return true;
  }

  /** The key, made ready for a write: one that is past its time is deleted first. */
  #makeWay(namespace: number, key: Uint8Array, from: number, to: number): RecordView | undefined {
    const view = this.findAny(namespace, key, from, to);
    if (!view) return undefined;
    const { type } = view;
    const living = this.living(namespace, key, from, to, view);
    if (!living) this.writer.delete(namespace, type, key, from, to);
    return living;
  }

  /** Makes a key ready for a change in place; returns whether it is there. */
  #openFor(database: number, key: Uint8Array, from: number, to: number, type: ValueType): boolean {
    const view = this.#makeWay(this.namespaceOf(database), key, from, to);
    if (!view) return false;
    if (view.type !== type) {
      throw new TypeError(`expected a key of type ${type} or none, it holds type ${view.type}`);
    }
    return true;
  }

  #assertValueFits(bytes: number): void {
    if (bytes <= this.#valueBytesMax) return;
    throw new EngineError(
      'ENGINE_TOO_LARGE',
      `expected a value of at most ${this.#valueBytesMax} bytes, got ${bytes}: split it over several keys`,
    );
  }
}

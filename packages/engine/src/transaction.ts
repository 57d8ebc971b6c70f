/**
 * The one transaction of the engine (shape and contract: `TransactionView` in `types.ts`).
 *
 * Reads see the store, what has been staged here, and no key whose time has passed. Writes encode
 * effects; nothing reaches the store before the engine commits.
 *
 * Invariants
 *  1. The flags of an effect (created, removed) are true of the state its predecessors leave.
 *  2. A write to a key that is in the store but past its time is preceded by its delete.
 *  3. Views handed out are borrowed from the store or from the overlay, until the next call.
 *  4. What is staged can be decoded: arguments are checked before their first byte is written.
 *  5. Outside `begin` to `end` every call throws: nothing is staged that no commit will take.
 */
import { assertExpiry, assertName, assertPatch, assertRun } from './arguments.js';
import { DATABASE_COUNT, type Databases } from './effects/databases.js';
import { EffectWriter } from './effects/writer.js';
import { EngineError } from './errors.js';
import { latin1 } from './latin1.js';
import { KEY_BYTES_MAX } from './limits.js';
import { Overlay, type StagedKey } from './overlay.js';
import type { FieldVisitor, KeyVisitor, RecordView, Store } from './stores/store.js';
import { ValueType } from './stores/store.js';
import type { TransactionView } from './types.js';

export interface TransactionLimits {
  /** The longest string or field value, in bytes. */
  valueBytesMax: number;
  /** All effects of one commit together, in bytes. */
  commitBytesMax: number;
}

/** The map of databases while no transaction is open. */
const CLOSED: readonly number[] = [];

export class Transaction implements TransactionView {
  nowMs = 0;
  readonly writer: EffectWriter;
  readonly #store: Store;
  readonly #databases: Databases;
  readonly #overlay: Overlay;
  readonly #valueBytesMax: number;
  /** The map of databases that this transaction sees: the committed one until it stages its own. */
  #namespaces = CLOSED;
  #mapIsStaged = false;
  #nextNamespace = 0;

  constructor(store: Store, databases: Databases, limits: TransactionLimits) {
    this.#store = store;
    this.#valueBytesMax = limits.valueBytesMax;
    this.#databases = databases;
    this.#overlay = new Overlay(store);
    this.writer = new EffectWriter(limits.commitBytesMax);
  }

  begin(nowMs: number): void {
    this.nowMs = nowMs;
    this.#namespaces = this.#databases.namespaces;
  }

  /** Forgets what was staged, and the memory it took. */
  end(): void {
    this.writer.reset();
    this.#overlay.reset();
    this.#namespaces = CLOSED;
    this.#mapIsStaged = false;
  }

  find(database: number, key: Uint8Array, from: number, to: number): RecordView | undefined {
    const view = this.#findAny(this.#namespaceOf(database), key, from, to);
    return view && this.#isAlive(view.expireAtMs) ? view : undefined;
  }

  findField(
    database: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
  ): RecordView | undefined {
    if (!this.find(database, key, keyFrom, keyTo)) return undefined;
    if (fieldTo - fieldFrom > KEY_BYTES_MAX) return undefined;
    const namespace = this.#namespaceOf(database);
    const staged = this.#staged(namespace, key, keyFrom, keyTo);
    if (staged) {
      const name = latin1(field, fieldFrom, fieldTo);
      if (staged.fields.has(name)) return staged.fields.get(name);
      if (!staged.storeFieldsVisible) return undefined;
    }
    return this.#store.findField(namespace, key, keyFrom, keyTo, field, fieldFrom, fieldTo);
  }

  keyCount(database: number): number {
    const namespace = this.#namespaceOf(database);
    this.#overlay.catchUp(this.writer);
    return this.#store.keyCount(namespace) + this.#overlay.keyDelta(namespace);
  }

  expiringCount(database: number): number {
    const namespace = this.#namespaceOf(database);
    this.#overlay.catchUp(this.writer);
    return this.#store.expiringCount(namespace) + this.#overlay.expiringDelta(namespace);
  }

  scan(database: number, cursor: number, count: number, visit: KeyVisitor): number {
    const namespace = this.#namespaceOf(database);
    this.#overlay.catchUp(this.writer);
    const next = this.#store.scan(namespace, cursor, count, (key, stored) => {
      const staged = this.#overlay.get(namespace, key, 0, key.length);
      if (staged && !staged.exists) return;
      const view = staged ?? stored;
      if (this.#isAlive(view.expireAtMs)) visit(key, view);
    });
    if (next === 0) this.#scanCreated(namespace, visit);
    return next;
  }

  scanFields(
    database: number,
    key: Uint8Array,
    from: number,
    to: number,
    cursor: number,
    count: number,
    visit: FieldVisitor,
  ): number {
    if (!this.find(database, key, from, to)) return 0;
    const namespace = this.#namespaceOf(database);
    const staged = this.#staged(namespace, key, from, to);
    if (!staged) return this.#store.scanFields(namespace, key, from, to, cursor, count, visit);
    let next = 0;
    if (staged.storeFieldsVisible) {
      next = this.#store.scanFields(namespace, key, from, to, cursor, count, (field, stored) => {
        const name = latin1(field, 0, field.length);
        const view = staged.fields.has(name) ? staged.fields.get(name) : stored;
        if (view) visit(field, view);
      });
    }
    if (next === 0) this.#scanCreatedFields(namespace, key, from, to, staged, visit);
    return next;
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
    const namespace = this.#namespaceOf(database);
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
      this.#namespaceOf(database),
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
    this.writer.delete(this.#namespaceOf(database), view.type, key, from, to);
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
    this.writer.expire(this.#namespaceOf(database), view.type, key, from, to, expireAtMs);
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
    const fieldCreated =
      created || !this.findField(database, key, keyFrom, keyTo, field, fieldFrom, fieldTo);
    this.writer.fieldPut(
      this.#namespaceOf(database),
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
      this.#namespaceOf(database),
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

  flushDatabase(database: number): void {
    this.#namespaceOf(database);
    this.#stageDatabases((namespaces) => {
      namespaces[database] = this.#nextNamespace++;
    });
  }

  flushAll(): void {
    this.#namespaceOf(0);
    this.#stageDatabases((namespaces) => {
      for (let database = 0; database < namespaces.length; database++) {
        namespaces[database] = this.#nextNamespace++;
      }
    });
  }

  swapDatabases(a: number, b: number): void {
    const ofA = this.#namespaceOf(a);
    const ofB = this.#namespaceOf(b);
    this.#stageDatabases((namespaces) => {
      namespaces[a] = ofB;
      namespaces[b] = ofA;
    });
  }

  /** Stages the delete of a key that is past its time; nothing where it is not. */
  removeExpired(database: number, key: Uint8Array, from: number, to: number): boolean {
    const namespace = this.#namespaceOf(database);
    const view = this.#findAny(namespace, key, from, to);
    if (!view || this.#isAlive(view.expireAtMs)) return false;
    this.writer.delete(namespace, view.type, key, from, to);
    return true;
  }

  /** The key, past its time or not. */
  #findAny(namespace: number, key: Uint8Array, from: number, to: number): RecordView | undefined {
    if (to - from > KEY_BYTES_MAX) return undefined;
    const staged = this.#staged(namespace, key, from, to);
    if (staged) return staged.exists ? staged : undefined;
    return this.#store.find(namespace, key, from, to);
  }

  /** The key, made ready for a write: one that is past its time is deleted first. */
  #makeWay(namespace: number, key: Uint8Array, from: number, to: number): RecordView | undefined {
    const view = this.#findAny(namespace, key, from, to);
    if (!view || this.#isAlive(view.expireAtMs)) return view;
    this.writer.delete(namespace, view.type, key, from, to);
    return undefined;
  }

  /** Makes a key ready for a change in place; returns whether it is there. */
  #openFor(database: number, key: Uint8Array, from: number, to: number, type: ValueType): boolean {
    const view = this.#makeWay(this.#namespaceOf(database), key, from, to);
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

  #namespaceOf(database: number): number {
    const namespace = this.#namespaces[database];
    if (namespace !== undefined) return namespace;
    if (this.#namespaces === CLOSED) {
      throw new Error('expected an open transaction, it has ended: call begin() for the next one');
    }
    throw new RangeError(`expected a database from 0 to ${DATABASE_COUNT - 1}, got ${database}`);
  }

  #stageDatabases(change: (namespaces: number[]) => void): void {
    if (!this.#mapIsStaged) this.#nextNamespace = this.#databases.nextNamespace;
    const namespaces = [...this.#namespaces];
    change(namespaces);
    this.writer.databases(namespaces, this.#nextNamespace);
    this.#namespaces = namespaces;
    this.#mapIsStaged = true;
  }

  /** The staged state of a key; `undefined`, at no cost, before the first write. */
  #staged(namespace: number, key: Uint8Array, from: number, to: number): StagedKey | undefined {
    if (this.writer.count === 0) return undefined;
    this.#overlay.catchUp(this.writer);
    return this.#overlay.get(namespace, key, from, to);
  }

  /** Redis's rule: a key is gone when its time is before now, not at it. */
  #isAlive(expireAtMs: number): boolean {
    return expireAtMs === 0 || expireAtMs >= this.nowMs;
  }

  #scanCreated(namespace: number, visit: KeyVisitor): void {
    for (const staged of this.#overlay.keysOf(namespace)) {
      if (!staged.exists || !this.#isAlive(staged.expireAtMs)) continue;
      if (this.#store.find(namespace, staged.key, 0, staged.key.length)) continue;
      visit(staged.key, staged);
    }
  }

  #scanCreatedFields(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
    staged: StagedKey,
    visit: FieldVisitor,
  ): void {
    for (const [name, value] of staged.fields) {
      if (!value) continue;
      const field = Buffer.from(name, 'latin1');
      const stored =
        staged.storeFieldsVisible &&
        this.#store.findField(namespace, key, from, to, field, 0, field.length);
      if (!stored) visit(field, value);
    }
  }
}

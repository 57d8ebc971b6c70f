/**
 * The reading half of the transaction: the store, over it what was staged, and nothing whose time has
 * passed. `Transaction` adds the writes.
 *
 * Invariants
 *  1. Views handed out are borrowed from the store or from the overlay, until the next call.
 *  2. A key past its time is absent; a field past its time is absent and not counted; a collection
 *     all of whose fields are past theirs is absent.
 *  3. Before the first write the overlay costs nothing.
 */
import type { Databases } from './effects/databases.js';
import { EffectWriter } from './effects/writer.js';
import { latin1 } from './latin1.js';
import { KEY_BYTES_MAX, SAMPLE_TRIES_MAX } from './limits.js';
import { LiveCollection } from './live-collection.js';
import { isPast, Overlay, type StagedKey } from './overlay.js';
import { sampleLiving } from './sample.js';
import { StagedDatabases } from './staged-databases.js';
import type { FieldVisitor, KeyVisitor, RecordView, Store } from './stores/store.js';

export class TransactionReads {
  nowMs = 0;
  readonly writer: EffectWriter;
  protected readonly namespaces: StagedDatabases;
  readonly #store: Store;
  readonly #overlay: Overlay;
  /** Lent where fields of a collection have ended. */
  readonly #live = new LiveCollection();

  /** `commitBytesMax` is the most that all effects of one commit take, in bytes. */
  constructor(store: Store, databases: Databases, commitBytesMax: number) {
    this.#store = store;
    this.#overlay = new Overlay(store);
    this.writer = new EffectWriter(commitBytesMax);
    this.namespaces = new StagedDatabases(databases, this.writer);
  }

  begin(nowMs: number): void {
    this.nowMs = nowMs;
    this.namespaces.begin();
  }

  /** Forgets what was staged, and the memory it took. */
  end(): void {
    this.writer.reset();
    this.#overlay.reset();
    this.namespaces.end();
  }

  find(database: number, key: Uint8Array, from: number, to: number): RecordView | undefined {
    const namespace = this.namespaceOf(database);
    const view = this.findAny(namespace, key, from, to);
    return view && this.living(namespace, key, from, to, view);
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
    const namespace = this.namespaceOf(database);
    const view = this.findAnyField(namespace, key, keyFrom, keyTo, field, fieldFrom, fieldTo);
    return view && !isPast(view.expireAtMs, this.nowMs) ? view : undefined;
  }

  keyCount(database: number): number {
    const namespace = this.namespaceOf(database);
    this.#overlay.catchUp(this.writer);
    return this.#store.keyCount(namespace) + this.#overlay.keyDelta(namespace);
  }

  expiringCount(database: number): number {
    const namespace = this.namespaceOf(database);
    this.#overlay.catchUp(this.writer);
    return this.#store.expiringCount(namespace) + this.#overlay.expiringDelta(namespace);
  }

  scan(database: number, cursor: number, count: number, visit: KeyVisitor): number {
    const namespace = this.namespaceOf(database);
    this.#overlay.catchUp(this.writer);
    /** Whose fields have to be counted, which takes other looks at the store. */
    const doubtful: Buffer[] = [];
    const show: KeyVisitor = (key, view) => {
      if (isPast(view.expireAtMs, this.nowMs)) return;
      if (isPast(view.fieldsExpireAtMs, this.nowMs)) doubtful.push(Buffer.from(key));
      else visit(key, view);
    };
    const next = this.#store.scan(namespace, cursor, count, (key, stored) => {
      const staged = this.#overlay.get(namespace, key, 0, key.length);
      if (!staged || staged.exists) show(key, staged ?? stored);
    });
    if (next === 0)
      for (const staged of this.#overlay.createdKeys(namespace)) show(staged.key, staged);
    for (const key of doubtful) {
      const view = this.find(database, key, 0, key.length);
      if (view) visit(key, view);
    }
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
    const namespace = this.namespaceOf(database);
    const staged = this.staged(namespace, key, from, to);
    const show: FieldVisitor = (field, value) => {
      if (!isPast(value.expireAtMs, this.nowMs)) visit(field, value);
    };
    if (!staged) return this.#store.scanFields(namespace, key, from, to, cursor, count, show);
    let next = 0;
    if (staged.storeFieldsVisible) {
      next = this.#store.scanFields(namespace, key, from, to, cursor, count, (field, stored) => {
        const name = latin1(field, 0, field.length);
        const view = staged.fields.has(name) ? staged.fields.get(name) : stored;
        if (view) show(field, view);
      });
    }
    if (next === 0) {
      for (const [field, value] of this.#overlay.createdFields(namespace, staged))
        show(field, value);
    }
    return next;
  }

  sampleKey(database: number, random: number, visit: KeyVisitor): boolean {
    const namespace = this.namespaceOf(database);
    this.#overlay.catchUp(this.writer);
    return sampleLiving(
      random,
      (number, found) => this.#store.sampleKey(namespace, number, found),
      (key) => this.find(database, key, 0, key.length),
      (cursor, found) => this.scan(database, cursor, SAMPLE_TRIES_MAX, found),
      [...this.#overlay.createdKeys(namespace)].map(({ key }) => key),
      this.#store.keyCount(namespace),
      visit,
    );
  }

  sampleField(
    database: number,
    key: Uint8Array,
    from: number,
    to: number,
    random: number,
    visit: FieldVisitor,
  ): boolean {
    if (!this.find(database, key, from, to)) return false;
    const namespace = this.namespaceOf(database);
    const staged = this.staged(namespace, key, from, to);
    const created = staged ? [...this.#overlay.createdFields(namespace, staged)] : [];
    const inStore = staged && !staged.storeFieldsVisible ? 0 : 1;
    return sampleLiving(
      random,
      (number, found) => this.#store.sampleField(namespace, key, from, to, number, found),
      (field) => this.findField(database, key, from, to, field, 0, field.length),
      (cursor, found) => this.scanFields(database, key, from, to, cursor, SAMPLE_TRIES_MAX, found),
      created.map(([field]) => field),
      inStore && (this.#store.find(namespace, key, from, to)?.length ?? 0),
      visit,
    );
  }

  /**
   * `view` of a key as far as it lives: nothing past its time, and nothing where all its fields are;
   * a view without those that have ended where some are.
   */
  protected living(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
    view: RecordView,
  ): RecordView | undefined {
    if (isPast(view.expireAtMs, this.nowMs)) return undefined;
    if (!isPast(view.fieldsExpireAtMs, this.nowMs)) return view;
    const live = this.#live;
    live.take(view);
    const staged = this.staged(namespace, key, from, to);
    live.length -= staged
      ? this.#overlay.countExpiredFields(namespace, staged, this.nowMs)
      : this.#store.countExpiredFields(namespace, key, from, to, this.nowMs);
    return live.length === 0 ? undefined : live;
  }

  /** The field, past its time or not. */
  protected findAnyField(
    namespace: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
  ): RecordView | undefined {
    if (fieldTo - fieldFrom > KEY_BYTES_MAX) return undefined;
    const staged = this.staged(namespace, key, keyFrom, keyTo);
    if (staged) {
      const name = latin1(field, fieldFrom, fieldTo);
      if (staged.fields.has(name)) return staged.fields.get(name);
      if (!staged.storeFieldsVisible) return undefined;
    }
    return this.#store.findField(namespace, key, keyFrom, keyTo, field, fieldFrom, fieldTo);
  }

  /** The key, past its time or not. */
  protected findAny(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
  ): RecordView | undefined {
    if (to - from > KEY_BYTES_MAX) return undefined;
    const staged = this.staged(namespace, key, from, to);
    if (staged) return staged.exists ? staged : undefined;
    return this.#store.find(namespace, key, from, to);
  }

  protected namespaceOf(database: number): number {
    return this.namespaces.namespaceOf(database);
  }

  /** The staged state of a key; `undefined`, at no cost, before the first write. */
  protected staged(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
  ): StagedKey | undefined {
    if (this.writer.count === 0) return undefined;
    this.#overlay.catchUp(this.writer);
    return this.#overlay.get(namespace, key, from, to);
  }
}

/**
 * The default store: Dash tables in one region of memory outside V8's heap (`tables.ts` says which).
 *
 *     find        one search, no allocation: the view shows the record where it lies
 *     putString   one search, one copy of key and value
 *     patch       of a value above 64 KiB only the pieces that change, and their list
 *
 * Everything is in memory, so `prepare` never waits. What could fail for lack of memory is refused by
 * `reserve` before it is logged (R7).
 *
 * Invariants
 *  1. The region holds the state; what is beside it (times, in order) can be gathered from it again.
 *  2. Views show records by address: any write ends them.
 *
 * Concurrency: the thread that opened the region.
 */
import type { Region } from '@nendb/pmem';
import { GATHER_STEP_RECORDS, PACKED_FIELDS_MAX } from '../../limits.js';
import type {
  ExpiredFieldVisitor,
  FieldVisitor,
  KeyVisitor,
  RecordView,
  Store,
  StoreImage,
  StoreUsage,
  ValueType,
} from '../store.js';
import { Admission } from './admission.js';
import { scanExpiredFields, scanExpiredKeys } from './expired.js';
import { KIND_MASK, KIND_NESTED, KIND_STRING } from './format.js';
import { gatherTimes } from './gather.js';
import { Hashes } from './hashes.js';
import { DashStoreImage } from './image.js';
import type { Namespace } from './namespace.js';
import { keyOf } from './record-bytes.js';
import { RegionMarks } from './region-marks.js';
import { usageOf } from './region-usage.js';
import { Tables } from './tables.js';
import { PackedFieldView, TableView } from './views.js';

export interface DashStoreOptions {
  /** Fields up to which a hash is packed into one record: at most 128, the default. */
  packedFieldsMax?: number;
  /** Bytes of a chunk of records: a power of two from 2 KiB to 1 MiB. By the region's size. */
  chunkBytes?: number;
}

export class DashStore implements Store {
  readonly kind = 'dash';
  readonly alwaysReady = true;
  readonly #region: Region;
  readonly #tables: Tables;
  readonly #hashes: Hashes;
  readonly #admission: Admission;
  readonly #keyView: TableView;
  readonly #fieldView: TableView;
  readonly #packedView = new PackedFieldView();
  /** The namespace asked for last. */
  #last: Namespace | undefined;
  #image: DashStoreImage | undefined;

  /** Of a region that outlives the process; see `Store.marks`. */
  readonly marks: RegionMarks | undefined;

  /** On an empty region, or on one that a store was in before. Throws `PmemError`, `DashError`. */
  constructor(region: Region, options: DashStoreOptions = {}) {
    this.#region = region;
    this.marks = region.caps.durable === 'none' ? undefined : new RegionMarks(region.meta);
    this.#tables = new Tables(region, options.chunkBytes);
    this.#hashes = new Hashes(this.#tables, options.packedFieldsMax ?? PACKED_FIELDS_MAX);
    this.#keyView = new TableView(this.#tables.records);
    this.#fieldView = new TableView(this.#tables.records);
    this.#admission = new Admission(region, {
      string: (namespace, key, from, to) => {
        const record = this.#namespace(namespace)?.keys.find(key, from, to) ?? 0;
        return record === 0 ? 0 : this.#tables.records.valueBytes(record);
      },
      field: ({ namespace, bytes, keyFrom, keyTo, fieldFrom, fieldTo }) =>
        this.findField(namespace, bytes, keyFrom, keyTo, bytes, fieldFrom, fieldTo)?.length ?? 0,
    });
  }

  /** The map of databases that the region has, `undefined` where it never changed. */
  get databases(): { namespaces: number[]; nextNamespace: number } | undefined {
    return this.#tables.databases;
  }

  prepare(): true {
    return true;
  }

  find(namespace: number, key: Uint8Array, from: number, to: number): RecordView | undefined {
    const space = this.#namespace(namespace);
    if (space === undefined) return undefined;
    const record = space.keys.find(key, from, to);
    return record === 0 ? undefined : this.#show(space, record, this.#keyView);
  }

  findField(
    namespace: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
  ): RecordView | undefined {
    const record = this.#namespace(namespace)?.keys.find(key, keyFrom, keyTo) ?? 0;
    if (record === 0) return undefined;
    const kind = this.#tables.records.flags(record) & KIND_MASK;
    if (kind === KIND_STRING) return undefined;
    if (kind === KIND_NESTED) {
      const found = this.#tables.nestedAt(record)?.find(field, fieldFrom, fieldTo) ?? 0;
      return found === 0 ? undefined : this.#fieldView.showString(found);
    }
    const packed = this.#hashes.packed(record);
    return packed.seek(field, fieldFrom, fieldTo) ? this.#packedView.show(packed) : undefined;
  }

  keyCount(namespace: number): number {
    return this.#namespace(namespace)?.keys.size ?? 0;
  }

  expiringCount(namespace: number): number {
    return this.#gathered(namespace)?.expiring.size ?? 0;
  }

  fieldExpiringCount(namespace: number): number {
    return this.#gathered(namespace)?.deadlines.size ?? 0;
  }

  countExpiredFields(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
    nowMs: number,
  ): number {
    const space = this.#namespace(namespace);
    const record = space?.keys.find(key, from, to) ?? 0;
    return space === undefined || record === 0 ? 0 : this.#hashes.countBefore(space, record, nowMs);
  }

  scan(namespace: number, cursor: number, count: number, visit: KeyVisitor): number {
    const space = this.#namespace(namespace);
    if (space === undefined) return 0;
    const view = new TableView(this.#tables.records);
    return space.keys.scan(cursor, count, (record) =>
      visit(keyOf(this.#tables.records, record), this.#show(space, record, view)),
    );
  }

  scanFields(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
    cursor: number,
    count: number,
    visit: FieldVisitor,
  ): number {
    const record = this.#namespace(namespace)?.keys.find(key, from, to) ?? 0;
    return record === 0 ? 0 : this.#hashes.scan(record, cursor, count, visit);
  }

  scanExpired(
    namespace: number,
    nowMs: number,
    count: number,
    stepsMax: number,
    visit: KeyVisitor,
  ): number {
    const space = this.#namespace(namespace);
    if (space === undefined) return 0;
    gatherTimes(space, this.#tables.records, this.#hashes, GATHER_STEP_RECORDS);
    const view = new TableView(this.#tables.records);
    return scanExpiredKeys(space, this.#tables.records, nowMs, count, stepsMax, (record) =>
      visit(keyOf(this.#tables.records, record), this.#show(space, record, view)),
    );
  }

  scanExpiredFields(
    namespace: number,
    nowMs: number,
    count: number,
    stepsMax: number,
    visit: ExpiredFieldVisitor,
  ): number {
    const space = this.#namespace(namespace);
    if (space === undefined) return 0;
    gatherTimes(space, this.#tables.records, this.#hashes, GATHER_STEP_RECORDS);
    return scanExpiredFields(space, this.#tables, this.#hashes, nowMs, count, stepsMax, visit);
  }

  sampleKey(namespace: number, random: number, visit: KeyVisitor): boolean {
    const space = this.#namespace(namespace);
    const record = space?.keys.sample(random) ?? 0;
    if (space === undefined || record === 0) return false;
    visit(keyOf(this.#tables.records, record), this.#show(space, record, this.#keyView));
    return true;
  }

  sampleField(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
    random: number,
    visit: FieldVisitor,
  ): boolean {
    const record = this.#namespace(namespace)?.keys.find(key, from, to) ?? 0;
    return record !== 0 && this.#hashes.sample(record, random, visit);
  }

  admits(bytes: Uint8Array, from: number, to: number): boolean {
    return this.#admission.admits(bytes, from, to, this.#tables.catalog);
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
    const space = this.#namespace(namespace) ?? this.#tables.make(namespace);
    const { keys } = space;
    const record = keys.find(key, keyFrom, keyTo);
    let oldMs = 0;
    if (record !== 0) {
      oldMs = this.#tables.records.expireAtMs(record);
      if (this.#tables.records.flags(record) !== KIND_STRING) this.#hashes.release(space, record);
    }
    const found = record !== 0;
    keys.putFound(found, key, keyFrom, keyTo, value, valueFrom, valueTo, KIND_STRING, expireAtMs);
    if (oldMs !== expireAtMs) space.moveExpiry(keys.hash, oldMs, expireAtMs);
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
    const space = this.#namespace(namespace) ?? this.#tables.make(namespace);
    const record = space.keys.find(key, keyFrom, keyTo);
    if (record !== 0 && this.#tables.records.flags(record) !== KIND_STRING) {
      this.#removeFound(space, record, key, keyFrom, keyTo);
    }
    space.keys.patch(key, keyFrom, keyTo, at, bytes, bytesFrom, bytesTo, newLength);
  }

  remove(namespace: number, key: Uint8Array, from: number, to: number): void {
    const space = this.#namespace(namespace);
    const record = space?.keys.find(key, from, to) ?? 0;
    if (space !== undefined && record !== 0) this.#removeFound(space, record, key, from, to);
  }

  setExpiry(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
    expireAtMs: number,
  ): void {
    const space = this.#namespace(namespace);
    const record = space?.keys.find(key, from, to) ?? 0;
    if (space === undefined || record === 0) return;
    const { records } = this.#tables;
    const oldMs = records.expireAtMs(record);
    if (oldMs === expireAtMs) return;
    space.moveExpiry(space.keys.hash, oldMs, expireAtMs);
    space.keys.remark(key, from, to, records.flags(record), expireAtMs);
  }

  putField(
    namespace: number,
    _type: ValueType,
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
    const space = this.#namespace(namespace) ?? this.#tables.make(namespace);
    const record = space.keys.find(key, keyFrom, keyTo);
    this.#hashes.put(
      space,
      record,
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
    const space = this.#namespace(namespace);
    const record = space?.keys.find(key, keyFrom, keyTo) ?? 0;
    if (space === undefined || !this.#isHash(record)) return;
    this.#hashes.setExpiry(
      space,
      record,
      key,
      keyFrom,
      keyTo,
      field,
      fieldFrom,
      fieldTo,
      expireAtMs,
    );
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
    const space = this.#namespace(namespace);
    const record = space?.keys.find(key, keyFrom, keyTo) ?? 0;
    if (space === undefined || !this.#isHash(record)) return;
    if (this.#hashes.remove(space, record, key, keyFrom, keyTo, field, fieldFrom, fieldTo)) {
      this.#removeFound(space, record, key, keyFrom, keyTo);
    }
  }

  retainNamespaces(namespaces: readonly number[], nextNamespace = 0): void {
    const kept = new Set(namespaces);
    this.#tables.keepDatabases(namespaces, nextNamespace);
    for (const namespace of [...this.#tables.namespaces.values()]) {
      if (!kept.has(namespace.id)) this.#tables.condemn(namespace);
    }
    this.#last = undefined;
  }

  reclaim(stepsMax: number): boolean {
    const more = this.#tables.reclaim(stepsMax);
    for (const namespace of this.#tables.namespaces.values()) {
      if (namespace.isGathered) continue;
      gatherTimes(namespace, this.#tables.records, this.#hashes, stepsMax);
      return true;
    }
    return more;
  }

  image(): StoreImage {
    if (this.#image) throw new Error('expected one image at a time, another is being read');
    this.#image = new DashStoreImage(this.#tables, () => {
      this.#image = undefined;
    });
    return this.#image;
  }

  usage(): StoreUsage {
    let keys = 0;
    let bytes = this.#tables.space.usedBytes;
    for (const namespace of this.#tables.namespaces.values()) {
      keys += namespace.keys.size;
      bytes += namespace.indexBytes;
    }
    return { keys, bytes, imageBytes: this.#image?.bytes ?? 0, region: usageOf(this.#tables) };
  }

  async close(): Promise<void> {
    this.#image?.release();
    this.#tables.space.close();
    await this.#region.close();
  }

  /** The namespace, if anything was ever written to it. */
  #namespace(id: number): Namespace | undefined {
    if (this.#last?.id === id) return this.#last;
    const found = this.#tables.namespaces.get(id);
    if (found !== undefined) this.#last = found;
    return found;
  }

  /** The same, with all its times. */
  #gathered(id: number): Namespace | undefined {
    const namespace = this.#namespace(id);
    if (namespace === undefined) return undefined;
    const { records } = this.#tables;
    while (!gatherTimes(namespace, records, this.#hashes, GATHER_STEP_RECORDS));
    return namespace;
  }

  #isHash(record: number): boolean {
    return record !== 0 && (this.#tables.records.flags(record) & KIND_MASK) !== KIND_STRING;
  }

  #show(space: Namespace, record: number, view: TableView): TableView {
    if (this.#tables.records.flags(record) === KIND_STRING) return view.showString(record);
    const soonestMs = this.#hashes.soonestMs(space, record);
    return view.showHash(record, this.#hashes.count(record), soonestMs);
  }

  /** Removes the key that was just looked for. */
  #removeFound(space: Namespace, record: number, key: Uint8Array, from: number, to: number): void {
    const { records } = this.#tables;
    const expireAtMs = records.expireAtMs(record);
    if (expireAtMs !== 0) space.moveExpiry(space.keys.hash, expireAtMs, 0);
    if (records.flags(record) !== KIND_STRING) this.#hashes.release(space, record);
    space.keys.remove(key, from, to);
  }
}

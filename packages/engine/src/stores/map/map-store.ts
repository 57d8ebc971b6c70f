/**
 * The reference store: JavaScript maps on the heap, no tricks. What the other stores must equal.
 *
 * Everything is in memory, so `prepare` never waits. Names are strings of one character a byte
 * (latin1), which keeps every byte string apart. Old content is replaced, never changed in place,
 * while an image has not passed it (`image.ts`).
 */
import { EffectWriter } from '../../effects/writer.js';
import { latin1 } from '../../latin1.js';
import { IMAGE_CHUNK_BYTES_MAX, IMAGE_STEP_ROWS } from '../../limits.js';
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
import { ValueType as Type } from '../store.js';
import { FieldDeadline, FieldRow, KeyRow } from './entry.js';
import { ExpiryQueue } from './expiry-queue.js';
import { MapImage } from './image.js';
import { Table } from './table.js';

/** What a row costs besides its bytes: measured on Node 20 with 1 M entries. */
const ROW_OVERHEAD_BYTES = 350;

class Namespace {
  /** Bytes of all rows, their overhead included. */
  bytes = 0;
  readonly keys = new Table<KeyRow>();
  readonly expiring = new ExpiryQueue<KeyRow>();
  readonly fieldDeadlines = new ExpiryQueue<FieldDeadline>();
}

export class MapStore implements Store {
  readonly kind = 'map';
  readonly alwaysReady = true;
  #namespaces = new Map<number, Namespace>();
  #generation = 0;
  #image: MapImage | undefined;

  prepare(): true {
    return true;
  }

  find(namespace: number, key: Uint8Array, from: number, to: number): RecordView | undefined {
    return this.#row(namespace, key, from, to);
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
    const row = this.#row(namespace, key, keyFrom, keyTo);
    if (!row || row.type === Type.string) return undefined;
    return row.fields.get(latin1(field, fieldFrom, fieldTo));
  }

  keyCount(namespace: number): number {
    return this.#namespaces.get(namespace)?.keys.size ?? 0;
  }

  expiringCount(namespace: number): number {
    return this.#namespaces.get(namespace)?.expiring.size ?? 0;
  }

  fieldExpiringCount(namespace: number): number {
    return this.#namespaces.get(namespace)?.fieldDeadlines.size ?? 0;
  }

  countExpiredFields(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
    nowMs: number,
  ): number {
    let expired = 0;
    this.#row(namespace, key, from, to)?.deadline?.fields.visitDue(
      nowMs,
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
      () => expired++,
    );
    return expired;
  }

  scan(namespace: number, cursor: number, count: number, visit: KeyVisitor): number {
    const keys = this.#namespaces.get(namespace)?.keys;
    if (!keys) return 0;
    return keys.walk(cursor, count, (row) => visit(Buffer.from(row.name, 'latin1'), row));
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
    const row = this.#row(namespace, key, from, to);
    if (!row || row.type === Type.string) return 0;
    return row.fields.walk(cursor, count, (field) =>
      visit(Buffer.from(field.name, 'latin1'), field),
    );
  }

  scanExpired(
    namespace: number,
    nowMs: number,
    count: number,
    stepsMax: number,
    visit: KeyVisitor,
  ): number {
    const expiring = this.#namespaces.get(namespace)?.expiring;
    if (!expiring) return 0;
    return expiring.visitDue(nowMs, count, stepsMax, (row) =>
      visit(Buffer.from(row.name, 'latin1'), row),
    );
  }

  scanExpiredFields(
    namespace: number,
    nowMs: number,
    count: number,
    stepsMax: number,
    visit: ExpiredFieldVisitor,
  ): number {
    const deadlines = this.#namespaces.get(namespace)?.fieldDeadlines;
    if (!deadlines) return 0;
    let visited = 0;
    let steps = 0;
    deadlines.visitDue(nowMs, count, stepsMax, ({ row, fields }) => {
      if (visited >= count || steps >= stepsMax) return;
      const key = Buffer.from(row.name, 'latin1');
      steps += fields.visitDue(nowMs, count - visited, stepsMax - steps, (field) => {
        visited++;
        visit(key, Buffer.from(field.name, 'latin1'));
      });
    });
    return steps;
  }

  sampleKey(namespace: number, random: number, visit: KeyVisitor): boolean {
    const row = this.#namespaces.get(namespace)?.keys.sample(random);
    if (row) visit(Buffer.from(row.name, 'latin1'), row);
    return row !== undefined;
  }

  sampleField(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
    random: number,
    visit: FieldVisitor,
  ): boolean {
    const row = this.#row(namespace, key, from, to);
    if (!row || row.type === Type.string) return false;
    const field = row.fields.sample(random);
    if (field) visit(Buffer.from(field.name, 'latin1'), field);
    return field !== undefined;
  }

  /** V8's heap is its bound: nothing is known before it is reached. */
  admits(): true {
    return true;
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
    const space = this.#space(namespace);
    const name = latin1(key, keyFrom, keyTo);
    const bytes = copyOf(value, valueFrom, valueTo);
    let row = space.keys.get(name);
    if (row && row.type !== Type.string) {
      this.#removeRow(namespace, space, row);
      row = undefined;
    }
    if (row) {
      this.#image?.preserveKey(namespace, row);
      const content = row.string;
      resize(space, row, bytes.length - content.length);
      content.buffer = bytes;
      content.length = bytes.length;
    } else {
      row = KeyRow.string(name, bytes, this.#generation);
      this.#addRow(space, row);
    }
    space.expiring.set(row, expireAtMs);
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
    const space = this.#space(namespace);
    const name = latin1(key, keyFrom, keyTo);
    let row = space.keys.get(name);
    if (row && row.type !== Type.string) {
      this.#removeRow(namespace, space, row);
      row = undefined;
    }
    if (!row) {
      row = KeyRow.string(name, Buffer.alloc(0), this.#generation);
      this.#addRow(space, row);
    }
    const retained = this.#image !== undefined && row.generation !== this.#image.generation;
    this.#image?.preserveKey(namespace, row);
    const content = row.string;
    const oldLength = content.length;
    if (retained || newLength > content.buffer.length) {
      const capacity = newLength > oldLength ? Math.max(newLength, oldLength * 2) : newLength;
      const grown = Buffer.alloc(capacity);
      content.buffer.copy(grown, 0, 0, Math.min(oldLength, newLength));
      content.buffer = grown;
    } else if (newLength > oldLength) {
      content.buffer.fill(0, oldLength, newLength);
    }
    content.length = newLength;
    content.buffer.set(bytes.subarray(bytesFrom, bytesTo), at);
    resize(space, row, newLength - oldLength);
  }

  remove(namespace: number, key: Uint8Array, from: number, to: number): void {
    const space = this.#namespaces.get(namespace);
    const row = space?.keys.get(latin1(key, from, to));
    if (space && row) this.#removeRow(namespace, space, row);
  }

  setExpiry(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
    expireAtMs: number,
  ): void {
    const space = this.#namespaces.get(namespace);
    const row = space?.keys.get(latin1(key, from, to));
    if (!space || !row) return;
    this.#image?.preserveKey(namespace, row);
    space.expiring.set(row, expireAtMs);
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
    const space = this.#space(namespace);
    const name = latin1(key, keyFrom, keyTo);
    let row = space.keys.get(name);
    if (row && row.type !== type) {
      this.#removeRow(namespace, space, row);
      row = undefined;
    }
    if (!row) {
      row = KeyRow.collection(name, type, this.#generation);
      this.#addRow(space, row);
    }
    this.#image?.preserveKey(namespace, row);
    const fieldName = latin1(field, fieldFrom, fieldTo);
    const bytes = copyOf(value, valueFrom, valueTo);
    const old = row.fields.get(fieldName);
    if (old) {
      this.#image?.preserveField(row, old);
      resize(space, row, bytes.length - old.length);
      old.value = bytes;
      if (old.expireAtMs !== 0) setFieldExpiry(space, row, old, 0);
    } else {
      row.fields.add(new FieldRow(fieldName, bytes, this.#generation));
      resize(space, row, ROW_OVERHEAD_BYTES + fieldName.length + bytes.length);
    }
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
    const space = this.#namespaces.get(namespace);
    const row = space?.keys.get(latin1(key, keyFrom, keyTo));
    if (!space || !row || row.type === Type.string) return;
    const found = row.fields.get(latin1(field, fieldFrom, fieldTo));
    if (!found) return;
    this.#image?.preserveKey(namespace, row);
    this.#image?.preserveField(row, found);
    setFieldExpiry(space, row, found, expireAtMs);
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
    const space = this.#namespaces.get(namespace);
    const row = space?.keys.get(latin1(key, keyFrom, keyTo));
    if (!space || !row || row.type === Type.string) return;
    const old = row.fields.get(latin1(field, fieldFrom, fieldTo));
    if (!old) return;
    if (row.fields.size === 1) {
      this.#removeRow(namespace, space, row);
      return;
    }
    this.#image?.preserveKey(namespace, row);
    this.#image?.preserveField(row, old);
    setFieldExpiry(space, row, old, 0);
    row.fields.remove(old);
    resize(space, row, -(ROW_OVERHEAD_BYTES + old.name.length + old.length));
  }

  retainNamespaces(namespaces: readonly number[]): void {
    const kept = new Set(namespaces);
    for (const namespace of this.#namespaces.keys()) {
      if (!kept.has(namespace)) this.#namespaces.delete(namespace);
    }
  }

  /** What `retainNamespaces` let go of is the garbage collector's: there is nothing to step through. */
  reclaim(): boolean {
    return false;
  }

  image(): StoreImage {
    if (this.#image) throw new Error('expected one image at a time, another is being read');
    const spaces = new Map(
      [...this.#namespaces].map(([namespace, space]) => [namespace, space.keys]),
    );
    this.#generation++;
    const image = new MapImage(this.#generation, spaces);
    this.#image = image;
    const writer = new EffectWriter(IMAGE_CHUNK_BYTES_MAX);
    return {
      next: (bytesMax) => {
        writer.reset();
        const more = image.emit(writer, bytesMax, IMAGE_STEP_ROWS);
        return more || writer.length > 0 ? writer.bytes.subarray(0, writer.length) : undefined;
      },
      release: () => {
        if (this.#image === image) this.#image = undefined;
      },
    };
  }

  usage(): StoreUsage {
    let keys = 0;
    let bytes = 0;
    for (const space of this.#namespaces.values()) {
      keys += space.keys.size;
      bytes += space.bytes;
    }
    return { keys, bytes, imageBytes: this.#image?.preservedBytes ?? 0 };
  }

  close(): void {
    this.#namespaces = new Map();
    this.#image = undefined;
  }

  #row(namespace: number, key: Uint8Array, from: number, to: number): KeyRow | undefined {
    return this.#namespaces.get(namespace)?.keys.get(latin1(key, from, to));
  }

  #space(namespace: number): Namespace {
    let space = this.#namespaces.get(namespace);
    if (!space) {
      space = new Namespace();
      this.#namespaces.set(namespace, space);
    }
    return space;
  }

  #addRow(space: Namespace, row: KeyRow): void {
    space.keys.add(row);
    const contentBytes = row.type === Type.string ? row.length : 0;
    resize(space, row, ROW_OVERHEAD_BYTES + row.name.length + contentBytes);
  }

  #removeRow(namespace: number, space: Namespace, row: KeyRow): void {
    this.#image?.preserveKey(namespace, row);
    space.keys.remove(row);
    space.expiring.remove(row);
    if (row.deadline) space.fieldDeadlines.remove(row.deadline);
    space.bytes -= row.heapBytes;
  }
}

/** Keeps the collection's place among those with fields that end. */
function setFieldExpiry(space: Namespace, row: KeyRow, field: FieldRow, expireAtMs: number): void {
  if (row.deadline === undefined) {
    if (expireAtMs === 0) return;
    row.deadline = new FieldDeadline(row);
  }
  row.deadline.fields.set(field, expireAtMs);
  space.fieldDeadlines.set(row.deadline, row.deadline.fields.soonestMs);
}

function resize(space: Namespace, row: KeyRow, bytes: number): void {
  row.heapBytes += bytes;
  space.bytes += bytes;
}

/** A copy outside any pool, so that a small value never keeps a large slab alive. */
function copyOf(bytes: Uint8Array, from: number, to: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(to - from);
  copy.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to));
  return copy;
}

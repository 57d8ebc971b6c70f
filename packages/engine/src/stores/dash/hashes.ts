/**
 * Hashes: packed into the key's own record while they are small, a table of their own once they are
 * not. The way goes from packed to nested only.
 *
 *     packed   key ─▶ [ fields ]                    a write copies at most 4 KiB
 *     nested   key ─▶ address, serial ─▶ table      a write is a write to a table
 *
 * Invariants
 *  1. Before a key's record is replaced, whatever of its hash is known elsewhere is settled: times in
 *     the indexes, a nested table that it names.
 *  2. What was found in the table of keys stays found (`putFound`) over writes to other tables.
 */
import type { DashTable, RecordReader } from '@nendb/dash-hash';
import { GATHER_STEP_RECORDS } from '../../limits.js';
import type { FieldVisitor } from '../store.js';
import { ExpiryIndex } from './expiry-index.js';
import {
  FLAG_TIMES,
  KIND_MASK,
  KIND_NESTED,
  KIND_PACKED,
  KIND_STRING,
  NESTED_BYTES,
  putU32,
} from './format.js';
import type { Namespace } from './namespace.js';
import { isPackable, PackedFields, PackedWriter, packedCount } from './packed-fields.js';
import { keyOf, RecordBytes } from './record-bytes.js';
import type { Tables } from './tables.js';
import { PackedFieldView, TableView } from './views.js';

const NO_TIMES = new ExpiryIndex();

export class Hashes {
  readonly #tables: Tables;
  readonly #records: RecordReader;
  readonly #body: RecordBytes;
  readonly #packed = new PackedFields();
  readonly #writer: PackedWriter;
  readonly #ref = Buffer.alloc(NESTED_BYTES);

  /** `packedFieldsMax`: a hash with more fields is nested. */
  constructor(tables: Tables, packedFieldsMax: number) {
    this.#tables = tables;
    this.#writer = new PackedWriter(packedFieldsMax);
    this.#records = tables.records;
    this.#body = new RecordBytes(tables.records);
  }

  /** The fields of a packed hash, to be walked. One reused object, unless one is given. */
  packed(record: number, into = this.#packed): PackedFields {
    const body = this.#body;
    body.open(record);
    const hasTimes = (this.#records.flags(record) & FLAG_TIMES) !== 0;
    return into.open(body.bytes, body.valueFrom, body.valueTo, hasTimes);
  }

  /** How many fields the key's hash has. */
  count(record: number): number {
    if (this.#isNested(record)) return this.#tables.nestedAt(record)?.size ?? 0;
    const body = this.#body;
    body.open(record);
    return packedCount(body.bytes, body.valueFrom);
  }

  /** When the first field of the key's hash ends; 0 where none does. */
  soonestMs(namespace: Namespace, record: number): number {
    if ((this.#records.flags(record) & FLAG_TIMES) === 0) return 0;
    if (this.#isNested(record)) return this.times(namespace, record).soonestMs;
    return this.packed(record).soonestMs;
  }

  /** Fields of the key's hash that end before `nowMs`. */
  countBefore(namespace: Namespace, record: number, nowMs: number): number {
    if ((this.#records.flags(record) & FLAG_TIMES) === 0) return 0;
    if (this.#isNested(record)) return this.times(namespace, record).countBefore(nowMs);
    return this.packed(record).countBefore(nowMs);
  }

  /** When the fields of a nested hash end; gathered at the first look after the region was opened. */
  times(namespace: Namespace, record: number): ExpiryIndex {
    if ((this.#records.flags(record) & FLAG_TIMES) === 0) return NO_TIMES;
    const serial = this.#tables.serialAt(record);
    let times = namespace.fieldTimes.get(serial);
    if (times === undefined) {
      times = new ExpiryIndex();
      namespace.fieldTimes.set(serial, times);
      const nested = this.#tables.nestedAt(record);
      if (nested !== undefined) gather(nested, times);
    }
    return times;
  }

  /** Sets a field. `record` is what was just looked for in the keys: 0 where the key is missing. */
  put(
    namespace: Namespace,
    record: number,
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
    const { keys } = namespace;
    const { hash } = keys;
    const flags = record === 0 ? KIND_STRING : this.#records.flags(record);
    const kind = flags & KIND_MASK;
    if (kind === KIND_NESTED) {
      const nested = this.#tables.nestedAt(record);
      if (nested !== undefined) {
        const times = this.times(namespace, record);
        const old = nested.find(field, fieldFrom, fieldTo);
        const oldMs = old === 0 ? 0 : this.#records.expireAtMs(old);
        const fieldHash = nested.hash;
        nested.putFound(old !== 0, field, fieldFrom, fieldTo, value, valueFrom, valueTo, 0, 0);
        if (oldMs !== 0) {
          this.#moveTime(namespace, times, hash, fieldHash, oldMs, 0, key, keyFrom, keyTo);
        }
        return;
      }
    }
    const writer = this.#writer;
    let expireAtMs = 0;
    let oldSoonestMs = 0;
    if (kind === KIND_PACKED) {
      const packed = this.packed(record);
      oldSoonestMs = packed.soonestMs;
      expireAtMs = this.#records.expireAtMs(record);
      if (packed.seek(field, fieldFrom, fieldTo)) writer.copyWithout(packed);
      else writer.copy(packed);
    } else {
      if (record !== 0) namespace.moveExpiry(hash, this.#records.expireAtMs(record), 0);
      writer.begin();
    }
    const packable = isPackable(fieldTo - fieldFrom, valueTo - valueFrom);
    if (packable) writer.add(field, fieldFrom, fieldTo, value, valueFrom, valueTo, 0);
    writer.finish();
    namespace.moveDeadline(hash, oldSoonestMs, writer.soonestMs);
    if (packable && writer.fits) {
      this.#putPacked(namespace, record !== 0, key, keyFrom, keyTo, expireAtMs);
      return;
    }
    const ref = this.#ref;
    const nested = this.#nest(namespace, key, keyFrom, keyTo);
    if (!packable) {
      nested.put(field, fieldFrom, fieldTo, value, valueFrom, valueTo, 0, 0);
    }
    const newFlags = KIND_NESTED | (writer.soonestMs === 0 ? 0 : FLAG_TIMES);
    const found = record !== 0;
    keys.putFound(found, key, keyFrom, keyTo, ref, 0, NESTED_BYTES, newFlags, expireAtMs);
  }

  /** Sets the time at which a field ends, if the key's hash has it. `record` was just looked for. */
  setExpiry(
    namespace: Namespace,
    record: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
    expireAtMs: number,
  ): void {
    const { hash } = namespace.keys;
    if (this.#isNested(record)) {
      const nested = this.#tables.nestedAt(record);
      const old = nested?.find(field, fieldFrom, fieldTo) ?? 0;
      if (nested === undefined || old === 0) return;
      const times = this.#timesToChange(namespace, record);
      const oldMs = this.#records.expireAtMs(old);
      const fieldHash = nested.hash;
      nested.remark(field, fieldFrom, fieldTo, 0, expireAtMs);
      this.#moveTime(namespace, times, hash, fieldHash, oldMs, expireAtMs, key, keyFrom, keyTo);
      return;
    }
    const packed = this.packed(record);
    if (!packed.seek(field, fieldFrom, fieldTo)) return;
    const writer = this.#writer;
    const keyExpireAtMs = this.#records.expireAtMs(record);
    writer.copyWithout(packed);
    const { bytes, nameFrom, nameTo, valueFrom, to } = packed;
    writer.add(bytes, nameFrom, nameTo, bytes, valueFrom, to, expireAtMs);
    writer.finish();
    namespace.moveDeadline(hash, packed.soonestMs, writer.soonestMs);
    if (writer.fits) {
      this.#putPacked(namespace, true, key, keyFrom, keyTo, keyExpireAtMs);
      return;
    }
    this.#nest(namespace, key, keyFrom, keyTo);
    const flags = KIND_NESTED | (writer.soonestMs === 0 ? 0 : FLAG_TIMES);
    namespace.keys.putFound(
      true,
      key,
      keyFrom,
      keyTo,
      this.#ref,
      0,
      NESTED_BYTES,
      flags,
      keyExpireAtMs,
    );
  }

  /**
   * Removes a field. `record` was just looked for. Whether the hash is empty then: the key is to be
   * removed, and nothing was changed.
   */
  remove(
    namespace: Namespace,
    record: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
  ): boolean {
    const { hash } = namespace.keys;
    if (this.#isNested(record)) {
      const nested = this.#tables.nestedAt(record);
      if (nested === undefined) return true;
      const old = nested.find(field, fieldFrom, fieldTo);
      if (old === 0) return nested.size === 0;
      if (nested.size === 1) return true;
      const times = this.times(namespace, record);
      const oldMs = this.#records.expireAtMs(old);
      const fieldHash = nested.hash;
      nested.remove(field, fieldFrom, fieldTo);
      if (oldMs !== 0) {
        this.#moveTime(namespace, times, hash, fieldHash, oldMs, 0, key, keyFrom, keyTo);
      }
      return false;
    }
    const packed = this.packed(record);
    if (!packed.seek(field, fieldFrom, fieldTo)) return false;
    if (packed.count === 1) return true;
    const expireAtMs = this.#records.expireAtMs(record);
    this.#writer.copyWithout(packed);
    this.#writer.finish();
    namespace.moveDeadline(hash, packed.soonestMs, this.#writer.soonestMs);
    this.#putPacked(namespace, true, key, keyFrom, keyTo, expireAtMs);
    return false;
  }

  /** Visits fields: of a packed hash all at once, whatever the cursor. */
  scan(record: number, cursor: number, count: number, visit: FieldVisitor): number {
    if (this.#isNested(record)) {
      const view = new TableView(this.#records);
      const nested = this.#tables.nestedAt(record);
      return (
        nested?.scan(cursor, count, (field) => {
          visit(keyOf(this.#records, field), view.showString(field));
        }) ?? 0
      );
    }
    if (!this.#isPacked(record)) return 0;
    const view = new PackedFieldView();
    const packed = this.packed(record, new PackedFields());
    while (packed.next()) visit(nameOf(packed), view.show(packed));
    return 0;
  }

  /** Visits the field that `random`, from 0 to below 1, falls on. */
  sample(record: number, random: number, visit: FieldVisitor): boolean {
    if (this.#isNested(record)) {
      const field = this.#tables.nestedAt(record)?.sample(random) ?? 0;
      if (field === 0) return false;
      visit(keyOf(this.#records, field), new TableView(this.#records).showString(field));
      return true;
    }
    if (!this.#isPacked(record)) return false;
    const packed = this.packed(record, new PackedFields());
    for (let left = Math.floor(random * packed.count); left >= 0; left--) packed.next();
    visit(nameOf(packed), new PackedFieldView().show(packed));
    return true;
  }

  /** Settles what is known of the key's hash elsewhere: its record is about to go. */
  release(namespace: Namespace, record: number): void {
    namespace.moveDeadline(namespace.keys.hash, this.soonestMs(namespace, record), 0);
    if (this.#isNested(record)) this.#tables.dropNested(namespace, record);
  }

  #isPacked(record: number): boolean {
    return (this.#records.flags(record) & KIND_MASK) === KIND_PACKED;
  }

  #isNested(record: number): boolean {
    return (this.#records.flags(record) & KIND_MASK) === KIND_NESTED;
  }

  /** Makes the key's record what the writer has. */
  #putPacked(
    { keys }: Namespace,
    found: boolean,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    expireAtMs: number,
  ): void {
    const { bytes, length, soonestMs } = this.#writer;
    const flags = KIND_PACKED | (soonestMs === 0 ? 0 : FLAG_TIMES);
    keys.putFound(found, key, keyFrom, keyTo, bytes, 0, length, flags, expireAtMs);
  }

  /** Makes a nested hash of what the writer has; `#ref` names it. */
  #nest(namespace: Namespace, key: Uint8Array, keyFrom: number, keyTo: number): DashTable {
    const { bytes, length, soonestMs } = this.#writer;
    const serial = this.#tables.createNested(namespace, key, keyFrom, keyTo);
    const { nested } = this.#tables;
    const packed = new PackedFields().open(bytes, 0, length, soonestMs !== 0);
    while (packed.next()) {
      const { nameFrom, nameTo, valueFrom, to, expireAtMs } = packed;
      nested.put(bytes, nameFrom, nameTo, bytes, valueFrom, to, 0, expireAtMs);
    }
    if (soonestMs !== 0) {
      const times = new ExpiryIndex();
      namespace.fieldTimes.set(serial, times);
      gather(nested, times);
    }
    putU32(this.#ref, 0, nested.address);
    putU32(this.#ref, 4, serial);
    return nested;
  }

  /** The times of a nested hash, of which one is to change. */
  #timesToChange(namespace: Namespace, record: number): ExpiryIndex {
    const times = this.times(namespace, record);
    if (times !== NO_TIMES) return times;
    const first = new ExpiryIndex();
    namespace.fieldTimes.set(this.#tables.serialAt(record), first);
    return first;
  }

  /** A field of a nested hash ends at another time: the key's own record and place may change. */
  #moveTime(
    namespace: Namespace,
    times: ExpiryIndex,
    hash: number,
    fieldHash: number,
    oldMs: number,
    newMs: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
  ): void {
    const oldSoonestMs = times.soonestMs;
    if (oldMs !== 0) times.delete(oldMs, fieldHash);
    if (newMs !== 0) times.add(newMs, fieldHash);
    namespace.moveDeadline(hash, oldSoonestMs, times.soonestMs);
    const { keys } = namespace;
    const record = keys.find(key, keyFrom, keyTo);
    const flags = KIND_NESTED | (times.size === 0 ? 0 : FLAG_TIMES);
    if (times.size === 0) namespace.fieldTimes.delete(this.#tables.serialAt(record));
    if (this.#records.flags(record) === flags) return;
    keys.remark(key, keyFrom, keyTo, flags, this.#records.expireAtMs(record));
  }
}

/** A copy of the name of the field that is shown. */
export function nameOf({ bytes, nameFrom, nameTo }: PackedFields): Buffer {
  const name = Buffer.allocUnsafe(nameTo - nameFrom);
  for (let i = 0; i < name.length; i++) name[i] = bytes[nameFrom + i];
  return name;
}

/** Adds all fields of a nested hash that end. */
function gather(nested: DashTable, times: ExpiryIndex): void {
  const { records } = nested;
  let cursor = 0;
  do {
    cursor = nested.scan(cursor, GATHER_STEP_RECORDS, (record, hash) => {
      const expireAtMs = records.expireAtMs(record);
      if (expireAtMs !== 0) times.add(expireAtMs, hash);
    });
  } while (cursor !== 0);
}

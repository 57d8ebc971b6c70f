/** Makes the keys of the tree, and takes them apart (layout: `format.ts`). */
import { createHash } from 'node:crypto';
import {
  DIGEST_BYTES,
  FIELD_ENDS,
  FIELDS_BIT,
  KEY_ENDS,
  NAME_AT,
  NAME_BYTES_MAX,
  NAMESPACE_BYTES,
  NAMESPACE_END,
} from './format.js';
import { crc16, slotOf } from './slot.js';

const LENGTH_BYTES = 2;
const TIME_BYTES = 8;
const SLOT_BYTES = 2;
const HASH_BYTES = 2;
const WORD = 0x1_0000_0000;
/** Where the slot and then the names of an end begin. */
const END_SLOT_AT = NAME_AT + TIME_BYTES;
const END_NAME_AT = END_SLOT_AT + SLOT_BYTES;

/** The name that stands for `bytes[from, to)` in keys of the tree: borrowed where it is short. */
export function nameOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const whole = bytes.subarray(from, to);
  if (to - from <= NAME_BYTES_MAX) return whole;
  const digest = createHash('sha256').update(whole).digest();
  return Buffer.concat([whole.subarray(0, NAME_BYTES_MAX), digest]);
}

/** Whether a name is one that was cut: the record holds the whole. */
export function isCut(name: Uint8Array): boolean {
  return name.length === NAME_BYTES_MAX + DIGEST_BYTES;
}

/** Where a namespace begins, or a part of it. */
export function bound(namespace: number, slot: number): Buffer {
  const key = Buffer.allocUnsafe(NAME_AT);
  key.writeUInt32BE(namespace, 0);
  key.writeUInt16BE(slot, NAMESPACE_BYTES);
  return key;
}

/** The range `[from, to)` of everything in a namespace. */
export function namespaceRange(namespace: number): [from: Buffer, to: Buffer] {
  return [bound(namespace, 0), bound(namespace, NAMESPACE_END)];
}

export function recordKey(namespace: number, key: Uint8Array, from: number, to: number): Buffer {
  return named(namespace, slotOf(key, from, to), nameOf(key, from, to));
}

/** What the field records of the key whose record is at `record` begin with. */
export function fieldsPrefix(record: Buffer): Buffer {
  const name = record.length - NAME_AT;
  const prefix = Buffer.allocUnsafe(record.length + LENGTH_BYTES);
  record.copy(prefix, 0, 0, NAME_AT);
  prefix[NAMESPACE_BYTES] |= FIELDS_BIT >> 8;
  prefix.writeUInt16BE(name, NAME_AT);
  record.copy(prefix, NAME_AT + LENGTH_BYTES, NAME_AT);
  return prefix;
}

/** The key of a field's record; `prefix` as `fieldsPrefix` made it. */
export function fieldKey(prefix: Buffer, field: Uint8Array, from: number, to: number): Buffer {
  return fieldKeyOfName(prefix, nameOf(field, from, to));
}

function fieldKeyOfName(prefix: Buffer, name: Uint8Array): Buffer {
  const key = Buffer.allocUnsafe(prefix.length + HASH_BYTES + name.length);
  prefix.copy(key);
  key.writeUInt16BE(crc16(name, 0, name.length), prefix.length);
  key.set(name, prefix.length + HASH_BYTES);
  return key;
}

/** The name in a key record's key. */
export function nameInRecord(key: Uint8Array): Uint8Array {
  return key.subarray(NAME_AT);
}

/** The field's name in a field record's key. */
export function nameInField(key: Uint8Array, prefixBytes: number): Uint8Array {
  return key.subarray(prefixBytes + HASH_BYTES);
}

/** The first key behind all that begin with `prefix`, which is not all 0xff. */
export function behindPrefix(prefix: Buffer): Buffer {
  const behind = Buffer.from(prefix);
  for (let at = behind.length - 1; ; at--) {
    behind[at]++;
    if (behind[at] !== 0) return behind.subarray(0, at + 1);
  }
}

/** Where the ends of a namespace, of keys or of fields, at `atMs` or later begin. */
export function endsFrom(namespace: number, kind: number, atMs: number): Buffer {
  const key = Buffer.allocUnsafe(NAME_AT + TIME_BYTES);
  putHead(key, namespace, kind, atMs);
  return key;
}

/** When the key whose record is at `record` ends. */
export function keyEnd(record: Buffer, atMs: number): Buffer {
  const end = Buffer.allocUnsafe(END_NAME_AT + record.length - NAME_AT);
  putHead(end, record.readUInt32BE(0), KEY_ENDS, atMs);
  record.copy(end, END_SLOT_AT, NAMESPACE_BYTES);
  return end;
}

/** When the field whose record is at `field` ends. */
export function fieldEnd(field: Buffer, prefixBytes: number, atMs: number): Buffer {
  const keyName = prefixBytes - NAMESPACE_BYTES;
  const fieldName = field.length - prefixBytes - HASH_BYTES;
  const end = Buffer.allocUnsafe(END_SLOT_AT + keyName + fieldName);
  putHead(end, field.readUInt32BE(0), FIELD_ENDS, atMs);
  field.copy(end, END_SLOT_AT, NAMESPACE_BYTES, prefixBytes);
  end[END_SLOT_AT] &= ~(FIELDS_BIT >> 8);
  field.copy(end, END_SLOT_AT + keyName, prefixBytes + HASH_BYTES);
  return end;
}

/** The time in a key that `keyEnd` or `fieldEnd` made, in ms since 1970. */
export function timeOfEnd(end: Buffer): number {
  return end.readUInt32BE(NAME_AT) * WORD + end.readUInt32BE(NAME_AT + 4);
}

/** The key of the record that ends. */
export function recordOfKeyEnd(end: Buffer): Buffer {
  return named(end.readUInt32BE(0), end.readUInt16BE(END_SLOT_AT), end.subarray(END_NAME_AT));
}

/** The keys of the records of key and field of which the field ends. */
export function recordsOfFieldEnd(end: Buffer): { record: Buffer; prefix: Buffer; field: Buffer } {
  const nameAt = END_NAME_AT + LENGTH_BYTES;
  const nameTo = nameAt + end.readUInt16BE(END_NAME_AT);
  const record = named(
    end.readUInt32BE(0),
    end.readUInt16BE(END_SLOT_AT),
    end.subarray(nameAt, nameTo),
  );
  const prefix = fieldsPrefix(record);
  return { record, prefix, field: fieldKeyOfName(prefix, end.subarray(nameTo)) };
}

function named(namespace: number, slot: number, name: Uint8Array): Buffer {
  const key = Buffer.allocUnsafe(NAME_AT + name.length);
  key.writeUInt32BE(namespace, 0);
  key.writeUInt16BE(slot, NAMESPACE_BYTES);
  key.set(name, NAME_AT);
  return key;
}

function putHead(target: Buffer, namespace: number, kind: number, atMs: number): void {
  target.writeUInt32BE(namespace, 0);
  target.writeUInt16BE(kind, NAMESPACE_BYTES);
  target.writeUInt32BE(Math.floor(atMs / WORD), NAME_AT);
  target.writeUInt32BE(atMs % WORD, NAME_AT + 4);
}

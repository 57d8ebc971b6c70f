/** Encodes a key's contents (layout: `format.ts`). */
import { crc32 } from 'node:zlib';
import type { RecordView, ValueType } from '@nendb/engine';
import {
  BODY_AT,
  CRC_BYTES,
  DUMP_MAGIC,
  DUMP_VERSION,
  TYPE_AT,
  VARINT_BYTES_MAX,
  VERSION_AT,
} from './format.js';

const BYTES_INITIAL = 256;

export class DumpWriter {
  #bytes = Buffer.alloc(BYTES_INITIAL);
  #length = BODY_AT;

  constructor(type: ValueType) {
    DUMP_MAGIC.copy(this.#bytes);
    this.#bytes[VERSION_AT] = DUMP_VERSION;
    this.#bytes[TYPE_AT] = type;
  }

  string(value: RecordView): void {
    this.#reserve(value.length);
    this.#length = value.copyTo(this.#bytes, this.#length);
  }

  count(fields: number): void {
    this.#reserve(VARINT_BYTES_MAX);
    this.#varint(fields);
  }

  field(field: Uint8Array, value: RecordView): void {
    this.#reserve(3 * VARINT_BYTES_MAX + field.length + value.length);
    this.#varint(field.length);
    this.#bytes.set(field, this.#length);
    this.#length += field.length;
    this.#varint(value.length);
    this.#length = value.copyTo(this.#bytes, this.#length);
    this.#varint(value.expireAtMs);
  }

  /** The payload, whole. */
  finish(): Buffer {
    this.#reserve(CRC_BYTES);
    const end = this.#length;
    this.#bytes.writeUInt32LE(crc32(this.#bytes.subarray(0, end)), end);
    return this.#bytes.subarray(0, end + CRC_BYTES);
  }

  #reserve(more: number): void {
    const need = this.#length + more;
    if (need <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(need + CRC_BYTES, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }
}

/**
 * A small hash in one record: its fields one behind the other (layout: `format.ts`). `PackedFields`
 * walks them where they lie, `PackedWriter` makes the bytes of a changed one.
 *
 * Hot: reading allocates nothing. A look-up is a walk over at most 4 KiB.
 */
import { PACKED_BYTES_MAX, PACKED_NAME_BYTES_MAX, PACKED_VALUE_BYTES_MAX } from '../../limits.js';
import {
  getTime,
  PACKED_COUNT_BYTES,
  PACKED_HEAD_BYTES,
  PACKED_TIME_BIT,
  putTime,
  TIME_BYTES,
} from './format.js';

const FIELD_BYTES_MAX =
  PACKED_HEAD_BYTES + TIME_BYTES + PACKED_NAME_BYTES_MAX + PACKED_VALUE_BYTES_MAX;

/** The number of fields of the packed hash at `at`. */
export function packedCount(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8);
}

/** A walk over the fields: `next()` shows one. */
export class PackedFields {
  bytes: Uint8Array = new Uint8Array(0);
  count = 0;
  /** When the first field ends; 0 where none does. */
  soonestMs = 0;
  /** The field shown, from its head to behind its value. */
  from = 0;
  to = 0;
  nameFrom = 0;
  nameTo = 0;
  valueFrom = 0;
  expireAtMs = 0;
  /** The whole hash, without the first end. */
  #begin = 0;
  #end = 0;

  open(bytes: Uint8Array, from: number, to: number, hasTimes: boolean): this {
    this.bytes = bytes;
    this.count = packedCount(bytes, from);
    this.#begin = from;
    this.#end = hasTimes ? to - TIME_BYTES : to;
    this.soonestMs = hasTimes ? getTime(bytes, this.#end) : 0;
    this.to = from + PACKED_COUNT_BYTES;
    return this;
  }

  get begin(): number {
    return this.#begin;
  }

  get end(): number {
    return this.#end;
  }

  /** Begins again. */
  rewind(): void {
    this.to = this.#begin + PACKED_COUNT_BYTES;
  }

  /** Shows the next field; false behind the last one. */
  next(): boolean {
    const { bytes } = this;
    const at = this.to;
    if (at >= this.#end) return false;
    const head = bytes[at];
    const name = head & ~PACKED_TIME_BIT;
    this.from = at;
    this.nameFrom = at + PACKED_HEAD_BYTES;
    this.expireAtMs = 0;
    if ((head & PACKED_TIME_BIT) !== 0) {
      this.expireAtMs = getTime(bytes, this.nameFrom);
      this.nameFrom += TIME_BYTES;
    }
    this.nameTo = this.nameFrom + name;
    this.valueFrom = this.nameTo;
    this.to = this.valueFrom + bytes[at + 1];
    return true;
  }

  /** Shows the field of that name; false where there is none. */
  seek(field: Uint8Array, from: number, to: number): boolean {
    this.rewind();
    while (this.next()) {
      if (this.nameTo - this.nameFrom !== to - from) continue;
      const { bytes, nameFrom } = this;
      let i = from;
      while (i < to && bytes[nameFrom + i - from] === field[i]) i++;
      if (i === to) return true;
    }
    return false;
  }

  /** How many fields end before `nowMs`. */
  countBefore(nowMs: number): number {
    if (this.soonestMs === 0 || this.soonestMs >= nowMs) return 0;
    let count = 0;
    this.rewind();
    while (this.next()) count += Number(this.expireAtMs !== 0 && this.expireAtMs < nowMs);
    return count;
  }
}

/** The bytes of a packed hash being made: at most one longer than `PACKED_BYTES_MAX` by a field. */
export class PackedWriter {
  readonly bytes = Buffer.alloc(PACKED_BYTES_MAX + FIELD_BYTES_MAX + TIME_BYTES);
  /** Bytes made, with the first end once `finish` was called. */
  length = 0;
  /** When the first field ends; 0 where none does. Known after `finish`. */
  soonestMs = 0;
  readonly #walk = new PackedFields();
  readonly #fieldsMax: number;
  #count = 0;
  #hasTimes = false;

  /** `fieldsMax`: more do not fit. */
  constructor(fieldsMax: number) {
    this.#fieldsMax = fieldsMax;
  }

  /** Begins with no fields. */
  begin(): void {
    this.length = PACKED_COUNT_BYTES;
    this.#count = 0;
    this.#hasTimes = false;
  }

  /** Begins with all fields of `packed`. */
  copy(packed: PackedFields): void {
    this.begin();
    this.#take(packed, packed.begin + PACKED_COUNT_BYTES, packed.end, packed.count);
  }

  /** Begins with all fields of `packed` but the one that it shows. */
  copyWithout(packed: PackedFields): void {
    const { from, to } = packed;
    this.begin();
    this.#take(packed, packed.begin + PACKED_COUNT_BYTES, from, packed.count - 1);
    this.#take(packed, to, packed.end, 0);
  }

  /** Adds a field; names and values are within the limits. `expireAtMs` 0 is never. */
  add(
    name: Uint8Array,
    nameFrom: number,
    nameTo: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
    expireAtMs: number,
  ): void {
    const { bytes } = this;
    let at = this.length;
    bytes[at] = (nameTo - nameFrom) | (expireAtMs === 0 ? 0 : PACKED_TIME_BIT);
    bytes[at + 1] = valueTo - valueFrom;
    at += PACKED_HEAD_BYTES;
    if (expireAtMs !== 0) {
      putTime(bytes, at, expireAtMs);
      at += TIME_BYTES;
      this.#hasTimes = true;
    }
    for (let i = nameFrom; i < nameTo; i++) bytes[at++] = name[i];
    for (let i = valueFrom; i < valueTo; i++) bytes[at++] = value[i];
    this.length = at;
    this.#count++;
  }

  /** Ends: the count, and the first end where there is one. */
  finish(): void {
    const { bytes } = this;
    bytes[0] = this.#count;
    bytes[1] = this.#count >>> 8;
    this.soonestMs = 0;
    if (!this.#hasTimes) return;
    const walk = this.#walk.open(bytes, 0, this.length, false);
    while (walk.next()) {
      const { expireAtMs } = walk;
      if (expireAtMs !== 0 && (this.soonestMs === 0 || expireAtMs < this.soonestMs)) {
        this.soonestMs = expireAtMs;
      }
    }
    if (this.soonestMs === 0) return;
    putTime(bytes, this.length, this.soonestMs);
    this.length += TIME_BYTES;
  }

  /** Whether what was made may be a packed hash. */
  get fits(): boolean {
    return this.#count <= this.#fieldsMax && this.length <= PACKED_BYTES_MAX;
  }

  #take(packed: PackedFields, from: number, to: number, count: number): void {
    this.bytes.set(packed.bytes.subarray(from, to), this.length);
    this.length += to - from;
    this.#count += count;
    this.#hasTimes ||= packed.soonestMs !== 0;
  }
}

/** Whether a field of these lengths may be in a packed hash. */
export function isPackable(nameBytes: number, valueBytes: number): boolean {
  return nameBytes <= PACKED_NAME_BYTES_MAX && valueBytes <= PACKED_VALUE_BYTES_MAX;
}

/**
 * The changes of one commit: what the log keeps of them and an index of what is where.
 *
 *     record   op*
 *     op       kind u8, key length uvarint, key, then by kind
 *              1 delete             -
 *              2 put                value length uvarint, value
 *              3 put that expires   expireAtMs uvarint, value length uvarint, value
 *              4 delete range       lt length uvarint, lt
 *
 * Invariants
 *  1. All changes of a commit have one sequence number; the last one of a key counts. So a (key,
 *     sequence) pair occurs once, and a range deletes what the same batch put before it.
 *  2. A record read back is checked wholly before any of it is applied.
 *
 * Hot: adding and applying make no object; a batch is cleared and used again.
 */
import { FormatError, putUvarint, UVARINT_BYTES_MAX, UvarintReader } from '@nendb/codec';
import { LsmError } from '../errors.js';
import { BATCH_BYTES_MAX, BATCH_OPS_MAX, KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../limits.js';
import { sameBytes } from '../order.js';

/** What a change is. The numbers are in logs. */
export const OpKind = { delete: 1, put: 2, putExpiring: 3, deleteRange: 4 } as const;
export type OpKind = (typeof OpKind)[keyof typeof OpKind];

/** Receives the changes of a batch, each key once. */
export interface BatchTarget {
  put(
    bytes: Uint8Array,
    keyFrom: number,
    keyTo: number,
    valueFrom: number,
    valueTo: number,
    expireAtMs: number,
  ): void;
  delete(bytes: Uint8Array, keyFrom: number, keyTo: number): void;
  /** `[gte, lt)`, borrowed. */
  deleteRange(gte: Uint8Array, lt: Uint8Array): void;
}

const BUFFER_BYTES_MIN = 1024;
/** A larger buffer is given back when the batch is cleared. */
const BUFFER_BYTES_KEPT = 1024 * 1024;
const HASH_SEED = 0x811c9dc5;
const HASH_PRIME = 0x01000193;

export class Batch {
  #buffer = new Uint8Array(BUFFER_BYTES_MIN);
  #length = 0;
  #kinds: number[] = [];
  #keyFrom: number[] = [];
  #keyTo: number[] = [];
  #valueFrom: number[] = [];
  #valueTo: number[] = [];
  #expireAtMs: number[] = [];
  #ranges = 0;
  readonly #reader = new UvarintReader();

  /** The record, valid up to `bytes`. */
  get buffer(): Uint8Array {
    return this.#buffer;
  }

  /** Length of the record, in bytes. */
  get bytes(): number {
    return this.#length;
  }

  /** How many changes there are. */
  get count(): number {
    return this.#kinds.length;
  }

  /** `expireAtMs` in ms since 1970, 0 for never. Throws `LSM_TOO_LARGE`. */
  put(key: Uint8Array, value: Uint8Array, expireAtMs = 0): this {
    checkKey(key);
    checkValue(value);
    this.#room(key.length + value.length);
    let at = this.#begin(expireAtMs === 0 ? OpKind.put : OpKind.putExpiring, key);
    if (expireAtMs !== 0) at = putUvarint(this.#buffer, at, expireAtMs);
    at = putUvarint(this.#buffer, at, value.length);
    this.#buffer.set(value, at);
    this.#end(at, at + value.length, expireAtMs);
    return this;
  }

  delete(key: Uint8Array): this {
    checkKey(key);
    this.#room(key.length);
    const at = this.#begin(OpKind.delete, key);
    this.#end(at, at, 0);
    return this;
  }

  /** Deletes all keys from `gte` on and before `lt`. */
  deleteRange(gte: Uint8Array, lt: Uint8Array): this {
    checkKey(gte);
    checkKey(lt);
    this.#room(gte.length + lt.length);
    let at = this.#begin(OpKind.deleteRange, gte);
    at = putUvarint(this.#buffer, at, lt.length);
    this.#buffer.set(lt, at);
    this.#end(at, at + lt.length, 0);
    this.#ranges++;
    return this;
  }

  /** Forgets all changes. */
  clear(): this {
    if (this.#buffer.length > BUFFER_BYTES_KEPT) this.#buffer = new Uint8Array(BUFFER_BYTES_MIN);
    this.#length = 0;
    this.#ranges = 0;
    this.#kinds.length = 0;
    this.#keyFrom.length = 0;
    this.#keyTo.length = 0;
    this.#valueFrom.length = 0;
    this.#valueTo.length = 0;
    this.#expireAtMs.length = 0;
    return this;
  }

  /** Makes this the batch whose record is `bytes[from, to)`, copied. Throws `FormatError`. */
  load(bytes: Uint8Array, from: number, to: number): void {
    this.clear();
    this.#length = 0;
    this.#grow(to - from);
    this.#buffer.set(bytes.subarray(from, to));
    const end = to - from;
    const reader = this.#reader;
    for (let at = 0; at < end; ) {
      const kind = this.#buffer[at];
      reader.reset(this.#buffer, at + 1, end);
      const keyFrom = this.#take(end);
      const keyTo = reader.offset;
      let expireAtMs = 0;
      let valueFrom = keyTo;
      if (kind === OpKind.putExpiring) expireAtMs = reader.next();
      if (kind === OpKind.put || kind === OpKind.putExpiring || kind === OpKind.deleteRange) {
        valueFrom = this.#take(end);
      } else if (kind !== OpKind.delete) {
        throw new FormatError('FORMAT_TOO_NEW', `expected a known kind of change, got ${kind}`);
      }
      if (kind === OpKind.deleteRange) this.#ranges++;
      this.#kinds.push(kind);
      this.#keyFrom.push(keyFrom);
      this.#keyTo.push(keyTo);
      this.#valueFrom.push(valueFrom);
      this.#valueTo.push(reader.offset);
      this.#expireAtMs.push(expireAtMs);
      at = reader.offset;
    }
    this.#length = end;
  }

  /** Hands every change that counts to `target`. */
  apply(target: BatchTarget): void {
    const count = this.#kinds.length;
    if (count === 1) {
      this.#applyOne(0, this.#kinds[0], target);
      return;
    }
    const last = this.#lastOfEachKey();
    for (let i = 0; i < count; i++) {
      if (this.#kinds[i] === OpKind.deleteRange) {
        this.#applyOne(i, OpKind.deleteRange, target);
      } else if (last[i] === 1) {
        const kind = this.#ranges > 0 && this.#isDeletedLater(i) ? OpKind.delete : this.#kinds[i];
        this.#applyOne(i, kind, target);
      }
    }
  }

  #applyOne(i: number, kind: number, target: BatchTarget): void {
    const buffer = this.#buffer;
    if (kind === OpKind.delete) {
      target.delete(buffer, this.#keyFrom[i], this.#keyTo[i]);
    } else if (kind === OpKind.deleteRange) {
      const gte = buffer.subarray(this.#keyFrom[i], this.#keyTo[i]);
      target.deleteRange(gte, buffer.subarray(this.#valueFrom[i], this.#valueTo[i]));
    } else {
      target.put(
        buffer,
        this.#keyFrom[i],
        this.#keyTo[i],
        this.#valueFrom[i],
        this.#valueTo[i],
        this.#expireAtMs[i],
      );
    }
  }

  /** 1 for each point change that no later one of the same key replaces. */
  #lastOfEachKey(): Uint8Array {
    const count = this.#kinds.length;
    const last = new Uint8Array(count);
    let slots = 4;
    while (slots < count * 2) slots *= 2;
    const table = new Int32Array(slots).fill(-1);
    for (let i = count - 1; i >= 0; i--) {
      if (this.#kinds[i] === OpKind.deleteRange) continue;
      let slot = this.#hash(i) & (slots - 1);
      while (table[slot] >= 0 && !this.#sameKey(table[slot], i)) slot = (slot + 1) & (slots - 1);
      if (table[slot] >= 0) continue;
      table[slot] = i;
      last[i] = 1;
    }
    return last;
  }

  #hash(i: number): number {
    const to = this.#keyTo[i];
    let hash = HASH_SEED;
    for (let at = this.#keyFrom[i]; at < to; at++) {
      hash = Math.imul(hash ^ this.#buffer[at], HASH_PRIME);
    }
    return hash ^ (hash >>> 15);
  }

  #sameKey(a: number, b: number): boolean {
    return sameBytes(
      this.#buffer,
      this.#keyFrom[a],
      this.#keyTo[a],
      this.#buffer,
      this.#keyFrom[b],
      this.#keyTo[b],
    );
  }

  /** Whether a range of this batch that comes later covers the key of change `i`. */
  #isDeletedLater(i: number): boolean {
    const key = Buffer.from(
      this.#buffer.buffer,
      this.#keyFrom[i],
      this.#keyTo[i] - this.#keyFrom[i],
    );
    for (let later = i + 1; later < this.#kinds.length; later++) {
      if (this.#kinds[later] !== OpKind.deleteRange) continue;
      const gte = this.#buffer.subarray(this.#keyFrom[later], this.#keyTo[later]);
      const lt = this.#buffer.subarray(this.#valueFrom[later], this.#valueTo[later]);
      if (key.compare(gte) >= 0 && key.compare(lt) < 0) return true;
    }
    return false;
  }

  /** Reads a length and steps over that many bytes; returns where they begin. */
  #take(end: number): number {
    const length = this.#reader.next();
    const from = this.#reader.offset;
    if (length > end - from) {
      throw new FormatError(
        'FORMAT_TRUNCATED',
        `expected ${length} bytes at ${from} of a record of ${end}`,
      );
    }
    this.#reader.reset(this.#buffer, from + length, end);
    return from;
  }

  #begin(kind: OpKind, key: Uint8Array): number {
    this.#buffer[this.#length] = kind;
    const from = putUvarint(this.#buffer, this.#length + 1, key.length);
    this.#buffer.set(key, from);
    this.#kinds.push(kind);
    this.#keyFrom.push(from);
    this.#keyTo.push(from + key.length);
    return from + key.length;
  }

  #end(valueFrom: number, valueTo: number, expireAtMs: number): void {
    this.#valueFrom.push(valueFrom);
    this.#valueTo.push(valueTo);
    this.#expireAtMs.push(expireAtMs);
    this.#length = valueTo;
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes + 1 + 3 * UVARINT_BYTES_MAX;
    if (needed > BATCH_BYTES_MAX || this.#kinds.length >= BATCH_OPS_MAX) {
      throw new LsmError(
        'LSM_TOO_LARGE',
        `expected a batch of at most ${BATCH_BYTES_MAX} bytes and ${BATCH_OPS_MAX} changes, got ${needed} and ${this.#kinds.length + 1}: split it`,
      );
    }
    this.#grow(needed);
  }

  #grow(needed: number): void {
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

/** Throws `LSM_BAD_OPTION` for what is no bytes, `LSM_TOO_LARGE`. */
export function checkKey(key: Uint8Array): void {
  if (key instanceof Uint8Array && key.length <= KEY_BYTES_MAX) return;
  refuse('a key', key, KEY_BYTES_MAX);
}

export function checkValue(value: Uint8Array): void {
  if (value instanceof Uint8Array && value.length <= VALUE_BYTES_MAX) return;
  refuse('a value', value, VALUE_BYTES_MAX);
}

function refuse(what: string, came: unknown, max: number): never {
  if (!(came instanceof Uint8Array)) {
    throw new LsmError(
      'LSM_BAD_OPTION',
      `expected ${what} as a Uint8Array, such as a Buffer, got ${came === null ? 'null' : typeof came}: encode it first`,
    );
  }
  throw new LsmError(
    'LSM_TOO_LARGE',
    `expected ${what} of at most ${max} bytes, got ${came.length}: store it in parts`,
  );
}

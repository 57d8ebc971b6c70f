/**
 * Encodes effects, one after the other, into one growing buffer (layout: `format.ts`).
 *
 * Hot: every write command passes here once. No slice, no intermediate object; varints are written
 * in place. The buffer is reused from commit to commit and given back when it has grown large.
 */
import { EngineError } from '../errors.js';
import type { ValueType } from '../stores/store.js';
import { EFFECT_HEAD_BYTES, EffectType, effectFlags } from './format.js';

const BYTES_INITIAL = 16 * 1024;
/** Above this the buffer is not kept for the next commit, in bytes. */
const BYTES_KEPT_MAX = 1024 * 1024;
/** A varint of at most 2^53 - 1. */
const VARINT_BYTES_MAX = 8;

export class EffectWriter {
  bytes: Buffer = Buffer.allocUnsafeSlow(BYTES_INITIAL);
  /** Bytes encoded so far. */
  length = 0;
  /** Effects encoded so far. */
  count = 0;
  readonly #bytesMax: number;

  /** `bytesMax` is the longest run of effects; more throws `ENGINE_TOO_LARGE`. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  reset(): void {
    if (this.bytes.length > BYTES_KEPT_MAX) this.bytes = Buffer.allocUnsafeSlow(BYTES_INITIAL);
    this.length = 0;
    this.count = 0;
  }

  put(
    namespace: number,
    type: ValueType,
    created: boolean,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    expireAtMs: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
  ): void {
    this.#begin(EffectType.put, effectFlags(type, created), keyTo - keyFrom + valueTo - valueFrom);
    this.#varint(namespace);
    this.#run(key, keyFrom, keyTo);
    this.#varint(expireAtMs);
    this.#run(value, valueFrom, valueTo);
  }

  delete(
    namespace: number,
    type: ValueType,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
  ): void {
    this.#begin(EffectType.delete, effectFlags(type, false, true), keyTo - keyFrom);
    this.#varint(namespace);
    this.#run(key, keyFrom, keyTo);
  }

  expire(
    namespace: number,
    type: ValueType,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    expireAtMs: number,
  ): void {
    this.#begin(EffectType.expire, effectFlags(type), keyTo - keyFrom);
    this.#varint(namespace);
    this.#run(key, keyFrom, keyTo);
    this.#varint(expireAtMs);
  }

  patch(
    namespace: number,
    type: ValueType,
    created: boolean,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    at: number,
    newLength: number,
    bytes: Uint8Array,
    bytesFrom: number,
    bytesTo: number,
  ): void {
    this.#begin(
      EffectType.patch,
      effectFlags(type, created),
      keyTo - keyFrom + bytesTo - bytesFrom,
    );
    this.#varint(namespace);
    this.#run(key, keyFrom, keyTo);
    this.#varint(at);
    this.#varint(newLength);
    this.#run(bytes, bytesFrom, bytesTo);
  }

  fieldPut(
    namespace: number,
    type: ValueType,
    created: boolean,
    fieldCreated: boolean,
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
    this.#begin(
      EffectType.fieldPut,
      effectFlags(type, created, false, fieldCreated),
      keyTo - keyFrom + fieldTo - fieldFrom + valueTo - valueFrom,
    );
    this.#varint(namespace);
    this.#run(key, keyFrom, keyTo);
    this.#run(field, fieldFrom, fieldTo);
    this.#run(value, valueFrom, valueTo);
  }

  fieldDrop(
    namespace: number,
    type: ValueType,
    removed: boolean,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
  ): void {
    this.#begin(
      EffectType.fieldDrop,
      effectFlags(type, false, removed),
      keyTo - keyFrom + fieldTo - fieldFrom,
    );
    this.#varint(namespace);
    this.#run(key, keyFrom, keyTo);
    this.#run(field, fieldFrom, fieldTo);
  }

  fieldExpire(
    namespace: number,
    type: ValueType,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
    expireAtMs: number,
  ): void {
    this.#begin(EffectType.fieldExpire, effectFlags(type), keyTo - keyFrom + fieldTo - fieldFrom);
    this.#varint(namespace);
    this.#run(key, keyFrom, keyTo);
    this.#run(field, fieldFrom, fieldTo);
    this.#varint(expireAtMs);
  }

  databases(namespaces: readonly number[], nextNamespace: number): void {
    this.#begin(EffectType.databases, 0, VARINT_BYTES_MAX * (namespaces.length + 2));
    this.#varint(nextNamespace);
    this.#varint(namespaces.length);
    for (const namespace of namespaces) this.#varint(namespace);
  }

  /** Makes room for one effect with `runBytes` of content, then writes its head. */
  #begin(type: EffectType, flags: number, runBytes: number): void {
    const need = this.length + EFFECT_HEAD_BYTES + 8 * VARINT_BYTES_MAX + runBytes;
    if (need > this.bytes.length) this.#grow(need);
    this.bytes[this.length++] = type;
    this.bytes[this.length++] = flags;
    this.count++;
  }

  #grow(need: number): void {
    if (need > this.#bytesMax) {
      throw new EngineError(
        'ENGINE_TOO_LARGE',
        `expected a commit of at most ${this.#bytesMax} bytes, got ${need}: write less at once`,
      );
    }
    const grown = Buffer.allocUnsafeSlow(
      Math.min(this.#bytesMax, Math.max(need, this.bytes.length * 2)),
    );
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 0x80000000) {
      this.bytes[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }

  #run(source: Uint8Array, from: number, to: number): void {
    this.#varint(to - from);
    const target = this.bytes;
    let at = this.length;
    if (to - from <= COPY_LOOP_BYTES_MAX) {
      for (let i = from; i < to; i++) target[at++] = source[i];
      this.length = at;
    } else {
      target.set(from === 0 && to === source.length ? source : source.subarray(from, to), at);
      this.length = at + to - from;
    }
  }
}

/** Up to this length a byte loop beats making a view to copy from, in bytes. */
const COPY_LOOP_BYTES_MAX = 64;

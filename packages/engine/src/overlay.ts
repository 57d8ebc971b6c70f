/**
 * What a transaction has staged, ready to be read: the state that its effects would leave, for the
 * keys they touch. Built lazily from the encoded effects themselves, and only when something is
 * read or written after a first write, so that a lone SET never pays for it.
 *
 * Invariants
 *  1. For every key in `#keys`, the staged state equals the store's after applying the effects.
 *  2. Keys not in `#keys` are as the store has them.
 *  3. `keyDelta` and `expiringDelta` are what the effects would change in the store's counts.
 */
import { EffectType } from './effects/format.js';
import { EffectReader } from './effects/reader.js';
import type { EffectWriter } from './effects/writer.js';
import { latin1 } from './latin1.js';
import type { RecordView, Store, ValueType } from './stores/store.js';
import { ValueType as Type } from './stores/store.js';

const EMPTY = Buffer.alloc(0);

/** The most that a patched string is given to grow into beyond its length, in bytes. */
const ROOM_BYTES_MAX = 1024 * 1024;

/** A field's staged value. */
export class StagedField implements RecordView {
  readonly type = Type.string;
  readonly fieldsExpireAtMs = 0;

  constructor(
    readonly value: Buffer,
    public expireAtMs: number,
  ) {}

  get length(): number {
    return this.value.length;
  }

  copyTo(target: Uint8Array, at: number): number {
    target.set(this.value, at);
    return at + this.value.length;
  }

  bytes(): Uint8Array {
    return this.value;
  }
}

export class StagedKey implements RecordView {
  exists = false;
  type: ValueType = Type.string;
  expireAtMs = 0;
  fieldsExpireAtMs = 0;
  /** The string, where it is one. */
  value: Buffer = EMPTY;
  /** What `value` may grow into, once it has been patched. */
  #room: Buffer = EMPTY;
  /** Fields put or dropped (`undefined`) here. */
  readonly fields = new Map<string, StagedField | undefined>();
  fieldCount = 0;
  /** Whether fields not in `fields` are still the store's. */
  storeFieldsVisible = false;

  constructor(readonly key: Buffer) {}

  get length(): number {
    return this.type === Type.string ? this.value.length : this.fieldCount;
  }

  copyTo(target: Uint8Array, at: number): number {
    target.set(this.value, at);
    return at + this.value.length;
  }

  bytes(): Uint8Array {
    return this.value;
  }

  /** Cuts the string, or extends it with zeros; one that grows step by step is copied seldom. */
  resize(length: number): void {
    const old = this.value;
    if (length <= this.#room.length && old.buffer === this.#room.buffer) {
      if (length > old.length) this.#room.fill(0, old.length, length);
    } else {
      this.#room = Buffer.alloc(
        Math.max(length, Math.min(old.length * 2, length + ROOM_BYTES_MAX)),
      );
      old.copy(this.#room, 0, 0, length);
    }
    this.value = this.#room.subarray(0, length);
  }

  remove(): void {
    this.exists = false;
    this.expireAtMs = 0;
    this.fieldsExpireAtMs = 0;
    this.value = EMPTY;
    this.fields.clear();
    this.fieldCount = 0;
    this.storeFieldsVisible = false;
  }
}

interface Counts {
  keys: number;
  expiring: number;
}

export class Overlay {
  readonly #store: Store;
  readonly #reader = new EffectReader();
  readonly #spaces = new Map<number, Map<string, StagedKey>>();
  readonly #counts = new Map<number, Counts>();
  #indexedTo = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  reset(): void {
    if (this.#indexedTo === 0) return;
    this.#spaces.clear();
    this.#counts.clear();
    this.#indexedTo = 0;
  }

  /** Takes in what `writer` has encoded since the last call. */
  catchUp(writer: EffectWriter): void {
    if (this.#indexedTo === writer.length) return;
    const reader = this.#reader;
    reader.reset(writer.bytes, this.#indexedTo, writer.length);
    while (reader.next()) {
      if (reader.type !== EffectType.databases) this.#index(reader);
    }
    this.#indexedTo = writer.length;
  }

  /** The staged state of a key, or `undefined` where the transaction has not touched it. */
  get(namespace: number, key: Uint8Array, from: number, to: number): StagedKey | undefined {
    return this.#spaces.get(namespace)?.get(latin1(key, from, to));
  }

  /** Keys that are staged and that the store has not. */
  *createdKeys(namespace: number): Iterable<StagedKey> {
    for (const staged of this.#spaces.get(namespace)?.values() ?? []) {
      const { key } = staged;
      if (staged.exists && !this.#store.find(namespace, key, 0, key.length)) yield staged;
    }
  }

  /** Fields of a staged collection that the store does not show. */
  *createdFields(
    namespace: number,
    staged: StagedKey,
  ): Iterable<[field: Buffer, value: StagedField]> {
    for (const [name, value] of staged.fields) {
      if (!value) continue;
      const field = Buffer.from(name, 'latin1');
      if (staged.storeFieldsVisible && this.#storedField(namespace, staged.key, field)) continue;
      yield [field, value];
    }
  }

  keyDelta(namespace: number): number {
    return this.#counts.get(namespace)?.keys ?? 0;
  }

  expiringDelta(namespace: number): number {
    return this.#counts.get(namespace)?.expiring ?? 0;
  }

  /** Fields of a staged collection whose time is before `nowMs`. */
  countExpiredFields(namespace: number, staged: StagedKey, nowMs: number): number {
    const { key } = staged;
    let expired = 0;
    if (staged.storeFieldsVisible) {
      expired = this.#store.countExpiredFields(namespace, key, 0, key.length, nowMs);
    }
    for (const [name, field] of staged.fields) {
      if (field && isPast(field.expireAtMs, nowMs)) expired++;
      if (!staged.storeFieldsVisible) continue;
      const stored = this.#storedField(namespace, key, Buffer.from(name, 'latin1'));
      if (stored && isPast(stored.expireAtMs, nowMs)) expired--;
    }
    return expired;
  }

  #storedField(namespace: number, key: Buffer, field: Buffer): RecordView | undefined {
    return this.#store.findField(namespace, key, 0, key.length, field, 0, field.length);
  }

  #index(effect: EffectReader): void {
    const staged = this.#stage(effect.namespace, effect.bytes, effect.keyFrom, effect.keyTo);
    const existed = staged.exists;
    const expired = staged.expireAtMs !== 0;
    this.#change(staged, effect);
    this.#count(
      effect.namespace,
      Number(staged.exists) - Number(existed),
      Number(staged.expireAtMs !== 0) - Number(expired),
    );
  }

  #change(staged: StagedKey, effect: EffectReader): void {
    switch (effect.type) {
      case EffectType.put:
        staged.remove();
        staged.exists = true;
        staged.type = effect.valueType;
        staged.expireAtMs = effect.expireAtMs;
        staged.value = copyOf(effect.bytes, effect.valueFrom, effect.valueTo);
        return;
      case EffectType.delete:
        staged.remove();
        return;
      case EffectType.expire:
        if (staged.exists) staged.expireAtMs = effect.expireAtMs;
        return;
      case EffectType.patch:
        staged.exists = true;
        staged.type = effect.valueType;
        staged.resize(effect.newLength);
        staged.value.set(effect.bytes.subarray(effect.valueFrom, effect.valueTo), effect.at);
        return;
      case EffectType.fieldPut:
        staged.exists = true;
        staged.type = effect.valueType;
        if (effect.fieldCreated) staged.fieldCount++;
        staged.fields.set(
          latin1(effect.bytes, effect.fieldFrom, effect.fieldTo),
          new StagedField(copyOf(effect.bytes, effect.valueFrom, effect.valueTo), 0),
        );
        return;
      case EffectType.fieldExpire:
        this.#expireField(staged, effect);
        return;
      case EffectType.fieldDrop:
        staged.fieldCount--;
        staged.fields.set(latin1(effect.bytes, effect.fieldFrom, effect.fieldTo), undefined);
        if (effect.removed) staged.remove();
    }
  }

  #expireField(staged: StagedKey, effect: EffectReader): void {
    const { expireAtMs } = effect;
    const name = latin1(effect.bytes, effect.fieldFrom, effect.fieldTo);
    let field = staged.fields.get(name);
    if (!field && staged.storeFieldsVisible && !staged.fields.has(name)) {
      const stored = this.#storedField(effect.namespace, staged.key, Buffer.from(name, 'latin1'));
      if (stored) field = new StagedField(Buffer.from(stored.bytes()), stored.expireAtMs);
    }
    if (!field) return;
    field.expireAtMs = expireAtMs;
    staged.fields.set(name, field);
    const soonest = staged.fieldsExpireAtMs;
    if (expireAtMs !== 0 && (soonest === 0 || expireAtMs < soonest)) {
      staged.fieldsExpireAtMs = expireAtMs;
    }
  }

  /** The staged key, taken over from the store the first time it is touched. */
  #stage(namespace: number, bytes: Uint8Array, from: number, to: number): StagedKey {
    let space = this.#spaces.get(namespace);
    if (!space) {
      space = new Map();
      this.#spaces.set(namespace, space);
    }
    const name = latin1(bytes, from, to);
    let staged = space.get(name);
    if (!staged) {
      staged = new StagedKey(copyOf(bytes, from, to));
      const stored = this.#store.find(namespace, bytes, from, to);
      if (stored) takeOver(staged, stored);
      space.set(name, staged);
    }
    return staged;
  }

  #count(namespace: number, keys: number, expiring: number): void {
    let counts = this.#counts.get(namespace);
    if (!counts) {
      counts = { keys: 0, expiring: 0 };
      this.#counts.set(namespace, counts);
    }
    counts.keys += keys;
    counts.expiring += expiring;
  }
}

function takeOver(staged: StagedKey, stored: RecordView): void {
  staged.exists = true;
  staged.type = stored.type;
  staged.expireAtMs = stored.expireAtMs;
  staged.fieldsExpireAtMs = stored.fieldsExpireAtMs;
  if (stored.type === Type.string) {
    staged.value = Buffer.from(stored.bytes());
  } else {
    staged.fieldCount = stored.length;
    staged.storeFieldsVisible = true;
  }
}

/** Redis's rule: what ends at a time is gone after it, not at it. */
export function isPast(expireAtMs: number, nowMs: number): boolean {
  return expireAtMs !== 0 && expireAtMs < nowMs;
}

function copyOf(bytes: Uint8Array, from: number, to: number): Buffer {
  return Buffer.from(bytes.subarray(from, to));
}

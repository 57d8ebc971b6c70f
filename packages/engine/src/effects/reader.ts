/**
 * Walks a run of effects (layout: `format.ts`): `next()` decodes one into the fields below, as
 * offsets into the bytes. The same reader feeds the live store, recovery, snapshots and the reads
 * of a transaction, so that they cannot disagree.
 *
 * Hot: no object per effect. Lengths are checked against the end before they are believed.
 */
import { FormatError, UvarintReader } from '@nendb/codec';
import type { ValueType } from '../stores/store.js';
import { DATABASE_COUNT } from './databases.js';
import {
  EFFECT_HEAD_BYTES,
  EffectType,
  FLAG_CREATED,
  FLAG_FIELD_CREATED,
  FLAG_REMOVED,
  flagsAreKnown,
  VALUE_TYPE_MASK,
} from './format.js';

export class EffectReader {
  bytes: Uint8Array = new Uint8Array(0);
  type: EffectType = EffectType.put;
  flags = 0;
  namespace = 0;
  keyFrom = 0;
  keyTo = 0;
  fieldFrom = 0;
  fieldTo = 0;
  valueFrom = 0;
  valueTo = 0;
  expireAtMs = 0;
  at = 0;
  newLength = 0;
  namespaces: number[] = [];
  nextNamespace = 0;
  readonly #varints = new UvarintReader();
  #offset = 0;
  #end = 0;

  reset(bytes: Uint8Array, from: number, to: number): void {
    this.bytes = bytes;
    this.#offset = from;
    this.#end = to;
  }

  get valueType(): ValueType {
    return (this.flags & VALUE_TYPE_MASK) as ValueType;
  }

  get created(): boolean {
    return (this.flags & FLAG_CREATED) !== 0;
  }

  get removed(): boolean {
    return (this.flags & FLAG_REMOVED) !== 0;
  }

  get fieldCreated(): boolean {
    return (this.flags & FLAG_FIELD_CREATED) !== 0;
  }

  /** Where the next effect begins. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Decodes the next effect; false at the end. Throws `FormatError`: `FORMAT_TRUNCATED`,
   * `FORMAT_BAD_VALUE`, and `FORMAT_TOO_NEW` for an effect type this program does not know.
   */
  next(): boolean {
    if (this.#offset === this.#end) return false;
    if (this.#end - this.#offset < EFFECT_HEAD_BYTES) throw this.#truncated();
    const type = this.bytes[this.#offset] as EffectType;
    this.flags = this.bytes[this.#offset + 1];
    if (!flagsAreKnown(type, this.flags)) {
      throw new FormatError(
        'FORMAT_TOO_NEW',
        `expected a known effect, got type ${type} with flags 0x${this.flags.toString(16)}: use a newer release`,
      );
    }
    const varints = this.#varints;
    varints.reset(this.bytes, this.#offset + EFFECT_HEAD_BYTES, this.#end);
    this.type = type;
    if (type === EffectType.databases) {
      this.#readDatabases();
    } else {
      this.namespace = varints.next();
      this.keyFrom = this.#run();
      this.keyTo = varints.offset;
      this.#readBody(type);
    }
    this.#offset = varints.offset;
    return true;
  }

  #readBody(type: EffectType): void {
    const varints = this.#varints;
    switch (type) {
      case EffectType.put:
        this.expireAtMs = varints.next();
        this.#readValue();
        return;
      case EffectType.delete:
        return;
      case EffectType.expire:
        this.expireAtMs = varints.next();
        return;
      case EffectType.patch:
        this.at = varints.next();
        this.newLength = varints.next();
        this.#readValue();
        if (this.at + this.valueTo - this.valueFrom > this.newLength) {
          throw new FormatError(
            'FORMAT_BAD_VALUE',
            `expected a patch within ${this.newLength} bytes, got one at ${this.at}`,
          );
        }
        return;
      case EffectType.fieldPut:
        this.#readField();
        this.#readValue();
        return;
      case EffectType.fieldDrop:
        this.#readField();
        return;
      case EffectType.fieldExpire:
        this.#readField();
        this.expireAtMs = varints.next();
    }
  }

  #readField(): void {
    this.fieldFrom = this.#run();
    this.fieldTo = this.#varints.offset;
  }

  #readValue(): void {
    this.valueFrom = this.#run();
    this.valueTo = this.#varints.offset;
  }

  #readDatabases(): void {
    this.nextNamespace = this.#varints.next();
    const count = this.#varints.next();
    if (count !== DATABASE_COUNT) {
      throw new FormatError(
        'FORMAT_BAD_VALUE',
        `expected ${DATABASE_COUNT} databases, got ${count}`,
      );
    }
    const namespaces = new Set<number>();
    for (let i = 0; i < count; i++) namespaces.add(this.#varints.next());
    this.namespaces = [...namespaces];
    if (namespaces.size !== count || Math.max(...namespaces) >= this.nextNamespace) {
      throw new FormatError(
        'FORMAT_BAD_VALUE',
        `expected ${count} different namespaces below ${this.nextNamespace}, got ${this.namespaces}`,
      );
    }
  }

  /** Reads a length, steps over its bytes, and returns where they began. */
  #run(): number {
    const varints = this.#varints;
    const length = varints.next();
    const from = varints.offset;
    if (length > this.#end - from) throw this.#truncated();
    varints.offset = from + length;
    return from;
  }

  #truncated(): FormatError {
    return new FormatError(
      'FORMAT_TRUNCATED',
      `expected a whole effect at offset ${this.#offset}, the run ends at ${this.#end}`,
    );
  }
}

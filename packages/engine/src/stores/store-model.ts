/**
 * The simplest thing that a store could be, and a source of random effects: what conformance tests
 * compare a store with.
 */
import { applyEffects } from '../effects/apply.js';
import { Databases } from '../effects/databases.js';
import { EffectReader } from '../effects/reader.js';
import { EffectWriter } from '../effects/writer.js';
import type { DumpedNamespace } from './dump.js';
import { type Store, ValueType } from './store.js';

interface ModelField {
  value: string;
  expireAtMs: number;
}

interface ModelKey {
  type: ValueType;
  expireAtMs: number;
  value: string;
  fields: Map<string, ModelField>;
}

const SPACES = [0, 1, 5];
const COMMIT_BYTES_MAX = 1024 * 1024;

export class StoreModel {
  readonly spaces: readonly number[] = SPACES;
  /** A whole number from 0 to `below - 1`, from the seed. */
  readonly random: (below: number) => number;
  readonly #keys = new Map<number, Map<string, ModelKey>>(
    SPACES.map((space) => [space, new Map()]),
  );
  readonly #writer = new EffectWriter(COMMIT_BYTES_MAX);
  readonly #reader = new EffectReader();
  readonly #databases = new Databases();

  constructor(seed: number) {
    this.random = randomFrom(seed);
  }

  /** One random effect, on the model and on `store`. */
  step(store: Store): void {
    const run = this.encodeStep();
    applyEffects(this.#reader, run, 0, run.length, store, this.#databases);
  }

  /** One random effect on the model; returns its bytes. */
  encodeStep(): Buffer {
    this.#writer.reset();
    this.#change(SPACES[this.random(SPACES.length)], `key${this.random(20)}`);
    return Buffer.from(this.#writer.bytes.subarray(0, this.#writer.length));
  }

  dump(space: number): DumpedNamespace {
    return [...this.#space(space)]
      .sort(byName)
      .map(([name, { type, expireAtMs, value, fields }]) => [
        name,
        type === ValueType.string
          ? { type, expireAtMs, value }
          : {
              type,
              expireAtMs,
              fields: [...fields]
                .map(([name, field]): [string, string, number] => [
                  name,
                  field.value,
                  field.expireAtMs,
                ])
                .sort(byName),
            },
      ]);
  }

  #change(space: number, name: string): void {
    const keys = this.#space(space);
    const old = keys.get(name);
    const key = Buffer.from(name);
    switch (this.random(9)) {
      case 0:
      case 1:
        this.#put(space, name, old);
        return;
      case 2:
        keys.delete(name);
        this.#writer.delete(space, old?.type ?? ValueType.string, key, 0, key.length);
        return;
      case 3: {
        const expireAtMs = this.random(3) * 100;
        if (old) old.expireAtMs = expireAtMs;
        this.#writer.expire(space, old?.type ?? ValueType.string, key, 0, key.length, expireAtMs);
        return;
      }
      case 4:
        if (old?.type !== ValueType.hash) this.#patch(space, name, old);
        else this.#put(space, name, old);
        return;
      case 5:
        if (old?.type === ValueType.hash) this.#dropField(space, name, old);
        else this.#putField(space, name, old);
        return;
      case 6:
        if (old?.type === ValueType.hash) this.#expireField(space, name, old);
        else this.#putField(space, name, old);
        return;
      default:
        this.#putField(space, name, old);
    }
  }

  #put(space: number, name: string, old: ModelKey | undefined): void {
    const value = 'v'.repeat(this.random(40)) + this.random(1000);
    const expireAtMs = this.random(2) * 500;
    this.#space(space).set(name, { type: ValueType.string, expireAtMs, value, fields: new Map() });
    const key = Buffer.from(name);
    const bytes = Buffer.from(value);
    this.#writer.put(
      space,
      ValueType.string,
      old === undefined,
      key,
      0,
      key.length,
      expireAtMs,
      bytes,
      0,
      bytes.length,
    );
  }

  #patch(space: number, name: string, old: ModelKey | undefined): void {
    const at = this.random(30);
    const patch = 'p'.repeat(this.random(10));
    const before = old?.value ?? '';
    const newLength = Math.max(at + patch.length, this.random(2) * before.length);
    const padded = before.padEnd(newLength, '\0').slice(0, newLength);
    const value = padded.slice(0, at) + patch + padded.slice(at + patch.length);
    this.#space(space).set(name, {
      type: ValueType.string,
      expireAtMs: old?.expireAtMs ?? 0,
      value,
      fields: new Map(),
    });
    const key = Buffer.from(name);
    const bytes = Buffer.from(patch);
    this.#writer.patch(
      space,
      ValueType.string,
      old === undefined,
      key,
      0,
      key.length,
      at,
      newLength,
      bytes,
      0,
      bytes.length,
    );
  }

  #putField(space: number, name: string, old: ModelKey | undefined): void {
    const hash =
      old?.type === ValueType.hash
        ? old
        : { type: ValueType.hash, expireAtMs: 0, value: '', fields: new Map<string, ModelField>() };
    const field = `field${this.random(12)}`;
    const value = `value${this.random(1000)}`;
    const fieldCreated = !hash.fields.has(field);
    hash.fields.set(field, { value, expireAtMs: 0 });
    this.#space(space).set(name, hash);
    const [key, fieldBytes, bytes] = [name, field, value].map((text) => Buffer.from(text));
    this.#writer.fieldPut(
      space,
      ValueType.hash,
      hash !== old,
      fieldCreated,
      key,
      0,
      key.length,
      fieldBytes,
      0,
      fieldBytes.length,
      bytes,
      0,
      bytes.length,
    );
  }

  #expireField(space: number, name: string, hash: ModelKey): void {
    const field = `field${this.random(12)}`;
    const expireAtMs = this.random(3) * 100;
    const found = hash.fields.get(field);
    if (found) found.expireAtMs = expireAtMs;
    const [key, fieldBytes] = [name, field].map((text) => Buffer.from(text));
    this.#writer.fieldExpire(
      space,
      ValueType.hash,
      key,
      0,
      key.length,
      fieldBytes,
      0,
      fieldBytes.length,
      expireAtMs,
    );
  }

  #dropField(space: number, name: string, hash: ModelKey): void {
    const field = `field${this.random(12)}`;
    hash.fields.delete(field);
    if (hash.fields.size === 0) this.#space(space).delete(name);
    const [key, fieldBytes] = [name, field].map((text) => Buffer.from(text));
    this.#writer.fieldDrop(
      space,
      ValueType.hash,
      hash.fields.size === 0,
      key,
      0,
      key.length,
      fieldBytes,
      0,
      fieldBytes.length,
    );
  }

  #space(space: number): Map<string, ModelKey> {
    const keys = this.#keys.get(space);
    if (!keys) throw new RangeError(`expected one of the model's namespaces, got ${space}`);
    return keys;
  }
}

/** mulberry32: small, seeded, good enough to choose test cases. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function byName([a]: [string, ...unknown[]], [b]: [string, ...unknown[]]): number {
  return a < b ? -1 : Number(a > b);
}

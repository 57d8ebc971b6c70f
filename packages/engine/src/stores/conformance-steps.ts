/** What the conformance tests do to a store and look at in it: keys and fields as text. */
import assert from 'node:assert/strict';
import { applyEffects } from '../effects/apply.js';
import { Databases } from '../effects/databases.js';
import { EffectReader } from '../effects/reader.js';
import { type DumpedNamespace, dumpNamespace } from './dump.js';
import { type Store, type StoreImage, ValueType } from './store.js';
import type { StoreModel } from './store-model.js';

/** Registers a test of a new store; `pause` lets the store work in the background. */
export type StoreCase = (
  name: string,
  body: (store: Store, pause: () => Promise<void>) => void | Promise<void>,
) => void;

/** The namespace that most tests work in. */
export const SPACE = 3;

/** Text as bytes, one a character. */
export const b = (text: string) => Buffer.from(text, 'latin1');

/** Reads an image to its end into another store; `meanwhile` runs between the steps. */
export async function loadImage(
  image: StoreImage,
  target: Store,
  meanwhile: () => void | Promise<void>,
): Promise<Store> {
  const reader = new EffectReader();
  const databases = new Databases();
  for (;;) {
    const run = image.next(256);
    if (!run) break;
    applyEffects(reader, run, 0, run.length, target, databases);
    await meanwhile();
  }
  image.release();
  return target;
}

export function expectState(store: Store, model: StoreModel): void {
  for (const space of model.spaces) {
    const expected: DumpedNamespace = model.dump(space);
    assert.deepEqual(dumpNamespace(store, space), expected);
    assert.equal(store.keyCount(space), expected.length);
    assert.equal(
      store.expiringCount(space),
      expected.filter(([, content]) => content.expireAtMs !== 0).length,
    );
    const withTimes = expected.filter(([, { fields }]) => fields?.some((field) => field[2] !== 0));
    assert.equal(store.fieldExpiringCount(space), withTimes.length);
    for (const [name, { fields = [] }] of withTimes) {
      const times = fields.map((field) => field[2]).filter((time) => time !== 0);
      const key = b(name);
      assertEarliest(store.find(space, key, 0, key.length)?.fieldsExpireAtMs, Math.min(...times));
      assert.equal(
        store.countExpiredFields(space, key, 0, key.length, 150),
        times.filter((time) => time < 150).length,
      );
    }
  }
}

/** Looks for expired keys and removes them, while a look is as full as it may be. */
export function removeExpired(
  store: Store,
  nowMs: number,
  count: number,
  stepsMax: number,
): number {
  for (let removed = 0; ; ) {
    const due: Buffer[] = [];
    const steps = store.scanExpired(SPACE, nowMs, count, stepsMax, (key, view) => {
      assert(view.expireAtMs !== 0 && view.expireAtMs < nowMs, `${view.expireAtMs} at ${nowMs}`);
      due.push(Buffer.from(key));
    });
    assert(steps <= stepsMax && due.length <= count);
    for (const key of due) store.remove(SPACE, key, 0, key.length);
    removed += due.length;
    if (due.length < count) return removed;
  }
}

/** The same for fields. */
export function removeExpiredFields(
  store: Store,
  nowMs: number,
  count: number,
  stepsMax: number,
): number {
  for (let removed = 0; ; ) {
    const due: [key: string, field: string][] = [];
    const steps = store.scanExpiredFields(SPACE, nowMs, count, stepsMax, (key, name) => {
      due.push([Buffer.from(key).toString('latin1'), Buffer.from(name).toString('latin1')]);
    });
    assert(steps <= stepsMax && due.length <= count);
    for (const [key, name] of due) {
      const time = findField(store, key, name)?.expireAtMs;
      assert(time !== undefined && time !== 0 && time < nowMs, `${time} at ${nowMs}`);
      removeField(store, key, name);
    }
    removed += due.length;
    if (due.length === 0) return removed;
  }
}

/** A bound for the first end of a field: never later than it, and there while there is one. */
export function assertEarliest(bound: number | undefined, earliest: number): void {
  assert(bound !== undefined && bound > 0 && bound <= earliest, `${bound} for ${earliest}`);
}

export function expiredFields(store: Store, key: string, nowMs: number): number {
  return store.countExpiredFields(SPACE, b(key), 0, key.length, nowMs);
}

export function expireField(store: Store, key: string, name: string, expireAtMs: number): void {
  store.setFieldExpiry(SPACE, b(key), 0, key.length, b(name), 0, name.length, expireAtMs);
}

export function find(store: Store, key: string) {
  return store.find(SPACE, b(key), 0, key.length);
}

export function text(store: Store, key: string): string | undefined {
  const view = find(store, key);
  return view && Buffer.from(view.bytes()).toString('latin1');
}

export function put(store: Store, key: string, value: string, expireAtMs = 0): void {
  store.putString(SPACE, b(key), 0, key.length, b(value), 0, value.length, expireAtMs);
}

export function patch(
  store: Store,
  key: string,
  at: number,
  bytes: string,
  newLength: number,
): void {
  store.patchString(SPACE, b(key), 0, key.length, at, b(bytes), 0, bytes.length, newLength);
}

export function findField(store: Store, key: string, name: string) {
  return store.findField(SPACE, b(key), 0, key.length, b(name), 0, name.length);
}

export function field(store: Store, key: string, name: string): string | undefined {
  const view = findField(store, key, name);
  return view && Buffer.from(view.bytes()).toString('latin1');
}

export function putField(store: Store, key: string, name: string, value: string): void {
  store.putField(
    SPACE,
    ValueType.hash,
    b(key),
    0,
    key.length,
    b(name),
    0,
    name.length,
    b(value),
    0,
    value.length,
  );
}

export function removeField(store: Store, key: string, name: string): void {
  store.removeField(SPACE, b(key), 0, key.length, b(name), 0, name.length);
}

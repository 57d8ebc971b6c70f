import { describe, expect, it, vi } from 'vitest';
import { applyEffects } from '../../src/effects/apply.js';
import { Databases } from '../../src/effects/databases.js';
import { EffectReader } from '../../src/effects/reader.js';
import { IMAGE_STEP_ROWS } from '../../src/limits.js';
import { dumpNamespace } from '../../src/stores/dump.js';
import { MapStore } from '../../src/stores/map/map-store.js';
import { type StoreImage, ValueType } from '../../src/stores/store.js';

const b = (text: string) => Buffer.from(text, 'latin1');

function put(store: MapStore, name: string, value: string, expireAtMs = 0): void {
  store.putString(0, b(name), 0, name.length, b(value), 0, value.length, expireAtMs);
}

function putField(store: MapStore, name: string, field: string, value: string): void {
  const [key, f, v] = [b(name), b(field), b(value)];
  store.putField(0, ValueType.hash, key, 0, key.length, f, 0, f.length, v, 0, v.length);
}

/** The runs of an image to its end. */
function drain(image: StoreImage, bytesMax: number): Buffer[] {
  const runs: Buffer[] = [];
  for (let run = image.next(bytesMax); run; run = image.next(bytesMax)) runs.push(Buffer.from(run));
  return runs;
}

function load(runs: readonly Buffer[]): MapStore {
  const store = new MapStore();
  const reader = new EffectReader();
  const databases = new Databases();
  for (const run of runs) applyEffects(reader, run, 0, run.length, store, databases);
  return store;
}

describe('an image of the map store', () => {
  /** One step once passed all the rows that had changed since, however many: seconds of silence. */
  it('passes a bounded number of rows in a step, of keys and of fields', () => {
    const store = new MapStore();
    const count = IMAGE_STEP_ROWS * 2 + 10;
    for (let i = 0; i < count; i++) {
      put(store, `key${i}`, 'old');
      putField(store, 'hash', `field${i}`, 'old');
    }
    const before = dumpNamespace(store, 0);
    const image = store.image();
    for (let i = 0; i < count; i++) {
      put(store, `key${i}`, 'new');
      putField(store, 'hash', `field${i}`, 'new');
    }
    const runs = drain(image, 1e9);
    image.release();
    // Each key and field once from the copies, and once more in silence where the walk passes it.
    expect(runs.length).toBeGreaterThanOrEqual(Math.floor((count * 4) / IMAGE_STEP_ROWS));
    expect(runs.filter((run) => run.length === 0).length).toBeGreaterThan(1);
    expect(dumpNamespace(load(runs), 0)).toEqual(before);
  });

  it('lets go of copies as it emits them, although others come', () => {
    const store = new MapStore();
    for (let i = 0; i < 200; i++) put(store, `key${i}`, 'x'.repeat(1_000));
    const image = store.image();
    for (let i = 0; i < 100; i++) put(store, `key${i}`, 'new');
    expect(store.usage().imageBytes).toBeGreaterThan(100_000);
    for (let i = 100; i < 200; i++) {
      image.next(1);
      put(store, `key${i}`, 'new');
      expect(store.usage().imageBytes).toBeLessThan(102_000);
    }
    for (let i = 0; i < 90; i++) image.next(1);
    expect(store.usage().imageBytes).toBeLessThan(12_000);
    drain(image, 1_000);
    expect(store.usage().imageBytes).toBe(0);
    image.release();
  });

  it('never shows a string that was patched in place, before or after it was passed', () => {
    const store = new MapStore();
    const patch = (name: string, text: string, newLength: number) =>
      store.patchString(0, b(name), 0, 1, 0, b(text), 0, text.length, newLength);
    for (const name of ['a', 'b', 'c']) put(store, name, 'original');
    patch('b', 'ORIGINAL!', 9);
    patch('b', 'o', 8);
    const before = dumpNamespace(store, 0);
    const image = store.image();
    const runs: Buffer[] = [Buffer.from(image.next(1) ?? [])];
    for (const name of ['a', 'b', 'c', 'b', 'c']) patch(name, 'XY', 8);
    patch('a', '', 1);
    patch('b', 'Z', 30);
    runs.push(...drain(image, 1));
    image.release();
    expect(dumpNamespace(load(runs), 0)).toEqual(before);
  });

  it('takes the place of no other', () => {
    const store = new MapStore();
    const image = store.image();
    expect(() => store.image()).toThrow(/one image at a time/);
    image.release();
    const second = store.image();
    // A release that comes late is not the second one's.
    image.release();
    expect(() => store.image()).toThrow(/one image at a time/);
    second.release();
  });

  it('counts bytes in and out to nothing', () => {
    const store = new MapStore();
    for (let i = 0; i < 50; i++) {
      put(store, `key${i}`, 'x'.repeat(i));
      put(store, `key${i}`, 'x'.repeat(50 - i));
      const name = b(`key${i}`);
      store.patchString(0, name, 0, name.length, 10, name, 0, 3, 80);
      store.patchString(0, name, 0, name.length, 0, name, 0, 3, 4);
      for (const field of ['f', 'g']) putField(store, `hash${i}`, field, 'x'.repeat(i));
      putField(store, `hash${i}`, 'f', 'y');
    }
    const full = store.usage().bytes;
    expect(full).toBeGreaterThan(100 * 350);
    for (let i = 0; i < 50; i++) {
      const [key, hash] = [b(`key${i}`), b(`hash${i}`)];
      store.remove(0, key, 0, key.length);
      for (const field of ['f', 'g']) store.removeField(0, hash, 0, hash.length, b(field), 0, 1);
    }
    expect(store.usage()).toEqual({ keys: 0, bytes: 0, imageBytes: 0 });
  });
});

describe('a table of the map store', () => {
  it('gathers its rows anew only when half of them are gone, however many go', () => {
    const store = new MapStore();
    const count = 4_096;
    for (let i = 0; i < count; i++) put(store, `key${i}`, 'v');
    const filter = vi.spyOn(Array.prototype, 'filter');
    for (let i = 0; i < count; i++) {
      const key = b(`key${i}`);
      store.remove(0, key, 0, key.length);
    }
    const gathered = filter.mock.calls.length;
    filter.mockRestore();
    expect(gathered).toBeGreaterThan(0);
    expect(gathered).toBeLessThan(20);
    put(store, 'new', 'v');
    expect(dumpNamespace(store, 0)).toHaveLength(1);
  });
});

/**
 * What every store must do (`store.ts`), as tests: one call makes them all.
 *
 *     storeConformance({ test, makeStore: () => new MyStore(), seed: 1 });
 *
 * Framework-neutral: `test(name, body)` registers a test, assertions are `node:assert`'s. Random
 * cases come from `seed` alone.
 */
import assert from 'node:assert/strict';
import { applyEffects } from '../effects/apply.js';
import { Databases } from '../effects/databases.js';
import { EffectReader } from '../effects/reader.js';
import { fieldCases } from './conformance-fields.js';
import { imageCases } from './conformance-images.js';
import {
  b,
  expectState,
  field,
  find,
  patch,
  put,
  putField,
  removeExpired,
  removeField,
  SPACE,
  type StoreCase,
  text,
} from './conformance-steps.js';
import { type Store, ValueType } from './store.js';
import { StoreModel } from './store-model.js';

export interface StoreConformanceOptions {
  test: (name: string, body: () => void | Promise<void>) => void;
  makeStore: () => Store;
  /** Random cases derive from this. */
  seed: number;
  /** Operations of each random case. Default 2,000. */
  operations?: number;
  /** Called now and then in long cases: a store that moves its data to disk does so here. */
  pause?: (store: Store) => Promise<void>;
}

export function storeConformance(options: StoreConformanceOptions): void {
  const { test, makeStore, seed, operations = 2_000 } = options;
  const withStore: StoreCase = (name, body) =>
    test(name, async () => {
      const store = makeStore();
      try {
        await body(store, async () => options.pause?.(store));
      } finally {
        await store.close();
      }
    });

  withStore('a missing key is undefined and counts nothing', (store) => {
    assert.equal(find(store, 'k'), undefined);
    assert.equal(store.keyCount(SPACE), 0);
    assert.equal(store.expiringCount(SPACE), 0);
    assert.equal(
      store.scan(SPACE, 0, 10, () => assert.fail('nothing to visit')),
      0,
    );
    store.remove(SPACE, b('k'), 0, 1);
    store.setExpiry(SPACE, b('k'), 0, 1, 5);
    assert.equal(store.keyCount(SPACE), 0);
  });

  withStore('a string is found by bytes within a larger buffer, and copied out whole', (store) => {
    const around = b('..key..value..');
    store.putString(SPACE, around, 2, 5, around, 7, 12, 77);
    around.fill(0);
    const view = store.find(SPACE, b('xkeyx'), 1, 4);
    assert(view);
    assert.equal(view.type, ValueType.string);
    assert.equal(view.expireAtMs, 77);
    assert.equal(view.length, 5);
    const target = Buffer.alloc(8);
    assert.equal(view.copyTo(target, 1), 6);
    assert.equal(target.toString('latin1', 1, 6), 'value');
    assert.equal(Buffer.from(view.bytes()).toString(), 'value');
  });

  withStore('every byte string is a key of its own', (store) => {
    const keys = ['', '\0', '\0\0', '\xff', '\x80', '__proto__', 'constructor', 'a'.repeat(5_000)];
    for (const key of keys) put(store, key, `of ${key}`);
    assert.equal(store.keyCount(SPACE), keys.length);
    for (const key of keys) assert.equal(text(store, key), `of ${key}`);
  });

  withStore('a string replaces whatever was there, with its expiry time', (store) => {
    put(store, 'k', 'old', 10);
    put(store, 'k', 'new');
    assert.equal(text(store, 'k'), 'new');
    assert.equal(find(store, 'k')?.expireAtMs, 0);
    assert.equal(store.expiringCount(SPACE), 0);
    putField(store, 'h', 'f', 'v');
    put(store, 'h', 'string');
    assert.equal(find(store, 'h')?.type, ValueType.string);
    assert.equal(store.keyCount(SPACE), 2);
  });

  withStore('a patch writes within, extends with zeros, and cuts', (store) => {
    patch(store, 'k', 3, 'abc', 8);
    assert.equal(text(store, 'k'), '\0\0\0abc\0\0');
    patch(store, 'k', 0, 'xy', 4);
    assert.equal(text(store, 'k'), 'xy\0a');
    patch(store, 'k', 6, 'z', 7);
    assert.equal(text(store, 'k'), 'xy\0a\0\0z');
    store.setExpiry(SPACE, b('k'), 0, 1, 99);
    patch(store, 'k', 0, '', 2);
    assert.equal(text(store, 'k'), 'xy');
    assert.equal(find(store, 'k')?.expireAtMs, 99);
  });

  withStore('fields make a collection, and the last one takes the key with it', (store) => {
    putField(store, 'h', 'a', '1');
    putField(store, 'h', 'b', '2');
    putField(store, 'h', 'a', '3');
    assert.equal(find(store, 'h')?.type, ValueType.hash);
    assert.equal(find(store, 'h')?.length, 2);
    assert.equal(field(store, 'h', 'a'), '3');
    assert.equal(field(store, 'h', 'missing'), undefined);
    assert.equal(field(store, 'none', 'a'), undefined);
    removeField(store, 'h', 'missing');
    removeField(store, 'h', 'a');
    assert.equal(find(store, 'h')?.length, 1);
    removeField(store, 'h', 'b');
    assert.equal(find(store, 'h'), undefined);
    assert.equal(store.keyCount(SPACE), 0);
  });

  withStore('a field of a string is missing', (store) => {
    put(store, 'k', 'v');
    assert.equal(field(store, 'k', 'f'), undefined);
    assert.equal(
      store.scanFields(SPACE, b('k'), 0, 1, 0, 10, () => assert.fail()),
      0,
    );
  });

  withStore('namespaces are apart, and those not retained are empty', (store) => {
    for (const space of [1, 2, 3]) store.putString(space, b('k'), 0, 1, b(`${space}`), 0, 1, 9);
    store.retainNamespaces([2]);
    assert.deepEqual(
      [1, 2, 3].map((space) => store.keyCount(space)),
      [0, 1, 0],
    );
    assert.deepEqual(
      [1, 2, 3].map((space) => store.expiringCount(space)),
      [0, 1, 0],
    );
    while (store.reclaim(100));
    assert.equal(store.find(1, b('k'), 0, 1), undefined);
    assert.equal(store.usage().keys, 1);
  });

  withStore(
    'a scan meets every key that stays, whatever comes and goes meanwhile',
    async (store, pause) => {
      const random = new StoreModel(seed).random;
      for (let i = 0; i < 500; i++) put(store, `stays${i}`, 'v');
      const met = new Set<string>();
      let cursor = 0;
      let calls = 0;
      do {
        cursor = store.scan(SPACE, cursor, 10, (key) =>
          met.add(Buffer.from(key).toString('latin1')),
        );
        for (let i = 0; i < 20; i++) {
          const name = `goes${random(300)}`;
          if (random(2) === 0) put(store, name, 'v');
          else store.remove(SPACE, b(name), 0, name.length);
        }
        assert(++calls < 2_000, 'expected the scan to end');
        if (calls % 10 === 0) await pause();
      } while (cursor !== 0);
      for (let i = 0; i < 500; i++) assert(met.has(`stays${i}`), `expected to meet stays${i}`);
    },
  );

  withStore('a scan of fields meets every field that stays', async (store, pause) => {
    const random = new StoreModel(seed + 1).random;
    for (let i = 0; i < 300; i++) putField(store, 'h', `stays${i}`, 'v');
    await pause();
    const met = new Set<string>();
    let cursor = 0;
    do {
      cursor = store.scanFields(SPACE, b('h'), 0, 1, cursor, 10, (name) => {
        met.add(Buffer.from(name).toString('latin1'));
      });
      for (let i = 0; i < 10; i++) {
        const name = `goes${random(100)}`;
        if (random(2) === 0) putField(store, 'h', name, 'v');
        else removeField(store, 'h', name);
      }
    } while (cursor !== 0);
    for (let i = 0; i < 300; i++) assert(met.has(`stays${i}`), `expected to meet stays${i}`);
  });

  withStore('looking for expired keys finds all of them in bounded steps', async (store, pause) => {
    for (let i = 0; i < 300; i++) put(store, `k${i}`, 'v', i % 3 === 0 ? 50 : 150);
    for (let i = 0; i < 300; i += 9) store.setExpiry(SPACE, b(`k${i}`), 0, `k${i}`.length, 120);
    for (let i = 1; i < 300; i += 9) store.setExpiry(SPACE, b(`k${i}`), 0, `k${i}`.length, 60);
    for (let i = 2; i < 300; i += 9) store.setExpiry(SPACE, b(`k${i}`), 0, `k${i}`.length, 0);
    store.scanExpired(SPACE, 50, 7, 1_000, () => assert.fail('50 is not before 50'));
    for (const [nowMs, expected] of [
      [51, 66],
      [100, 34],
      [150, 34],
      [151, 132],
    ]) {
      await pause();
      assert.equal(removeExpired(store, nowMs, 7, 20), expected, `at ${nowMs}`);
    }
    assert.deepEqual([store.keyCount(SPACE), store.expiringCount(SPACE)], [34, 0]);
  });

  withStore('expired keys do not pile up behind those that come', async (store, pause) => {
    let added = 0;
    for (let nowMs = 1; nowMs <= 120; nowMs++) {
      for (let i = 0; i < 50; i++) put(store, `k${added++}`, 'v', nowMs + 20);
      removeExpired(store, nowMs, 10, 20);
      if (nowMs % 12 === 0) await pause();
    }
    assert(store.keyCount(SPACE) < 50 * 25, `${store.keyCount(SPACE)} keys are left`);
  });

  withStore('random operations leave what the model says', async (store, pause) => {
    const model = new StoreModel(seed);
    for (let i = 0; i < operations; i++) {
      model.step(store);
      if (i % 97 !== 0) continue;
      await pause();
      expectState(store, model);
    }
    expectState(store, model);
  });

  withStore(
    'R1: applying any part of a run of effects again changes nothing',
    async (store, pause) => {
      const model = new StoreModel(seed + 2);
      const runs = Array.from({ length: 300 }, () => model.encodeStep());
      const databases = new Databases();
      const apply = (from: number) => {
        const reader = new EffectReader();
        for (const run of runs.slice(from))
          applyEffects(reader, run, 0, run.length, store, databases);
      };
      apply(0);
      expectState(store, model);
      for (const from of [0, 1, 150, 299]) {
        await pause();
        apply(from);
        expectState(store, model);
      }
    },
  );

  fieldCases(withStore);
  imageCases(withStore, options);
}

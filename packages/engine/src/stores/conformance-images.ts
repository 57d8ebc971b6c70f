/** Conformance: point-in-time images (R16). */
import assert from 'node:assert/strict';
import { b, expectState, loadImage, type StoreCase } from './conformance-steps.js';
import { dumpNamespace } from './dump.js';
import { type Store, ValueType } from './store.js';
import { StoreModel } from './store-model.js';

export function imageCases(
  withStore: StoreCase,
  { makeStore, seed }: { makeStore: () => Store; seed: number },
): void {
  withStore(
    'R16: an image is the state when it began, whatever is written while it is read',
    async (store, pause) => {
      for (let round = 0; round < 8; round++) {
        const model = new StoreModel(seed + 10 + round);
        for (let i = 0; i < 200; i++) model.step(store);
        const expected = model.spaces.map((space) => dumpNamespace(store, space));
        await pause();
        let steps = 0;
        const loaded = await loadImage(store.image(), makeStore(), async () => {
          for (let i = 0; i < 5; i++) model.step(store);
          if (++steps % 10 === 0) await pause();
        });
        assert.deepEqual(
          model.spaces.map((space) => dumpNamespace(loaded, space)),
          expected,
        );
        expectState(store, model);
        await loaded.close();
        store.retainNamespaces([]);
      }
    },
  );

  withStore(
    'R16: an image outlives what it is of: emptied collections, dropped namespaces, keys made anew',
    async (store, pause) => {
      const { random } = new StoreModel(seed + 4);
      const change = (space: number) => {
        const key = b(`k${random(40)}`);
        const name = b(`f${random(30)}`);
        const value = b('v'.repeat(random(30)));
        const { length } = value;
        switch (random(9)) {
          case 0:
            store.remove(space, key, 0, key.length);
            return;
          case 5:
            store.setFieldExpiry(space, key, 0, key.length, name, 0, name.length, random(3) * 10);
            return;
          case 1:
            store.setExpiry(space, key, 0, key.length, random(3) * 1_000);
            return;
          case 2:
            store.putString(space, key, 0, key.length, value, 0, length, 7);
            return;
          case 3:
            store.patchString(space, key, 0, key.length, 0, value, 0, length, length + random(5));
            return;
          case 4:
            store.removeField(space, key, 0, key.length, name, 0, name.length);
            return;
          default: {
            const { hash } = ValueType;
            store.putField(space, hash, key, 0, key.length, name, 0, name.length, value, 0, length);
          }
        }
      };
      for (let round = 0; round < 10; round++) {
        const spaces = [1, 2, 3].map((space) => space + round * 10);
        for (let i = 0; i < 600; i++) change(spaces[i % 3]);
        const expected = spaces.map((space) => dumpNamespace(store, space));
        let step = 0;
        const loaded = await loadImage(store.image(), makeStore(), async () => {
          if (++step % 10 === 0) await pause();
          for (let i = 0; i < 4; i++) change(spaces[random(3)]);
          // All of a namespace at once, then some of it anew.
          if (step === 10) for (let i = 10; i < 40; i++) store.remove(spaces[0], b(`k${i}`), 0, 3);
          if (step === 20) store.retainNamespaces(spaces.slice(0, 2));
          if (step === 30) store.retainNamespaces([]);
        });
        assert.deepEqual(
          spaces.map((space) => dumpNamespace(loaded, space)),
          expected,
        );
        await loaded.close();
        store.retainNamespaces([]);
        while (store.reclaim(1_000));
      }
    },
  );

  withStore('an image given up half way leaves the store as it is', (store) => {
    const model = new StoreModel(seed + 3);
    for (let i = 0; i < 300; i++) model.step(store);
    const image = store.image();
    image.next(64);
    model.step(store);
    image.release();
    assert.equal(store.usage().imageBytes, 0);
    for (let i = 0; i < 300; i++) model.step(store);
    expectState(store, model);
    store.image().release();
  });
}

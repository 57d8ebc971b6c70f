import { SimVfs } from '@nendb/vfs/sim';
import { describe, test } from 'vitest';
import { storeConformance } from '../../src/stores/conformance.js';
import { committing, openStore } from './lsm-stores.js';

const rotating = Math.floor(performance.timeOrigin) % 1_000_000;

/** The tests make their stores in the call: some are opened beforehand. */
const STORES = 60;
const sim = new SimVfs({ record: false });
const opened = await sim.run(async () => {
  const stores = [];
  for (let i = 0; i < STORES; i++) {
    stores.push(committing(await openStore(sim, { dir: `/data/${i}` })));
  }
  return stores;
});

describe(`lsm store, seed ${rotating}`, () => {
  const makeStore = () => {
    const store = opened.pop();
    if (store === undefined) throw new Error('expected enough stores to be open');
    return store;
  };
  storeConformance({
    test: (name, body) => test(name, () => sim.run(async () => body())),
    makeStore,
    seed: rotating,
    pause: async (store) => store.persistence?.flush(),
  });
});

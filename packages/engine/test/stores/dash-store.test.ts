import { Region } from '@nendb/pmem';
import { describe, test } from 'vitest';
import { storeConformance } from '../../src/stores/conformance.js';
import { DashStore } from '../../src/stores/dash/dash-store.js';

const MiB = 1024 * 1024;
const rotating = Math.floor(performance.timeOrigin) % 1_000_000;

describe(`dash store, seed ${rotating}`, () => {
  storeConformance({ test, makeStore: () => new DashStore(Region.heap(64 * MiB)), seed: rotating });
});

describe('dash store whose hashes are nested from the third field on', () => {
  const makeStore = () => new DashStore(Region.heap(64 * MiB), { packedFieldsMax: 2 });
  for (const seed of [1, 20261, rotating]) {
    describe(`seed ${seed}`, () => storeConformance({ test, makeStore, seed }));
  }
});

describe('dash store in a region of 4 MiB, in pieces of 500 bytes', () => {
  const makeStore = () =>
    new DashStore(Region.heap(4 * MiB), { packedFieldsMax: 8, chunkBytes: 2048 });
  storeConformance({ test, makeStore, seed: rotating });
});

import { describe, test } from 'vitest';
import { storeConformance } from '../../src/stores/conformance.js';
import { MapStore } from '../../src/stores/map/map-store.js';

const rotating = Math.floor(performance.timeOrigin) % 1_000_000;

for (const seed of [1, 20261, rotating]) {
  describe(`map store, seed ${seed}`, () => {
    storeConformance({ test, makeStore: () => new MapStore(), seed });
  });
}

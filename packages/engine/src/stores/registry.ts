/** The stores there are, by name: `dash` is the default, `lsm` is on disk, `map` the reference for tests. */
import { EngineError } from '../errors.js';
import type { EngineSettings } from '../options.js';
import { openDashStore } from './dash/open.js';
import { MapStore } from './map/map-store.js';
import type { Store } from './store.js';

/** What a new directory is made with. */
export const STORE_KIND_DEFAULT = 'dash';

/** The store that keeps itself on disk: it is opened, not made (`recover-tree.ts`). */
export const TREE_STORE_KIND = 'lsm';

const factories: Readonly<Record<string, (settings: EngineSettings) => Promise<Store>>> = {
  dash: openDashStore,
  map: async () => new MapStore(),
};

/** Throws `ENGINE_STORE_UNAVAILABLE` where there is no store of that name. */
export function assertStoreKind(kind: string): void {
  if (kind === TREE_STORE_KIND || Object.hasOwn(factories, kind)) return;
  const known = [...Object.keys(factories), TREE_STORE_KIND].join(', ');
  throw new EngineError(
    'ENGINE_STORE_UNAVAILABLE',
    `expected a store out of ${known}: there is no store ${JSON.stringify(kind)}`,
  );
}

/** A store with nothing in it. */
export function createStore(kind: string, settings: EngineSettings): Promise<Store> {
  assertStoreKind(kind);
  return factories[kind](settings);
}

/** The stores there are, by name: `dash` is the default, `map` the reference for tests. */
import { EngineError } from '../errors.js';
import type { EngineSettings } from '../options.js';
import { openDashStore } from './dash/open.js';
import { MapStore } from './map/map-store.js';
import type { Store } from './store.js';

/** What a new directory is made with. */
export const STORE_KIND_DEFAULT = 'dash';

/** Named in the design, not built: told apart from a misspelling. */
const PLANNED = new Set(['lsm']);

const factories: Readonly<Record<string, (settings: EngineSettings) => Promise<Store>>> = {
  dash: openDashStore,
  map: async () => new MapStore(),
};

/** Throws `ENGINE_STORE_UNAVAILABLE` where there is no store of that name. */
export function assertStoreKind(kind: string): void {
  if (Object.hasOwn(factories, kind)) return;
  const known = Object.keys(factories).join(', ');
  const why = PLANNED.has(kind)
    ? `the store ${kind} does not exist yet`
    : `there is no store ${JSON.stringify(kind)}`;
  throw new EngineError('ENGINE_STORE_UNAVAILABLE', `expected a store out of ${known}: ${why}`);
}

/** A store with nothing in it. */
export function createStore(kind: string, settings: EngineSettings): Promise<Store> {
  assertStoreKind(kind);
  return factories[kind](settings);
}

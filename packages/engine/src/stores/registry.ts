/** The stores there are, by name. */
import { EngineError } from '../errors.js';
import { MapStore } from './map/map-store.js';
import type { Store } from './store.js';

export const STORE_KIND_DEFAULT = 'map';

/** Named in the design, not built: told apart from a misspelling. */
const PLANNED = new Set(['dash', 'lsm']);

const factories: Readonly<Record<string, () => Store>> = { map: () => new MapStore() };

/** Throws `ENGINE_STORE_UNAVAILABLE` where there is no store of that name. */
export function assertStoreKind(kind: string): void {
  if (Object.hasOwn(factories, kind)) return;
  const known = Object.keys(factories).join(', ');
  const why = PLANNED.has(kind)
    ? `the store ${kind} does not exist yet`
    : `there is no store ${JSON.stringify(kind)}`;
  throw new EngineError('ENGINE_STORE_UNAVAILABLE', `expected a store out of ${known}: ${why}`);
}

export function createStore(kind: string): Store {
  assertStoreKind(kind);
  return factories[kind]();
}

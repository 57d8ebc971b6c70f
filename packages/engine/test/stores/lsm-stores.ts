/** Stores on a tree for tests: on a simulated machine, with memory for a few keys. */
import type { SimVfs } from '@nendb/vfs/sim';
import type { LsmStore } from '../../src/stores/lsm/lsm-store.js';
import { type LsmStoreHome, openLsmStore } from '../../src/stores/lsm/open.js';
import type { StoreLog } from '../../src/stores/persistence.js';
import type { Store } from '../../src/stores/store.js';

/** Everything beyond some hundred keys goes to tables, of several levels. */
export const SMALL: LsmStoreHome['lsm'] = {
  ...{ memtableBytes: 16 * 1024, cacheBytes: 16 * 1024, blockBytes: 512 },
  ...{ tableBytes: 8 * 1024, levelBaseBytes: 16 * 1024 },
};

export const UUID = new Uint8Array(16).fill(7);

/** A log that is always synced, and remembers where it may be cut. */
export class FakeLog implements StoreLog {
  epoch = 1;
  syncedLsn = Number.MAX_SAFE_INTEGER;
  cutBefore = 0;

  async sync(): Promise<void> {}

  async truncateBefore(lsn: number): Promise<void> {
    this.cutBefore = Math.max(this.cutBefore, lsn);
  }
}

export async function openStore(
  vfs: SimVfs,
  more: Partial<LsmStoreHome> = {},
  log: StoreLog = new FakeLog(),
): Promise<LsmStore> {
  const home = { dir: '/data/db', vfs, lsm: SMALL, databaseUuid: UUID, mustExist: false };
  const store = await openLsmStore({ ...home, ...more });
  store.attach(log);
  return store;
}

const WRITES = new Set<string | symbol>([
  ...['putString', 'patchString', 'remove', 'setExpiry', 'putField', 'setFieldExpiry'],
  ...['removeField', 'retainNamespaces'],
]);

/** The store with a commit behind every write: the conformance tests know no commits. */
export function committing(store: LsmStore, firstLsn = 1): Store {
  let lsn = firstLsn - 1;
  return new Proxy<Store>(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (!WRITES.has(name)) return value.bind(target);
      return (...given: unknown[]) => {
        value.apply(target, given);
        store.committed(++lsn);
      };
    },
  });
}

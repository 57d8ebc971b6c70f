/**
 * Opens a data directory (`directory.ts`): from files to a store that holds every acknowledged commit.
 *
 * Order: what can refuse the directory comes before what changes it. The identity is read before
 * the lock is taken and again under it; the snapshot is validated; the log is checked and replayed
 * in one pass; only then does the log begin its next segment.
 *
 * Invariants
 *  1. A directory that is refused is left as it was (but for the text in LOCK).
 *  2. The store holds the image and every record behind it, in order, and nothing else (R1).
 *  3. An image ahead of the log, or a gap between the two, fails closed (R3, R4).
 */
import { makeDirectory, REPLACE_SUFFIX, type VfsLock } from '@nendb/vfs';
import type { Wal, WalEvent } from '@nendb/wal';
import type { DatabaseClock } from './database-clock.js';
import { IDENTITY_FILE, LOCK_FILE } from './directory.js';
import type { Databases } from './effects/databases.js';
import { asEngineError, EngineError } from './errors.js';
import { type Identity, readIdentity, writeIdentity } from './identity.js';
import type { EngineSettings } from './options.js';
import { type Recovered, recover } from './recover.js';
import { assertStoreKind, STORE_KIND_DEFAULT } from './stores/registry.js';
import type { Store } from './stores/store.js';
import type { EngineRecovery } from './types.js';

/** Everything an engine is made of once its directory is open. */
export interface OpenedDatabase {
  lock: VfsLock;
  identity: Identity;
  wal: Wal;
  store: Store;
  databases: Databases;
  clock: DatabaseClock;
  recovery: EngineRecovery;
  /** Bytes of the records replayed behind the image. */
  replayedBytes: number;
}

/** Throws `EngineError`; the directory is then unlocked and as it was. */
export async function openDatabase(
  settings: EngineSettings,
  onWalEvent: (event: WalEvent) => void,
): Promise<OpenedDatabase> {
  const { vfs, dir } = settings;
  let lock: VfsLock | undefined;
  try {
    if (settings.store !== undefined) assertStoreKind(settings.store);
    assertFits(settings, await readIdentity(vfs, dir));
    await makeDirectory(vfs, dir);
    lock = await vfs.lock(`${dir}/${LOCK_FILE}`);
    const startMs = vfs.clock.monotonicMs();
    const identity = await claimDirectory(settings);
    const recovered = await recover(settings, identity, onWalEvent);
    const { wal, target, recovery: log, report } = recovered;
    const { clock, databases, replayed, replayedBytes, store } = target;
    clock.atLeast(log.databaseTimeMs);
    await makeReady(settings, identity, recovered);
    const elapsedMs = vfs.clock.monotonicMs() - startMs;
    const recovery = { log, ...report, replayed, elapsedMs };
    return { lock, identity, wal, store, databases, clock, replayedBytes, recovery };
  } catch (error) {
    // What refused the directory is the news, not what then failed besides.
    await lock?.release().catch(() => undefined);
    throw asEngineError(error);
  }
}

/** A directory keeps its store (R5). */
function assertFits(settings: EngineSettings, identity: Identity | undefined): void {
  const { dir, pmemPath, store: wanted } = settings;
  const kind = identity?.storeKind ?? wanted ?? STORE_KIND_DEFAULT;
  if (wanted !== undefined && wanted !== kind) {
    throw new EngineError(
      'ENGINE_WRONG_STORE',
      `expected ${dir} to be made with store ${wanted}, it was made with ${kind}: open it with --store ${kind}, or leave --store out, or use another directory`,
    );
  }
  assertStoreKind(kind);
  if (pmemPath === undefined || kind === 'dash') return;
  throw new EngineError(
    'ENGINE_BAD_OPTION',
    `expected the store dash with a mapped region (${pmemPath}), ${dir} has the store ${kind}: leave --pmem-path out`,
  );
}

/** The identity of the locked directory; a new directory gets one. */
async function claimDirectory(settings: EngineSettings): Promise<Identity> {
  const { vfs, dir, store } = settings;
  const found = await readIdentity(vfs, dir);
  assertFits(settings, found);
  for (const name of await vfs.readdir(dir)) {
    if (name.startsWith(`${IDENTITY_FILE}.`) && name.endsWith(REPLACE_SUFFIX)) {
      await vfs.unlink(`${dir}/${name}`);
    }
  }
  if (found) return found;
  const storeKind = store ?? STORE_KIND_DEFAULT;
  const identity = { databaseUuid: vfs.random.uuid(), storeKind, ready: false };
  await writeIdentity(vfs, dir, identity);
  return identity;
}

/** The log is durable: from here on an empty one has been lost. */
async function makeReady(
  { vfs, dir }: EngineSettings,
  identity: Identity,
  { wal, target }: Recovered,
): Promise<void> {
  if (identity.ready) return;
  try {
    await writeIdentity(vfs, dir, { ...identity, ready: true });
  } catch (error) {
    await wal.close().catch(() => undefined);
    await target.store.close();
    throw error;
  }
}

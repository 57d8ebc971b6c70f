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
import { type Lsn, lsn } from '@nendb/codec';
import { Snapshot, type SnapshotImage } from '@nendb/snapshot';
import { makeDirectory, REPLACE_SUFFIX, type VfsLock } from '@nendb/vfs';
import { Wal, type WalEvent, type WalRecovery } from '@nendb/wal';
import { DatabaseClock } from './database-clock.js';
import { IDENTITY_FILE, LOCK_FILE, WAL_DIRECTORY } from './directory.js';
import { applyEffects } from './effects/apply.js';
import { Databases } from './effects/databases.js';
import { EffectReader } from './effects/reader.js';
import { asEngineError, EngineError } from './errors.js';
import { type Identity, readIdentity, writeIdentity } from './identity.js';
import { runsOf } from './image-stream.js';
import type { EngineSettings } from './options.js';
import { assertStoreKind, createStore, STORE_KIND_DEFAULT } from './stores/registry.js';
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
    assertFits(dir, settings.store, await readIdentity(vfs, dir));
    await makeDirectory(vfs, dir);
    lock = await vfs.lock(`${dir}/${LOCK_FILE}`);
    const identity = await claimDirectory(settings);
    return { lock, ...(await recover(settings, identity, onWalEvent)) };
  } catch (error) {
    // What refused the directory is the news, not what then failed besides.
    await lock?.release().catch(() => undefined);
    throw asEngineError(error);
  }
}

/** A directory keeps its store (R5); `storeKind` is `undefined` where none was asked for. */
function assertFits(
  dir: string,
  storeKind: string | undefined,
  identity: Identity | undefined,
): void {
  if (!identity) return;
  if (storeKind === undefined || identity.storeKind === storeKind) {
    assertStoreKind(identity.storeKind);
    return;
  }
  throw new EngineError(
    'ENGINE_WRONG_STORE',
    `expected ${dir} to be made with store ${storeKind}, it was made with ${identity.storeKind}: open it with --store ${identity.storeKind}, or leave --store out, or use another directory`,
  );
}

/** The identity of the locked directory; a new directory gets one. */
async function claimDirectory({ vfs, dir, store }: EngineSettings): Promise<Identity> {
  const found = await readIdentity(vfs, dir);
  assertFits(dir, store, found);
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

async function recover(
  settings: EngineSettings,
  identity: Identity,
  onWalEvent: (event: WalEvent) => void,
): Promise<Omit<OpenedDatabase, 'lock'>> {
  const base = await loadImage(settings, identity);
  const store = await createStore(identity.storeKind, settings);
  try {
    return await rebuild(settings, identity, base, store, onWalEvent);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Brings an empty store to what snapshot and log say. */
async function rebuild(
  settings: EngineSettings,
  identity: Identity,
  base: Base,
  store: Store,
  onWalEvent: (event: WalEvent) => void,
): Promise<Omit<OpenedDatabase, 'lock'>> {
  const { vfs, dir } = settings;
  const target = new RecoveryTarget(settings, store);
  if (base.image) await target.load(base.image);
  const opened = await openWal(settings, identity, target, base, onWalEvent);
  target.clock.atLeast(opened.recovery.databaseTimeMs);
  if (!identity.ready) {
    identity = { ...identity, ready: true };
    try {
      await writeIdentity(vfs, dir, identity);
    } catch (error) {
      await opened.wal.close().catch(() => undefined);
      throw error;
    }
  }
  return {
    identity,
    wal: opened.wal,
    store: target.store,
    databases: target.databases,
    clock: target.clock,
    replayedBytes: target.replayedBytes,
    recovery: {
      log: opened.recovery,
      ...(base.image && { snapshot: describe(base.image) }),
      ...(base.refusal && { snapshotRefused: base.refusal.message }),
      replayed: target.replayed,
      elapsedMs: vfs.clock.monotonicMs() - base.startMs,
    },
  };
}

function describe({ info, source, reason }: SnapshotImage): EngineRecovery['snapshot'] {
  return { info, source, ...(reason !== undefined && { reason }) };
}

/** What recovery starts from. */
interface Base {
  /** When it was begun to look for it: monotonic time. */
  startMs: number;
  image?: SnapshotImage;
  refusal?: Error;
}

/**
 * The image to start from. Where images exist but none is valid, the log may still reach back to
 * its first record; the refusal is kept for the case that it does not.
 */
async function loadImage({ vfs, dir }: EngineSettings, identity: Identity): Promise<Base> {
  const startMs = vfs.clock.monotonicMs();
  try {
    return { startMs, image: await Snapshot.load(dir, { vfs, uuid: identity.databaseUuid }) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'SNAPSHOT_CORRUPT') {
      return { startMs, refusal: error };
    }
    throw error;
  }
}

async function openWal(
  settings: EngineSettings,
  identity: Identity,
  target: RecoveryTarget,
  { image, refusal }: Base,
  onEvent: (event: WalEvent) => void,
): Promise<{ wal: Wal; recovery: WalRecovery }> {
  try {
    return await Wal.open({
      dir: `${settings.dir}/${WAL_DIRECTORY}`,
      vfs: settings.vfs,
      sync: settings.sync,
      segmentBytesMax: settings.segmentBytesMax,
      preallocate: settings.preallocate,
      recordBytesMax: settings.commitBytesMax,
      pendingBytesMax: settings.pendingBytesMax,
      databaseUuid: identity.databaseUuid,
      databaseTimeMs: () => target.clock.nowMs(),
      mustExist: identity.ready,
      // An image of an epoch that the log has lost without its records: that epoch is spent (R2).
      epochMin: (image?.header.epoch ?? 0) + 1,
      lock: false,
      recover: { from: lsn((image?.header.lsn ?? 0) + 1), onRecord: target.replay },
      onEvent,
    });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw refusal && code === 'WAL_TRUNCATED_AWAY' ? refusal : error;
  }
}

/** The store being rebuilt. */
class RecoveryTarget {
  readonly store: Store;
  readonly databases = new Databases();
  readonly clock: DatabaseClock;
  replayed = 0;
  replayedBytes = 0;
  readonly #reader = new EffectReader();

  constructor(settings: EngineSettings, store: Store) {
    this.store = store;
    this.clock = new DatabaseClock(settings.vfs.clock);
  }

  async load(image: SnapshotImage): Promise<void> {
    this.clock.atLeast(image.header.databaseTimeMs);
    for await (const run of runsOf(image.chunks)) {
      this.#apply(run, 0, run.length, () => image.info.file);
    }
  }

  readonly replay = (
    at: Lsn,
    bytes: Uint8Array,
    start: number,
    end: number,
    databaseTimeMs: number,
  ): void => {
    this.clock.atLeast(databaseTimeMs);
    this.#apply(bytes, start, end, () => `record ${at} of the log`);
    this.replayed++;
    this.replayedBytes += end - start;
  };

  #apply(bytes: Uint8Array, from: number, to: number, where: () => string): void {
    try {
      applyEffects(this.#reader, bytes, from, to, this.store, this.databases);
    } catch (error) {
      const translated = asEngineError(error);
      if (!(translated instanceof EngineError)) throw error;
      throw new EngineError(translated.code, `${where()}: ${translated.message}`, { cause: error });
    }
  }
}

/**
 * From a locked directory to an open log and a store with every acknowledged commit: the store is built
 * from snapshot and log, or found in a mapped region and brought up to the log (R17).
 *
 *     mapped region ─▶ trusted ─────────────────────────▶ records behind it
 *                   └▶ refused ─▶ empty region ─┐
 *     no region ─────▶ empty store ─────────────┴─▶ image ─▶ records behind it
 *     tree ─────────────────────────────────────────────▶ records behind what it has flushed
 */
import { lsn } from '@nendb/codec';
import { Snapshot, type SnapshotImage } from '@nendb/snapshot';
import type { WalEvent } from '@nendb/wal';
import type { Identity } from './identity.js';
import type { OpenedLog } from './open-log.js';
import { openLog } from './open-log.js';
import type { EngineSettings } from './options.js';
import { resume } from './recover-mapped.js';
import { reopenTree } from './recover-tree.js';
import { RecoveryTarget } from './recovery-target.js';
import { MappedRegion } from './stores/dash/mapped-region.js';
import { createStore, TREE_STORE_KIND } from './stores/registry.js';
import type { Store } from './stores/store.js';
import type { EngineRecovery } from './types.js';

export interface Recovered extends OpenedLog {
  target: RecoveryTarget;
  /** What there is to tell of it besides the log. */
  report: Pick<EngineRecovery, 'region' | 'snapshot' | 'snapshotRefused'>;
}

/** Throws `EngineError` and the errors of log, snapshot and region; then nothing is left open. */
export async function recover(
  settings: EngineSettings,
  identity: Identity,
  onWalEvent: (event: WalEvent) => void,
): Promise<Recovered> {
  const { pmemPath, regionBytes, vfs } = settings;
  if (identity.storeKind === TREE_STORE_KIND) return reopenTree(settings, identity, onWalEvent);
  if (pmemPath === undefined) {
    return rebuild(settings, identity, () => createStore(identity.storeKind, settings), onWalEvent);
  }
  const mapped = await MappedRegion.open({
    path: pmemPath,
    bytesMax: regionBytes,
    vfs,
    databaseUuid: identity.databaseUuid,
  });
  try {
    const resumed = await resume(settings, identity, mapped, onWalEvent);
    if (resumed) return resumed;
    const rebuilt = await rebuild(settings, identity, () => mapped.replace(), onWalEvent);
    mapped.finish(rebuilt.wal.epoch, rebuilt.recovery.lastLsn);
    const region = { path: mapped.path, trusted: false, reason: mapped.refusal };
    return { ...rebuilt, report: { ...rebuilt.report, region } };
  } catch (error) {
    await mapped.close();
    throw error;
  }
}

/** Brings an empty store to what snapshot and log say. */
async function rebuild(
  settings: EngineSettings,
  identity: Identity,
  makeStore: () => Promise<Store>,
  onWalEvent: (event: WalEvent) => void,
): Promise<Recovered> {
  const { image, refusal } = await loadImage(settings, identity);
  const store = await makeStore();
  try {
    const target = new RecoveryTarget(settings.vfs.clock, store);
    if (image) await target.load(image);
    const start = { lsn: image?.header.lsn ?? lsn(0), epoch: image?.header.epoch ?? 0 };
    const opened = await openLog(settings, identity, target, start, onWalEvent);
    const report = {
      ...(image && { snapshot: describe(image) }),
      ...(refusal && { snapshotRefused: refusal.message }),
    };
    return { ...opened, target, report };
  } catch (error) {
    await store.close();
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw refusal && code === 'WAL_TRUNCATED_AWAY' ? refusal : error;
  }
}

function describe({ info, source, reason }: SnapshotImage): EngineRecovery['snapshot'] {
  return { info, source, ...(reason !== undefined && { reason }) };
}

/** What recovery starts from. */
interface Base {
  image?: SnapshotImage;
  refusal?: Error;
}

/**
 * The image to start from. Where images exist but none is valid, the log may still reach back to
 * its first record; the refusal is kept for the case that it does not.
 */
async function loadImage({ vfs, dir }: EngineSettings, identity: Identity): Promise<Base> {
  try {
    return { image: await Snapshot.load(dir, { vfs, uuid: identity.databaseUuid }) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'SNAPSHOT_CORRUPT') {
      return { refusal: error };
    }
    throw error;
  }
}

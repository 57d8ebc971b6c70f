/**
 * Opens the tree of a database whose store keeps itself, and replays the records that it has not flushed.
 *
 * Invariants
 *  1. A tree that is ahead of the log proves that the log has lost something: `WAL_BEHIND`, nothing is served (R3).
 *  2. What the tree flushes during the replay waits until the log is open.
 *
 * A directory that the log then refuses is as it was but for the tree's manifest, which every opening writes anew.
 */
import { lsn } from '@nendb/codec';
import type { WalEvent } from '@nendb/wal';
import type { Identity } from './identity.js';
import { openLog } from './open-log.js';
import type { EngineSettings } from './options.js';
import type { Recovered } from './recover.js';
import { RecoveryTarget } from './recovery-target.js';
import { openLsmStore } from './stores/lsm/open.js';

/** Throws the errors of tree and log; then nothing is left open. */
export async function reopenTree(
  settings: EngineSettings,
  identity: Identity,
  onWalEvent: (event: WalEvent) => void,
): Promise<Recovered> {
  const { dir, vfs, lsm } = settings;
  const { databaseUuid, ready } = identity;
  const store = await openLsmStore({ dir, vfs, lsm, databaseUuid, mustExist: ready });
  try {
    const target = new RecoveryTarget(vfs.clock, store);
    const { databases, flushedLsn, epoch } = store;
    if (databases) target.databases.assign(databases.namespaces, databases.nextNamespace);
    const start = { lsn: lsn(flushedLsn), epoch };
    const opened = await openLog(settings, identity, target, start, onWalEvent);
    store.attach(opened.wal);
    return { ...opened, target, report: {} };
  } catch (error) {
    await store.close();
    throw error;
  }
}

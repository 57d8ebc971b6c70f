/** Opens the database's log, replaying it into what is being recovered. */
import { type Lsn, lsn } from '@nendb/codec';
import { Wal, type WalEvent, type WalRecovery } from '@nendb/wal';
import { WAL_DIRECTORY } from './directory.js';
import type { Identity } from './identity.js';
import type { EngineSettings } from './options.js';
import type { RecoveryTarget } from './recovery-target.js';

export interface OpenedLog {
  wal: Wal;
  recovery: WalRecovery;
}

/** What the store holds already. */
export interface LogStart {
  /** The last record that it has; 0 for none. */
  lsn: Lsn;
  /** The epoch of the newest image, 0 where there is none: it is spent, even if the log has lost it (R2). */
  epoch: number;
}

/** Replays the records behind `start`. Throws as `Wal.open` does. */
export function openLog(
  settings: EngineSettings,
  identity: Identity,
  target: RecoveryTarget,
  start: LogStart,
  onEvent: (event: WalEvent) => void,
): Promise<OpenedLog> {
  return Wal.open({
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
    epochMin: start.epoch + 1,
    lock: false,
    recover: { from: lsn(start.lsn + 1), onRecord: target.replay },
    onEvent,
  });
}

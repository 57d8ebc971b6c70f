/**
 * Takes up a mapped region where it was left, if the log agrees (R17): of this database, written under
 * the log's last epoch or closed under it, and between its first record and its last.
 *
 * Invariants
 *  1. A region that is not trusted is not served: records replayed into it are thrown away with it.
 *  2. A snapshot newer than the log is for the ordinary way to refuse (R3).
 *
 * Why the epoch is not to be older: a log that went on without the region may have been cut meanwhile,
 * and the same numbers name other records then.
 */
import { lsn } from '@nendb/codec';
import { Snapshot, type SnapshotInfo } from '@nendb/snapshot';
import type { WalEvent } from '@nendb/wal';
import type { Identity } from './identity.js';
import { type OpenedLog, openLog } from './open-log.js';
import type { EngineSettings } from './options.js';
import type { Recovered } from './recover.js';
import { RecoveryTarget } from './recovery-target.js';
import type { MappedRegion } from './stores/dash/mapped-region.js';
import type { RegionMarks } from './stores/dash/region-marks.js';

/** The log says so where the region is ahead of it, or too far behind. */
const NOT_OF_THIS_LOG = new Set(['WAL_BEHIND', 'WAL_TRUNCATED_AWAY']);

/** The store as it was left, with the records that it lacks; `undefined` where `mapped.refusal` says why not. */
export async function resume(
  settings: EngineSettings,
  identity: Identity,
  mapped: MappedRegion,
  onWalEvent: (event: WalEvent) => void,
): Promise<Recovered | undefined> {
  if (mapped.found === undefined) return undefined;
  const { store, marks } = mapped.found;
  const { vfs, dir } = settings;
  const target = new RecoveryTarget(vfs.clock, store);
  const { databases } = store;
  if (databases) target.databases.assign(databases.namespaces, databases.nextNamespace);
  const [newest] = await Snapshot.list(dir, { vfs });
  if (newest) target.clock.atLeast(newest.header.databaseTimeMs);
  const { appliedLsn, applyingLsn } = marks;
  const start = { lsn: lsn(appliedLsn), epoch: newest?.header.epoch ?? 0 };
  let opened: OpenedLog;
  try {
    opened = await openLog(settings, identity, target, start, onWalEvent);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!target.hasFailed && !NOT_OF_THIS_LOG.has(code)) throw error;
    mapped.refusal = error instanceof Error ? error.message : String(error);
    return undefined;
  }
  const refusal = disagreement(opened, marks.epoch, applyingLsn, newest);
  if (refusal !== undefined) {
    mapped.refusal = refusal;
    await opened.wal.close();
    return undefined;
  }
  finish(marks, opened);
  const reason = mapped.wasClosed
    ? `it was closed at record ${appliedLsn}`
    : `it was left on this boot of the machine at record ${appliedLsn}`;
  const region = { path: mapped.path, trusted: true, reason };
  const snapshot = newest && { info: newest, source: 'newest' as const };
  return { ...opened, target, report: { region, ...(snapshot && { snapshot }) } };
}

function finish(marks: RegionMarks, { wal, recovery }: OpenedLog): void {
  marks.finish(wal.epoch, recovery.lastLsn);
}

/** Why the log does not vouch for the region; `undefined` where it does. */
function disagreement(
  { wal, recovery }: OpenedLog,
  epoch: number,
  applyingLsn: number,
  newest: SnapshotInfo | undefined,
): string | undefined {
  const { lastLsn } = recovery;
  const written = wal.epochs.at(-2)?.epoch ?? 0;
  if (applyingLsn > lastLsn) {
    return `record ${applyingLsn} may be in it in part, the log ends at ${lastLsn}`;
  }
  if (epoch < written) {
    return `it was written under epoch ${epoch}, the log went on without it under ${written}`;
  }
  if (newest && newest.header.lsn > lastLsn) {
    return `the snapshot has record ${newest.header.lsn}, the log ends at ${lastLsn}`;
  }
  return undefined;
}

/**
 * The status of a stopped directory, from its files alone: identity, images, and a dry run of the
 * log's recovery that writes to memory (`DryRunVfs`). The store is not loaded.
 *
 * Invariants
 *  1. Nothing on disk changes and no lock is taken; the epoch stays what it was.
 *  2. What recovery would refuse is refused here by the same code: every byte of the image and every
 *     record behind it is read and checked.
 *  3. The keys are those of a running server; what only a running process knows is null, and so is
 *     what damage hides: a directory that is refused gets the whole document too.
 */
import { NENDB_VERSION, STATUS_SCHEMA_VERSION } from '@nendb/commands';
import { type Identity, LOCK_FILE, WAL_DIRECTORY } from '@nendb/engine';
import { Snapshot, type SnapshotImage } from '@nendb/snapshot';
import { joinPath, type Vfs } from '@nendb/vfs';
import { Wal, type WalRecovery, type WalReplay } from '@nendb/wal';
import { CliError, codeOf, ExitCode, toCliError } from '../errors.js';
import { DRY_RUN_SEGMENT_BYTES } from '../limits.js';
import { settledLock } from '../lock.js';
import { uuidText } from '../output/uuid.js';
import type { StatusDocument } from '../status-document.js';
import { DryRunVfs } from './dry-run-vfs.js';
import { readDirectoryIdentity } from './identity.js';

/** A document, and what recovery would refuse the directory for. */
export interface Inspection {
  document: StatusDocument;
  failure?: CliError;
}

/** What could be found out; what is missing was refused. */
interface Findings {
  identity?: Identity;
  image?: SnapshotImage;
  /** Why no image can be used, where there are some. */
  imageRefusal?: CliError;
  /** Wall clock, in ms since 1970, when the image was written. */
  imageSavedAtMs?: number;
  recovery?: WalRecovery;
  /** The newest segment, and where its frames end, in bytes. */
  end?: { segment: string; offset: number };
  log?: LogFiles;
  replayed: number;
  failure?: CliError;
}

/** The log's files as they are on disk. */
interface LogFiles {
  /** Names, oldest first. */
  segments: string[];
  /** All of them together, what is preallocated included. */
  bytes: number;
}

/**
 * Inspects the database in `dir`. Throws `CliError` `NOT_FOUND` where there is none, and `VFS_LOCKED`
 * where a process took the directory meanwhile; damage is `failure`, beside a document that tells it.
 * Reads the image and the log behind it once.
 */
export async function inspectDirectory(dir: string, vfs: Vfs): Promise<Inspection> {
  const found = await examine(dir, vfs);
  if (found.failure !== undefined) await assertStillFree(dir, vfs);
  const reason = found.failure?.message ?? imageReason(found);
  const document: StatusDocument = {
    schema_version: STATUS_SCHEMA_VERSION,
    running: false,
    healthy: reason === null,
    reason,
    writes_refused_at_ms: null,
    recovery: recoveryStatus(found),
    wal_health: walStatus(found, reason),
    store: {
      kind: found.identity?.storeKind ?? null,
      database_uuid: found.identity === undefined ? null : uuidText(found.identity.databaseUuid),
      epoch: found.recovery === undefined ? null : lastEpoch(found.recovery),
      keys: null,
      bytes: null,
      image_bytes: null,
      region: null,
      databases: null,
      commits: null,
      effects: null,
      expired_keys: null,
    },
    snapshot: snapshotStatus(found),
    resources: { disk_free_bytes: await vfs.freeBytes(dir) },
    server: { version: NENDB_VERSION, address: null, pid: null },
  };
  return { document, failure: found.failure };
}

/** Throws only where there is no database to examine. */
async function examine(dir: string, vfs: Vfs): Promise<Findings> {
  const found: Findings = { replayed: 0 };
  try {
    found.identity = await readDirectoryIdentity(dir, vfs);
  } catch (error) {
    found.failure = toCliError(error);
    if (found.failure.code === 'NOT_FOUND') throw found.failure;
  }
  try {
    found.log = await logFiles(joinPath(dir, WAL_DIRECTORY), vfs);
    await examineImage(dir, vfs, found);
    if (found.identity !== undefined) {
      found.recovery = await dryRun(dir, found.identity, vfs, found);
      found.end = await logEnd(joinPath(dir, WAL_DIRECTORY), vfs);
    }
  } catch (error) {
    const bridged = found.imageRefusal !== undefined && codeOf(error) === 'WAL_TRUNCATED_AWAY';
    found.failure ??= toCliError(bridged ? found.imageRefusal : error);
  }
  return found;
}

/** As the engine does: where no image is valid, the log may still reach back to its first record. */
async function examineImage(dir: string, vfs: Vfs, found: Findings): Promise<void> {
  try {
    found.image = await Snapshot.load(dir, { vfs, uuid: found.identity?.databaseUuid });
  } catch (error) {
    found.imageRefusal = toCliError(error);
    if (codeOf(error) !== 'SNAPSHOT_CORRUPT') throw error;
  }
  if (found.image === undefined) return;
  const stat = await vfs.stat(joinPath(dir, found.image.info.file));
  found.imageSavedAtMs = stat?.modifiedMs;
}

async function logFiles(dir: string, vfs: Vfs): Promise<LogFiles> {
  if ((await vfs.stat(dir)) === undefined) return { segments: [], bytes: 0 };
  const segments = (await vfs.readdir(dir)).filter((name) => name.endsWith('.wal')).sort();
  let bytes = 0;
  for (const name of segments) bytes += (await vfs.stat(joinPath(dir, name)))?.size ?? 0;
  return { segments, bytes };
}

/** Opens the log as the engine would, with every change in memory. */
async function dryRun(
  dir: string,
  identity: Identity,
  vfs: Vfs,
  found: Findings,
): Promise<WalRecovery> {
  const from = ((found.image?.header.lsn ?? 0) + 1) as WalReplay['from'];
  const { wal, recovery } = await Wal.open({
    dir: joinPath(dir, WAL_DIRECTORY),
    vfs: new DryRunVfs(vfs),
    databaseUuid: identity.databaseUuid,
    mustExist: identity.ready,
    lock: false,
    preallocate: false,
    segmentBytesMax: DRY_RUN_SEGMENT_BYTES,
    recover: {
      from,
      onRecord: () => {
        found.replayed++;
      },
    },
  });
  await wal.close();
  return recovery;
}

/** Where the log ends; `undefined` where there is none. */
async function logEnd(dir: string, vfs: Vfs): Promise<Findings['end']> {
  const last = (await Wal.inspect(dir, { vfs })).segments.at(-1);
  return last?.bytes === undefined ? undefined : { segment: last.name, offset: last.bytes };
}

/** A failure beside a process that came meanwhile says nothing about the directory. */
async function assertStillFree(dir: string, vfs: Vfs): Promise<void> {
  const { held, owner } = await settledLock(joinPath(dir, LOCK_FILE), vfs);
  if (!held) return;
  throw new CliError(
    ExitCode.locked,
    'VFS_LOCKED',
    `expected ${dir} to stay free while it was read, got process ${owner?.pid ?? '?'} that opened it`,
    'run the command again: it will ask that process',
  );
}

/** Why the newest image is not used; null where it is, or where there is none. */
function imageReason({ image, imageRefusal }: Findings): string | null {
  return image?.reason ?? imageRefusal?.message ?? null;
}

/** The dry run took the epoch after it. */
function lastEpoch({ epoch }: WalRecovery): number {
  return epoch - 1;
}

function recoveryStatus(found: Findings) {
  const { image, recovery, replayed } = found;
  return {
    verdict: recovery?.verdict ?? null,
    truncated: recovery?.truncated ?? null,
    snapshot_source: image?.source ?? null,
    snapshot_reason: imageReason(found),
    region_trusted: null,
    region_reason: null,
    replayed_records: replayed,
    elapsed_ms: recovery?.elapsedMs ?? null,
  };
}

function walStatus({ recovery, end, log, failure }: Findings, reason: string | null) {
  const lastLsn = recovery === undefined ? null : String(recovery.lastLsn);
  return {
    healthy: failure === undefined,
    state: 'stopped',
    reason,
    io_error_count: 0,
    last_error: failure?.message ?? null,
    end_pos:
      recovery === undefined
        ? null
        : {
            epoch: lastEpoch(recovery),
            lsn: String(recovery.lastLsn),
            segment: end?.segment ?? null,
            offset: end?.offset ?? null,
          },
    segments: log?.segments.length ?? null,
    segment_bytes: log?.bytes ?? null,
    first_lsn: recovery === undefined ? null : String(recovery.firstLsn),
    last_lsn: lastLsn,
    applied_lsn: lastLsn,
    durable_lsn: lastLsn,
    synced_lsn: lastLsn,
    appends: null,
    appended_bytes: null,
    writes: null,
    syncs: null,
    rotations: null,
    pending_bytes: null,
    last_sync_ms: null,
  };
}

function snapshotStatus(found: Findings) {
  const { image, imageSavedAtMs } = found;
  return {
    lsn: image === undefined ? null : String(image.header.lsn),
    file: image?.info.file ?? null,
    file_bytes: image?.info.fileBytes ?? 0,
    saved_at_ms: Math.floor(imageSavedAtMs ?? 0),
    in_progress: false,
    last_error: imageReason(found),
    log_bytes_since: null,
  };
}

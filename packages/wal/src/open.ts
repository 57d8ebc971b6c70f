/**
 * Opens a log for writing: look, judge, build the next segment, only then change anything.
 *
 *     lock -> directory and headers -> scan the last segment -> replay -> finish a committed cut -> next
 *     segment (tmp, sync, rename, sync directory) -> HEAD -> remove leftovers -> serve
 *
 * Invariants
 *  1. Nothing on disk changes before everything was judged; a refusal leaves the directory as it
 *     was (but for the lock file, and for the reserve where the disk had no room for that).
 *  2. A crash between any two steps leaves a log that opens to the same records.
 *  3. Leftovers (spares, temporaries, segments below HEAD's first) go only after HEAD names the new
 *     segment: the log is whole without them by then.
 */
import { formatUuid, type Lsn, sameUuid } from '@nendb/codec';
import { makeDirectory, type Vfs, type VfsLock, VfsLockedError, type VfsStat } from '@nendb/vfs';
import { finishCut } from './cut.js';
import { type Directory, inspectDirectory, type Segment } from './directory.js';
import { corrupt, errnoOf, explained, isNoSpace, WalError } from './errors.js';
import * as format from './format.js';
import { HeadFile } from './head-file.js';
import { EPOCH_MAX, RESERVE_STEPS } from './limits.js';
import type { LiveSegment } from './live-segment.js';
import { openReadOnly } from './open-read-only.js';
import { bad, type CheckedOptions } from './options.js';
import { replayLog } from './read-log.js';
import { buildFirst, buildNext } from './rebuild.js';
import { keepReserve, withReserve } from './reserve.js';
import { unlock } from './sealing.js';
import { scanTail, type TailScan } from './tail-scan.js';
import type { WalRecovery, WalReplay } from './types.js';

export interface Opened {
  sealed: Segment[];
  live: LiveSegment;
  /** `undefined` in a log that is open for reading only. */
  head: HeadFile | undefined;
  lock: VfsLock | undefined;
  recovery: WalRecovery;
  /** What syncing the new segment took, in ms: a first guess at the disk. */
  syncMs: number;
  /** Why it is open for reading only. */
  damage?: WalError;
}

/** Throws every code that says something about a log on disk, and `WAL_LOCKED`. */
export async function openLog(options: CheckedOptions): Promise<Opened> {
  let lock: VfsLock | undefined;
  try {
    const found = await options.vfs.stat(options.dir);
    if (found) requireDirectory(options.dir, found);
    else if (options.mustExist) throw missing(options.dir);
    await makeDirectory(options.vfs, options.dir);
    if (options.lock) lock = await takeLock(options);
    return { ...(await recoverOrRead(options)), lock };
  } catch (error) {
    await lock?.release();
    if (!isNoSpace(error)) throw explained(error);
    throw new WalError(
      'WAL_FULL',
      `no room to open the log in ${options.dir}: no record was touched; free disk space and try again`,
      { file: options.dir, cause: error },
    );
  }
}

/** Throws `WAL_BAD_OPTION` where something else has the directory's name. */
export function requireDirectory(dir: string, { kind }: VfsStat): void {
  if (kind === 'directory') return;
  throw bad('dir', 'a directory', `${dir}, which is ${kind === 'file' ? 'a file' : 'neither'}`);
}

/**
 * Takes `LOCK` in the directory: writing into it who holds it may take a block, which a full disk
 * has in the reserve only. Throws `WAL_LOCKED`.
 */
export async function takeLock({
  vfs,
  dir,
}: Pick<CheckedOptions, 'vfs' | 'dir'>): Promise<VfsLock> {
  try {
    return await withReserve(vfs, dir, () => vfs.lock(`${dir}/${format.LOCK_NAME}`));
  } catch (error) {
    if (!(error instanceof VfsLockedError)) throw error;
    throw new WalError('WAL_LOCKED', error.message, { file: error.path, cause: error });
  }
}

function missing(dir: string): WalError {
  return new WalError(
    'WAL_MISSING',
    `expected a log in ${dir}, there is none: restore it, or open without mustExist to start anew`,
    { file: dir },
  );
}

/** Recovers; with `onCorruption: 'readonly'` a damaged log is opened up to the damage. */
async function recoverOrRead(options: CheckedOptions): Promise<Omit<Opened, 'lock'>> {
  if (options.onCorruption === 'fail') return recover(options);
  const resumable = { ...options, recover: options.recover && resumableReplay(options.recover) };
  try {
    return await recover(resumable);
  } catch (error) {
    if (!(error instanceof WalError) || error.verdict !== 'corrupt') throw error;
    const opened = await openReadOnly(options, error);
    const { live, sealed } = opened;
    try {
      checkDatabase(options, live.describe());
      await replayFor(resumable, { segments: [...sealed, live.describe()] }, live);
      return opened;
    } catch (failure) {
      await live.close();
      throw failure;
    }
  }
}

/** A replay that goes on behind the records it has delivered when it is run again. */
function resumableReplay(replay: WalReplay): WalReplay {
  const { from } = replay;
  return {
    from,
    onRecord(lsn, bytes, start, end, databaseTimeMs) {
      replay.onRecord(lsn, bytes, start, end, databaseTimeMs);
      this.from = (lsn + 1) as Lsn;
    },
  };
}

async function recover(options: CheckedOptions): Promise<Omit<Opened, 'lock'>> {
  const { vfs, dir } = options;
  const startedMs = vfs.clock.monotonicMs();
  const directory = await inspectDirectory(vfs, dir);
  const last = directory.segments.at(-1);
  if (!last && options.mustExist) throw missing(dir);
  if (last) checkDatabase(options, last);
  for (const segment of directory.segments) unlock(segment, options.keys);
  const scan = await judgeTail(vfs, directory);
  await replayFor(options, directory, scan);
  const identity = {
    databaseUuid: last?.header.databaseUuid ?? options.databaseUuid ?? vfs.random.uuid(),
    epoch: nextEpoch(options, directory),
    compression: options.compression,
    keys: options.keys,
  };
  if (last && directory.pendingCut) await goOnCutting(options, directory, last);
  const buildMs = vfs.clock.monotonicMs();
  const { live, replaces } =
    last && scan
      ? await buildNext(vfs, dir, last, scan, identity)
      : { live: await buildFirst(vfs, dir, identity), replaces: false };
  const syncMs = vfs.clock.monotonicMs() - buildMs;
  const sealed = replaces ? directory.segments.slice(0, -1) : directory.segments;
  let head: HeadFile | undefined;
  try {
    await live.openTwin(vfs);
    head = await openHead(options, directory, live);
    await removeFiles(options, directory.leftovers);
    await keepReserve(vfs, dir, options.preallocateBytes * RESERVE_STEPS);
    const firstLsn = (sealed[0]?.header.baseLsn ?? live.header.baseLsn) as Lsn;
    const lastLsn = live.lastLsn as Lsn;
    const recovery: WalRecovery = {
      verdict: scan && scan.tornBytes > 0 ? 'torn' : 'clean',
      records: lastLsn + 1 - firstLsn,
      bytes: sealed.reduce((sum, segment) => sum + segment.end, live.end),
      epoch: identity.epoch,
      firstLsn,
      lastLsn,
      databaseTimeMs: scan?.databaseTimeMs ?? 0,
      databaseUuid: new Uint8Array(identity.databaseUuid),
      segments: sealed.length + 1,
      elapsedMs: vfs.clock.monotonicMs() - startedMs,
    };
    if (last && scan && scan.tornBytes > 0) {
      recovery.truncated = { segment: last.name, offset: scan.end, bytes: scan.tornBytes };
    }
    return { sealed, live, head, recovery, syncMs };
  } catch (error) {
    await head?.close();
    await live.close();
    throw error;
  }
}

function checkDatabase({ dir, databaseUuid }: CheckedOptions, last: Segment): void {
  if (!databaseUuid || sameUuid(databaseUuid, last.header.databaseUuid)) return;
  throw new WalError(
    'WAL_WRONG_DATABASE',
    `expected the log of database ${formatUuid(databaseUuid)} in ${dir}, found one of ${formatUuid(last.header.databaseUuid)}: use the right directory`,
    { file: last.path },
  );
}

/**
 * Scans the last segment, if there is one, and holds it to what HEAD knows. Throws as `scanTail`
 * does, and `WAL_CORRUPT` where the log ends before what was certainly synced.
 */
export async function judgeTail(
  vfs: Vfs,
  { head, segments }: Directory,
): Promise<TailScan | undefined> {
  const last = segments.at(-1);
  if (!last) return undefined;
  const scan = await scanTail(vfs, last);
  if (!head || scan.lastLsn >= head.syncedLsn) return scan;
  throw corrupt(
    last.path,
    scan.end,
    `the log ends at LSN ${scan.lastLsn}, ${format.HEAD_NAME} knows that ${head.syncedLsn} was synced`,
  );
}

/** Delivers what the caller replays, before anything is changed: see `WalReplay`. */
async function replayFor(
  { vfs, dir, recover: replay }: CheckedOptions,
  { segments }: Pick<Directory, 'segments'>,
  scan: Pick<TailScan, 'end' | 'lastLsn'> | undefined,
): Promise<void> {
  if (!replay) return;
  const lastLsn = scan?.lastLsn ?? 0;
  if (lastLsn < replay.from - 1) {
    throw new WalError(
      'WAL_BEHIND',
      `expected the log in ${dir} to reach LSN ${replay.from - 1}, it ends at ${lastLsn}: the log has lost records, restore it; nothing was changed`,
      { file: segments.at(-1)?.path ?? dir },
    );
  }
  const last = segments.at(-1);
  if (!last || !scan) return;
  const view = [...segments.slice(0, -1), { ...last, end: scan.end, lastLsn: scan.lastLsn }];
  await replayLog(vfs, view, replay.from, lastLsn, (lsn, bytes, from, to, databaseTimeMs) =>
    replay.onRecord(lsn, bytes, from, to, databaseTimeMs),
  );
}

function nextEpoch(options: CheckedOptions, { segments, head }: Directory): number {
  const newest = Math.max(head?.epoch ?? 0, segments.at(-1)?.header.epoch ?? 0);
  const epoch = Math.max(options.epochMin, newest + 1);
  if (epoch <= EPOCH_MAX) return epoch;
  throw new WalError(
    'WAL_BAD_OPTION',
    `expected an epoch up to ${EPOCH_MAX} in ${options.dir}, the next would be ${epoch}: start a new log`,
  );
}

/** Finishes a cut. What HEAD says may be seen in the page cache only: first it is made durable. */
async function goOnCutting(
  { vfs, dir }: CheckedOptions,
  directory: Directory,
  last: Segment,
): Promise<void> {
  const { head, pendingCut } = directory;
  if (!head || !pendingCut) return;
  const file = await HeadFile.open(vfs, dir, head);
  try {
    await file.update({});
    directory.head = { ...file.head, slotAt: head.slotAt };
  } finally {
    await file.close();
  }
  await finishCut(vfs, dir, pendingCut);
  last.name = format.segmentName(last.header.sequence);
  last.path = `${dir}/${last.name}`;
}

async function openHead(
  { vfs, dir }: CheckedOptions,
  { head, segments }: Directory,
  live: LiveSegment,
): Promise<HeadFile> {
  const { databaseUuid, epoch, sequence } = live.header;
  const state = {
    firstSequence: segments[0]?.header.sequence ?? sequence,
    lastSequence: sequence,
    epoch,
    syncedLsn: live.lastLsn,
    cutSequence: 0,
  };
  if (!head) return HeadFile.create(vfs, dir, { databaseUuid, generation: 1, ...state });
  const file = await HeadFile.open(vfs, dir, head);
  try {
    await file.update(state);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Unlinks files of the log, in order, and makes that durable. One that is gone already is fine. */
export async function removeFiles(
  { vfs, dir }: Pick<CheckedOptions, 'vfs' | 'dir'>,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  for (const name of names) {
    try {
      await vfs.unlink(`${dir}/${name}`);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
  await vfs.syncDir(dir);
}

/**
 * `truncateAfter` on an open log: brings it to rest, cuts it (see `cut.ts`), writes on from there.
 *
 * Invariants
 *  1. Nothing is submitted, written or read ahead of the cut while it lasts (`core.cutting`).
 *  2. Until HEAD is written the log is as it was, and goes on if the cut is refused. From then on an
 *     error poisons it, and the next opening finishes the cut.
 *  3. From then on nobody is shown a record that was cut off: readers and tails that come to one
 *     are told, and who begins to read meanwhile waits.
 */
import type { Lsn } from '@nendb/codec';
import type { Core } from './core.js';
import { finishCut, type PreparedCut, prepareCut } from './cut.js';
import { isNoSpace, WalError } from './errors.js';
import { EPOCH_MAX } from './limits.js';
import { bad } from './options.js';
import { printable } from './printed.js';
import type { WalCut } from './types.js';

export async function cutBack(core: Core, lsn: number): Promise<WalCut> {
  core.checkUsable();
  checkLsn(core, lsn);
  // From the call on: what is appended behind it would be acknowledged and then cut off.
  core.cutting = true;
  return core.files.exclusively(async () => {
    try {
      core.checkOpen();
      checkLsn(core, lsn);
      await core.path.writer.rest();
      core.checkAlive();
      return await cutAtRest(core, lsn);
    } finally {
      core.cutting = false;
      core.bell.ring();
    }
  });
}

function checkLsn(core: Core, lsn: number): void {
  const { lastLsn, files, options, path } = core;
  if (!(Number.isSafeInteger(lsn) && lsn >= 0 && lsn <= lastLsn)) {
    throw bad('lsn', `an LSN from 0 to ${lastLsn}, the last one`, lsn);
  }
  if (path.epoch >= EPOCH_MAX) throw bad('the epoch', `below ${EPOCH_MAX}`, path.epoch);
  if (lsn >= files.firstLsn - 1) return;
  throw new WalError(
    'WAL_TRUNCATED_AWAY',
    `expected to cut the log in ${options.dir} behind LSN ${lsn}, but it begins at ${files.firstLsn}: cut there, or start a new log`,
  );
}

async function cutAtRest(core: Core, lsn: number): Promise<WalCut> {
  const { files, announcer, path: old } = core;
  const epoch = old.epoch + 1;
  const databaseTimeMs = old.time.nowMs();
  const cut = await prepare(core, lsn, epoch, databaseTimeMs);
  const { live, kept, pending, aside } = cut;
  try {
    old.stop();
    await old.writer.settled();
    core.checkAlive();
    const { sequence } = pending;
    await files.updateHead({
      firstSequence: kept[0]?.header.sequence ?? sequence,
      lastSequence: sequence,
      cutSequence: sequence,
      epoch,
      syncedLsn: lsn,
    });
    core.cutCommitted(lsn);
    await finish(core, cut);
    await files.updateHead({ cutSequence: 0, syncedLsn: lsn });
  } catch (error) {
    await live.close();
    throw error;
  }
  core.cutDone(lsn, kept, live, epoch, databaseTimeMs);
  await old.writer.live.close();
  const done: WalCut = printable({ epoch, lastLsn: lsn as Lsn, aside });
  announcer.emit({ type: 'cut', ...done });
  announcer.announce();
  return done;
}

async function prepare(
  core: Core,
  lsn: number,
  epoch: number,
  databaseTimeMs: number,
): Promise<PreparedCut> {
  const { vfs, dir, compression, keys } = core.options;
  const { databaseUuid } = core.live.header;
  const identity = { databaseUuid, epoch, compression, keys, databaseTimeMs };
  try {
    return await prepareCut(vfs, dir, core.view(), lsn, identity);
  } catch (error) {
    if (!isNoSpace(error)) throw error;
    throw new WalError(
      'WAL_FULL',
      `no room to cut the log in ${dir} back: nothing was changed; free disk space and try again`,
      { file: dir, cause: error },
    );
  }
}

/** What must not stop half-way: an error poisons the log. */
async function finish(core: Core, { live, pending }: PreparedCut): Promise<void> {
  try {
    const { options, path } = core;
    await finishCut(options.vfs, options.dir, pending);
    await live.openTwin(options.vfs);
    await path.space.discardSpares(true);
  } catch (error) {
    throw core.fail('write', error);
  }
}

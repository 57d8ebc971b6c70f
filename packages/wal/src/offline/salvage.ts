/**
 * `Wal.salvage`: makes a log that opens out of one that is refused, when its operator decides so.
 *
 *     damaged:   [ 1 ok ][ 2 ok ][ 3 bad in the middle ][ 4 ok ]
 *     salvaged:  [ 1    ][ 2    ][ 3' up to there      ]           quarantine: 3, 4, HEAD
 *
 * Invariants
 *  1. The longest contiguous range of readable records is kept, with LSNs, epochs, database times
 *     and unit boundaries. What is left out is reported, and its files are moved, never deleted.
 *  2. Segments that are whole, and vouched for by their successors, stay as they are; everything
 *     else that is kept is written anew. No existing segment is written to.
 *  3. All that needs space is done and synced before the first file moves; from there on the plan
 *     says what is left, and running it again goes on (`salvage-plan.ts`).
 *  4. The epoch grows: a lost record's (epoch, LSN) is not used again.
 *
 * Concurrency: holds `LOCK` throughout.
 */
import { type DataKeys, formatUuid } from '@nendb/codec';
import { makeDirectory, type Vfs } from '@nendb/vfs';
import type { Segment } from '../directory.js';
import { explained, isNoSpace, WalError } from '../errors.js';
import * as format from '../format.js';
import { CHAIN_START } from '../frame.js';
import type { FoundHead } from '../head-file.js';
import { EPOCH_MAX, SALVAGE_EPOCHS_SKIPPED } from '../limits.js';
import type { LiveSegment } from '../live-segment.js';
import { requireDirectory, takeLock } from '../open.js';
import {
  bad,
  checkEncryption,
  checkFlag,
  checkNames,
  checkPath,
  checkVfs,
  type OptionNames,
} from '../options.js';
import { printable } from '../printed.js';
import { newSegment, nextEpochs, repeatFrames, stage } from '../rebuild.js';
import { unlock } from '../sealing.js';
import { type EpochStart, noUuid, type SegmentHeader } from '../segment-header.js';
import { ForgivingFile } from './forgiving-file.js';
import { type Examined, examineLog } from './inspect.js';
import { findPieces, longestChain, type Piece } from './pieces.js';
import type { LsnRange, SalvageOptions, WalSalvageReport } from './report.js';
import { carryOut, readPlan, type SalvagePlan, writePlan } from './salvage-plan.js';

const SALVAGE_OPTIONS: OptionNames<SalvageOptions> = {
  quarantine: true,
  dryRun: true,
  vfs: true,
  encryption: true,
};

/** What is kept, and how. */
interface Choice {
  examined: Examined;
  databaseUuid: Uint8Array;
  keys: DataKeys | undefined;
  /** Segments that stay as they are, oldest first. */
  anchors: Piece[];
  /** Pieces for the segments to be written anew, one group each; the last may be empty. */
  groups: Piece[][];
  firstSequence: number;
  history: EpochStart[];
  report: WalSalvageReport;
}

/**
 * Throws `WAL_BAD_OPTION`, `WAL_LOCKED`, `WAL_MISSING`, `WAL_TOO_NEW`, `WAL_WRONG_KEY`,
 * `WAL_NOT_ENCRYPTED`; `WAL_FULL` where there is no
 * room for what has to be written anew: nothing has changed then.
 */
export async function salvageLog(dir: string, options: SalvageOptions): Promise<WalSalvageReport> {
  checkNames('the options of salvage', "{ quarantine: '/a/path', ... }", options, SALVAGE_OPTIONS);
  checkPath('dir', dir);
  const quarantine = checkPath('quarantine', options.quarantine);
  const dryRun = checkFlag('dryRun', options.dryRun, false);
  const vfs = checkVfs(options.vfs);
  const keys = checkEncryption(options.encryption);
  const found = await vfs.stat(dir);
  if (!found) throw nothingHere(dir);
  requireDirectory(dir, found);
  if (dryRun) {
    const path = `${dir}/${format.LOCK_NAME}`;
    if ((await vfs.stat(path)) && (await vfs.inspectLock(path)).held) throw inUse(path);
    return printable({ ...(await salvage(vfs, dir, quarantine, keys, true)), dryRun });
  }
  const lock = await takeLock({ vfs, dir });
  try {
    return printable(await salvage(vfs, dir, quarantine, keys, false));
  } catch (error) {
    throw explained(error);
  } finally {
    await lock.release();
  }
}

function nothingHere(dir: string): WalError {
  return new WalError(
    'WAL_MISSING',
    `expected a log in ${dir}, there is none: check the path, there is nothing to salvage`,
    { file: dir },
  );
}

function inUse(path: string): WalError {
  return new WalError(
    'WAL_LOCKED',
    `expected ${path} to be free, but another process holds it: stop that process first`,
    { file: path },
  );
}

async function salvage(
  vfs: Vfs,
  dir: string,
  quarantine: string,
  keys: DataKeys | undefined,
  dryRun: boolean,
): Promise<WalSalvageReport> {
  const unfinished = await readPlan(vfs, dir);
  if (unfinished) {
    if (!dryRun) await carryOut(vfs, dir, unfinished);
    return unfinished.report;
  }
  const examined = await examineLog(vfs, dir, true, (segment) => unlock(segment, keys));
  if (examined.report.verdict === 'missing') throw nothingHere(dir);
  const choice = await choose(vfs, dir, quarantine, keys, examined);
  if (!choice.report.changed || dryRun) return choice.report;
  const plan = await stageAll(vfs, dir, choice);
  await makeDirectory(vfs, quarantine);
  await writePlan(vfs, dir, plan);
  await carryOut(vfs, dir, plan);
  return plan.report;
}

async function choose(
  vfs: Vfs,
  dir: string,
  quarantine: string,
  keys: DataKeys | undefined,
  examined: Examined,
): Promise<Choice> {
  const { survey, report: found, scan } = examined;
  const headers = survey.files.flatMap(({ segment }) => (segment ? [segment.header] : []));
  const newest = headers.reduceRight<SegmentHeader | undefined>(
    (best, header) => (best && best.epoch >= header.epoch ? best : header),
    undefined,
  );
  const databaseUuid = databaseOf(survey.head, headers) ?? vfs.random.uuid();
  const history = [...(newest?.epochs ?? [])];
  const report: WalSalvageReport = {
    dir,
    dryRun: false,
    verdict: found.verdict,
    changed: found.verdict === 'corrupt',
    lost: [],
    newerMayBeLost: false,
    moved: [],
    rebuilt: [],
    epoch: found.epoch,
    findings: found.findings,
  };
  const choice: Choice = {
    examined,
    databaseUuid,
    keys,
    anchors: [],
    groups: [],
    firstSequence: 1,
    history,
    report,
  };
  if (!report.changed) {
    const { firstLsn = 1, lastLsn = 0 } = found;
    if (lastLsn >= firstLsn) report.kept = { from: firstLsn, to: lastLsn };
    return choice;
  }
  const pieces = await findPieces(vfs, dir, examined, { databaseUuid, history, keys });
  const chain = longestChain(pieces);
  choice.anchors = anchorsOf(chain);
  choice.groups = groupsOf(chain.slice(choice.anchors.length));
  choice.firstSequence = chain[0]?.file.sequence ?? 1;
  const last = chain.at(-1);
  if (last) report.kept = { from: chain[0].firstLsn, to: last.lastLsn };
  report.lost = lostOf(examined, pieces, report.kept);
  report.newerMayBeLost = scan === undefined || !survey.head;
  report.epoch = nextEpoch(examined, pieces);
  report.moved = await movesOf(vfs, quarantine, choice);
  const first = choice.firstSequence + choice.anchors.length;
  report.rebuilt = choice.groups.map((_, i) => format.segmentName(first + i));
  return choice;
}

/** The database that most files belong to; of two with as many, the one whose file is older. */
function databaseOf(
  head: FoundHead | undefined,
  headers: readonly SegmentHeader[],
): Uint8Array | undefined {
  const uuids = headers.map(({ databaseUuid }) => databaseUuid);
  if (head) uuids.push(head.databaseUuid);
  const votes = new Map<string, { uuid: Uint8Array; count: number }>();
  for (const uuid of uuids) {
    const key = formatUuid(uuid);
    votes.set(key, { uuid, count: (votes.get(key)?.count ?? 0) + 1 });
  }
  let best: { uuid: Uint8Array; count: number } | undefined;
  for (const vote of votes.values()) if (!best || vote.count > best.count) best = vote;
  return best?.uuid;
}

/** The segments at the start of the chain that can stay: each the direct successor of the other. */
function anchorsOf(chain: readonly Piece[]): Piece[] {
  let count = 0;
  while (
    count < chain.length &&
    chain[count].whole &&
    chain[count].file.name === format.segmentName(chain[count].file.sequence) &&
    chain[count].file.sequence === chain[0].file.sequence + count
  ) {
    count++;
  }
  return chain.slice(0, count);
}

/** Pieces of one file become one segment. There is at least one: it carries the new epoch. */
function groupsOf(pieces: readonly Piece[]): Piece[][] {
  const groups: Piece[][] = [];
  for (const piece of pieces) {
    const group = groups.at(-1);
    if (group && group[0].file === piece.file) group.push(piece);
    else groups.push([piece]);
  }
  return groups.length > 0 ? groups : [[]];
}

/** Everything that is known to have been there, without what is kept. */
function lostOf(
  { survey: { head, files } }: Examined,
  pieces: readonly Piece[],
  kept: LsnRange | undefined,
): LsnRange[] {
  const headers = files.flatMap(({ segment }) => (segment ? [segment.header] : []));
  const beganAt = head?.firstSequence ?? 1;
  const first =
    beganAt === 1
      ? 1
      : Math.min(
          ...headers.map(({ baseLsn }) => baseLsn),
          ...pieces.map(({ firstLsn }) => firstLsn),
          (head?.syncedLsn ?? 0) + 1,
        );
  const last = Math.max(
    head?.syncedLsn ?? 0,
    ...headers.map(({ baseLsn, syncedLsn }) => Math.max(baseLsn - 1, syncedLsn)),
    ...pieces.map(({ lastLsn }) => lastLsn),
  );
  const ranges = kept
    ? [
        { from: first, to: kept.from - 1 },
        { from: kept.to + 1, to: last },
      ]
    : [{ from: first, to: last }];
  return ranges.filter(({ from, to }) => from <= to);
}

function nextEpoch({ survey, report }: Examined, pieces: readonly Piece[]): number {
  const known = Math.max(report.epoch, ...pieces.map(({ lastEpoch }) => lastEpoch));
  const epoch = known + 1 + (survey.head ? 0 : SALVAGE_EPOCHS_SKIPPED);
  if (epoch <= EPOCH_MAX) return epoch;
  throw bad('the next epoch', `at most ${EPOCH_MAX}: start a new log`, epoch);
}

/** What has to go, and a free name in the quarantine for each. */
async function movesOf(
  vfs: Vfs,
  quarantine: string,
  { anchors, examined: { survey, report } }: Choice,
): Promise<WalSalvageReport['moved']> {
  const stay = new Set(anchors.map(({ file }) => file.name));
  // Segments below HEAD's first are no part of the log; with another HEAD they would be.
  const below = survey.leftovers.filter((name) => format.parseSegmentName(name)?.suffix === 'wal');
  const names = survey.replaced.concat(
    below,
    survey.files.flatMap(({ name, fileBytes }) =>
      fileBytes === undefined || stay.has(name) ? [] : [name],
    ),
  );
  if (await vfs.stat(`${report.dir}/${format.HEAD_NAME}`)) names.push(format.HEAD_NAME);
  const moves: WalSalvageReport['moved'] = [];
  for (const name of names) {
    let to = `${quarantine}/${name}`;
    for (let nth = 1; await vfs.stat(to); nth++) to = `${quarantine}/${name}.${nth}`;
    moves.push({ name, to });
  }
  return moves;
}

/** Writes the new segments under temporary names. Nothing is left of them where that fails. */
async function stageAll(vfs: Vfs, dir: string, choice: Choice): Promise<SalvagePlan> {
  const { anchors, groups, firstSequence, databaseUuid, report } = choice;
  const first = firstSequence + anchors.length;
  const staged: number[] = [];
  let before: Segment | undefined = anchors.at(-1)?.segment;
  let databaseTimeMs = Math.max(0, ...anchors.map((piece) => piece.databaseTimeMs));
  try {
    for (const [i, group] of groups.entries()) {
      staged.push(first + i);
      databaseTimeMs = Math.max(databaseTimeMs, ...group.map((piece) => piece.databaseTimeMs));
      const header = headerOf(vfs, choice, first + i, before, group);
      const live = await stage(vfs, dir, { ...header, databaseTimeMs }, async (to) => {
        for (const piece of group) await repeat(vfs, piece, to);
      });
      await live.file.close();
      before = live.describe();
    }
    await vfs.syncDir(dir);
  } catch (error) {
    for (const sequence of staged) {
      await vfs.unlink(`${dir}/${format.segmentName(sequence, 'tmp')}`).catch(() => undefined);
    }
    if (!isNoSpace(error)) throw error;
    throw new WalError(
      'WAL_FULL',
      `no room to salvage the log in ${dir}: nothing was changed; free as much disk space as its damaged segments take and try again`,
      { file: dir, cause: error },
    );
  }
  return {
    step: 'move',
    staged,
    head: {
      databaseUuid: Buffer.from(databaseUuid).toString('hex'),
      firstSequence,
      lastSequence: first + groups.length - 1,
      epoch: report.epoch,
      syncedLsn: report.kept?.to ?? 0,
    },
    report,
  };
}

function headerOf(
  vfs: Vfs,
  { databaseUuid, keys, history, report }: Choice,
  sequence: number,
  before: Segment | undefined,
  group: readonly Piece[],
): Omit<SegmentHeader, 'databaseTimeMs'> {
  const keptLsn = report.kept?.to ?? 0;
  return {
    ...newSegment(vfs, { databaseUuid, epoch: report.epoch, compression: 'none', keys }),
    kind: before ? format.SegmentKind.recovered : format.SegmentKind.first,
    sequence,
    baseLsn: group[0]?.firstLsn ?? keptLsn + 1,
    syncedLsn: keptLsn,
    predecessorUuid: before?.header.segmentUuid ?? noUuid(),
    predecessorEnd: before?.end ?? 0,
    predecessorChain: before?.chain ?? CHAIN_START,
    epochs: nextEpochs(history, { epoch: report.epoch, firstLsn: keptLsn + 1 }),
    // Frames stay as compressed as they are.
    compressed: group.some(({ segment }) => segment.header.compressed),
  };
}

async function repeat(vfs: Vfs, { segment, firstLsn }: Piece, to: LiveSegment): Promise<void> {
  const file = new ForgivingFile(await vfs.open(segment.path, 'read'), () => undefined);
  try {
    await repeatFrames(file, segment, segment, firstLsn, to);
  } finally {
    await file.close();
  }
}

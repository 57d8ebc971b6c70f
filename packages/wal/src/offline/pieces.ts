/**
 * Which records of a damaged log can still be read, and which of them can be kept as one log.
 *
 *     segment 1   [ 1 .. 40 ]  bad  [ 44 .. 90 ]          pieces: runs of whole units
 *     segment 2   [ 91 .. 200 ]                           chains: 1..40 and 44..200; the longest is kept
 *
 * Invariants
 *  1. A segment's frames count up to where its successor says that it ends; where an LSN is in two
 *     segments, the newer one has it.
 *  2. A record that an opening's history gives to another epoch was cut off once, and stays so.
 *  3. LSNs of a chain are contiguous, its epochs never go back.
 */
import { type DataKeys, sameUuid, UUID_BYTES } from '@nendb/codec';
import { readFully, type Vfs, type VfsFile } from '@nendb/vfs';
import { readSegment, type Segment } from '../directory.js';
import { WalError } from '../errors.js';
import * as format from '../format.js';
import { frameSeed } from '../frame.js';
import { FrameCursor, nextFrame } from '../frame-cursor.js';
import { EPOCH_MAX } from '../limits.js';
import { unlock } from '../sealing.js';
import { type EpochStart, noUuid, readSealing } from '../segment-header.js';
import { sourceOf } from '../tail-scan.js';
import { getU64, viewOf } from '../u64.js';
import { ForgivingFile } from './forgiving-file.js';
import type { Examined } from './inspect.js';
import type { SurveyedFile } from './survey.js';
import { findUnit, type Run, walkFrames } from './walk.js';

/** Readable records of one segment, in order. */
export interface Piece {
  file: SurveyedFile;
  /** The segment as if it were these records only; readers need not know. */
  segment: Segment;
  firstLsn: number;
  lastLsn: number;
  firstEpoch: number;
  lastEpoch: number;
  databaseTimeMs: number;
  /** Whether this is all of a segment that its successor vouches for: it can stay as it is. */
  whole: boolean;
}

interface FoundRun extends Run {
  firstEpoch: number;
  lastEpoch: number;
  /** The first LSN that the history gives to another epoch. */
  staleFromLsn: number;
}

/** What must be known of a log to tell which records are its own. */
export interface LogIdentity {
  databaseUuid: Uint8Array;
  /** Epochs and their first LSNs, oldest first, by the newest header that can be read. */
  history: readonly EpochStart[];
  /** What it is encrypted with. */
  keys: DataKeys | undefined;
}

/** All pieces, oldest first. */
export async function findPieces(
  vfs: Vfs,
  dir: string,
  { survey, scan }: Examined,
  log: LogIdentity,
): Promise<Piece[]> {
  const { databaseUuid, history, keys } = log;
  const sources = await sourcesOf(vfs, dir, survey.files, keys);
  const pieces: Piece[] = [];
  let belowLsn = Number.MAX_SAFE_INTEGER;
  for (const { file, segment } of sources.reverse()) {
    const { header } = segment;
    if (file.segment && !sameUuid(header.databaseUuid, databaseUuid)) continue;
    const last = file === survey.files.at(-1) && scan !== undefined;
    const end = file.vouched || last ? Math.min(segment.end, segment.fileBytes) : segment.fileBytes;
    const handle = new ForgivingFile(await vfs.open(segment.path, 'read'), () => undefined);
    try {
      const found = await findRuns(handle, segment, end, history);
      for (const run of found.reverse()) {
        const kept = await clip(handle, segment, run, Math.min(belowLsn, run.staleFromLsn));
        if (kept) pieces.unshift(pieceOf(file, segment, kept));
        belowLsn = Math.min(belowLsn, run.firstLsn);
      }
    } finally {
      await handle.close();
    }
    if (file.segment) belowLsn = Math.min(belowLsn, header.baseLsn);
  }
  return pieces;
}

/** The chain of pieces with the most records; of equally long ones the oldest. */
export function longestChain(pieces: readonly Piece[]): Piece[] {
  let best: Piece[] = [];
  let chain: Piece[] = [];
  for (const piece of pieces) {
    const before = chain.at(-1);
    const follows =
      before && piece.firstLsn === before.lastLsn + 1 && piece.firstEpoch >= before.lastEpoch;
    if (follows) chain.push(piece);
    else chain = [piece];
    if (recordsOf(chain) > recordsOf(best)) best = chain;
  }
  return best;
}

function recordsOf(chain: readonly Piece[]): number {
  return chain.length === 0 ? 0 : chain[chain.length - 1].lastLsn + 1 - chain[0].firstLsn;
}

interface Source {
  file: SurveyedFile;
  segment: Segment;
}

/** Every file whose frames can be told, in the order of the log. */
async function sourcesOf(
  vfs: Vfs,
  dir: string,
  files: readonly SurveyedFile[],
  keys: DataKeys | undefined,
): Promise<Source[]> {
  const sources: Source[] = [];
  for (const [i, file] of files.entries()) {
    const segment =
      file.segment ??
      (file.fileBytes === undefined || file.strange
        ? undefined
        : await guess(vfs, dir, file, files[i + 1]?.segment?.header.predecessorUuid, keys));
    if (segment && isOpen(segment, keys)) sources.push({ file, segment });
  }
  return sources.sort((a, b) => a.segment.header.sequence - b.segment.header.sequence);
}

function isOpen(segment: Segment, keys: DataKeys | undefined): boolean {
  try {
    unlock(segment, keys);
    return true;
  } catch (error) {
    if (error instanceof WalError) return false;
    throw error;
  }
}

/**
 * A segment whose header cannot be believed, by what can: a header that is whole but under another
 * name, or a uuid that its frames' checksums confirm.
 */
async function guess(
  vfs: Vfs,
  dir: string,
  { name, path, sequence, fileBytes = 0 }: SurveyedFile,
  successorSays: Uint8Array | undefined,
  keys: DataKeys | undefined,
): Promise<Segment | undefined> {
  const file = new ForgivingFile(await vfs.open(path, 'read'), () => undefined);
  try {
    const start = new Uint8Array(format.HEADER_ALIGNMENT);
    if ((await readFully(file, start, 0)) < start.length) return undefined;
    const misnamed = await readMisnamed(
      vfs,
      dir,
      getU64(viewOf(start), format.HEADER_SEQUENCE_AT),
      name,
    );
    if (misnamed) return misnamed;
    const own = start.slice(format.HEADER_UUID_AT, format.HEADER_UUID_AT + UUID_BYTES);
    for (const segmentUuid of successorSays ? [own, successorSays] : [own]) {
      const seed = frameSeed(segmentUuid);
      const found = await findUnit(file, seed, format.HEADER_ALIGNMENT, fileBytes);
      if (!found) continue;
      return {
        name,
        path,
        header: {
          databaseUuid: noUuid(),
          segmentUuid,
          kind: format.SegmentKind.recovered,
          sequence,
          baseLsn: found.firstLsn,
          syncedLsn: 0,
          epoch: EPOCH_MAX,
          databaseTimeMs: 0,
          predecessorUuid: noUuid(),
          predecessorEnd: 0,
          predecessorChain: 0,
          epochs: [],
          compressed: true,
          sealing: keys && readSealing(start),
        },
        headerBytes: found.offset,
        seed,
        end: fileBytes,
        lastLsn: found.firstLsn - 1,
        chain: 0,
        fileBytes,
      };
    }
    return undefined;
  } finally {
    await file.close();
  }
}

async function readMisnamed(
  vfs: Vfs,
  dir: string,
  sequence: number,
  name: string,
): Promise<Segment | undefined> {
  if (!Number.isSafeInteger(sequence) || sequence === 0) return undefined;
  try {
    return await readSegment(vfs, dir, sequence, name);
  } catch (error) {
    if (error instanceof WalError && error.code === 'WAL_CORRUPT') return undefined;
    throw error;
  }
}

async function findRuns(
  file: VfsFile,
  segment: Segment,
  end: number,
  history: readonly EpochStart[],
): Promise<FoundRun[]> {
  const runs: FoundRun[] = [];
  let firstEpoch = 0;
  let lastEpoch = 0;
  let staleFromLsn = Number.MAX_SAFE_INTEGER;
  await walkFrames(file, sourceOf(segment), end, false, {
    frame: ({ header }) => {
      if (header.type !== format.FrameType.records) return;
      if (firstEpoch === 0) firstEpoch = header.epoch;
      lastEpoch = header.epoch;
      if (isStale(history, header.firstLsn, header.epoch)) {
        staleFromLsn = Math.min(staleFromLsn, header.firstLsn);
      }
    },
    run: (run) => {
      runs.push({ ...run, firstEpoch, lastEpoch, staleFromLsn });
      firstEpoch = 0;
      lastEpoch = 0;
      staleFromLsn = Number.MAX_SAFE_INTEGER;
    },
    bad: () => undefined,
  });
  return runs;
}

/** Whether the history gives `lsn` to another epoch than `epoch`; it may not know of the newest. */
function isStale(history: readonly EpochStart[], lsn: number, epoch: number): boolean {
  const newest = history.at(-1)?.epoch ?? 0;
  if (epoch > newest) return false;
  const owner = history.findLast(({ firstLsn }) => firstLsn <= lsn)?.epoch;
  return owner !== undefined && owner !== epoch;
}

/** The part of `run` below `belowLsn`, in whole frames; `undefined` where nothing is left. */
async function clip(
  file: VfsFile,
  segment: Segment,
  run: FoundRun,
  belowLsn: number,
): Promise<FoundRun | undefined> {
  if (run.lastLsn < run.firstLsn) return undefined;
  if (run.lastLsn < belowLsn) return run;
  const source = { ...sourceOf(segment), headerBytes: run.start, baseLsn: run.firstLsn };
  const cursor = new FrameCursor(file, source, run.end, false);
  const clipped = { ...run, end: run.start, lastLsn: run.firstLsn - 1, chain: 0 };
  while (await nextFrame(cursor)) {
    if (cursor.committedLsn >= belowLsn) break;
    clipped.end = cursor.committedEnd;
    clipped.lastLsn = cursor.committedLsn;
    clipped.chain = cursor.committedChain;
    if (cursor.header.type === format.FrameType.records) clipped.lastEpoch = cursor.header.epoch;
  }
  return clipped.lastLsn >= clipped.firstLsn ? clipped : undefined;
}

function pieceOf(file: SurveyedFile, segment: Segment, run: FoundRun): Piece {
  const whole =
    file.vouched &&
    run.start === segment.headerBytes &&
    run.end === segment.end &&
    run.lastLsn === segment.lastLsn &&
    run.chain === segment.chain;
  return {
    file,
    segment: {
      ...segment,
      header: { ...segment.header, baseLsn: run.firstLsn },
      headerBytes: run.start,
      end: run.end,
      lastLsn: run.lastLsn,
      chain: run.chain,
    },
    firstLsn: run.firstLsn,
    lastLsn: run.lastLsn,
    firstEpoch: run.firstEpoch,
    lastEpoch: run.lastEpoch,
    databaseTimeMs: run.databaseTimeMs,
    whole,
  };
}

/**
 * Cutting a log back, for a replica that took records which its leader never had.
 *
 *     before:  [ 1 ][ 2 .. cut .. ][ 3 ][ 4, being written ]
 *     after:   [ 1 ][ 2 .. cut    ][ 3', new epoch ]          aside: 2, 3 and 4 as *.e<epoch>.cut
 *
 *     prepare   a copy of the segment that holds the cut; the next segment as `.next`; both synced
 *     commit    HEAD names the new segment, the epoch and the synced LSN
 *     finish    segments from there on get their names aside; sync; `.next` gets its own; sync; HEAD
 *
 * Invariants
 *  1. HEAD's commit is the one moment at which the log changes. Before it nothing of the log was
 *     touched; after it an opening does what is left to do (`.next` is there until all else is done).
 *  2. Nothing that was cut is deleted: whole segments are renamed, of the one that holds the cut
 *     there is a copy.
 *  3. No existing segment is written to: the successor says where its predecessor ends.
 */
import { UvarintReader } from '@nendb/codec';
import { readFully, type Vfs, writeFully } from '@nendb/vfs';
import type { PendingCut, Segment } from './directory.js';
import { corrupt } from './errors.js';
import * as format from './format.js';
import { chainAfter, type FrameHeader, frameBytes } from './frame.js';
import { FrameCursor, nextFrame } from './frame-cursor.js';
import { READ_BYTES } from './limits.js';
import type { LiveSegment } from './live-segment.js';
import { bad } from './options.js';
import { type Identity, newSegment, nextEpochs, replacementKind, stage } from './rebuild.js';
import { sealedOverhead, sealFrame } from './sealing.js';
import type { SegmentHeader } from './segment-header.js';
import { sourceOf } from './tail-scan.js';
import { viewOf } from './u64.js';

/** A cut that is ready: only HEAD does not know of it yet. */
export interface PreparedCut {
  /** The new segment, under its temporary name. */
  live: LiveSegment;
  /** What stays of the log before it, oldest first. */
  kept: Segment[];
  /** What has to be renamed once HEAD says so. */
  pending: PendingCut;
  /** What is kept aside in the end: file names. */
  aside: string[];
}

/**
 * Makes everything ready to end the log behind `lsn`. `segments`: all of it, oldest first, written
 * and synced, and at rest. Throws `WAL_BAD_OPTION` where `lsn` is inside of a batch, and what the
 * disk throws; then nothing is left behind.
 */
export async function prepareCut(
  vfs: Vfs,
  dir: string,
  segments: readonly Segment[],
  lsn: number,
  identity: Identity & { databaseTimeMs: number },
): Promise<PreparedCut> {
  const at = segments.findLastIndex(({ header }) => header.baseLsn <= lsn);
  const holder = at < 0 ? undefined : segments[at];
  const place = holder && (await findLsn(vfs, holder, lsn));
  const first = segments[0].header;
  const newest = segments[segments.length - 1];
  const header: SegmentHeader = {
    ...newSegment(vfs, identity),
    kind: holder ? format.SegmentKind.cut : replacementKind(first.kind),
    sequence: holder ? holder.header.sequence + 1 : first.sequence,
    baseLsn: (place?.lsn ?? lsn) + 1,
    syncedLsn: lsn,
    databaseTimeMs: identity.databaseTimeMs,
    predecessorUuid: holder ? holder.header.segmentUuid : first.predecessorUuid,
    predecessorEnd: place ? place.end : first.predecessorEnd,
    predecessorChain: place ? place.chain : first.predecessorChain,
    epochs: nextEpochs(newest.header.epochs, { epoch: identity.epoch, firstLsn: lsn + 1 }),
  };
  const temporary = format.segmentName(header.sequence, 'next');
  const renames = segments.slice(at + 1).map(({ name }) => ({
    from: name,
    to: format.asideName(name, identity.epoch),
  }));
  const aside = renames.map(({ to }) => to);
  const made: string[] = [];
  try {
    if (holder && place && place.end < holder.end) {
      const copy = format.asideName(holder.name, identity.epoch);
      made.push(copy);
      await copyFile(vfs, holder.path, `${dir}/${copy}`, holder.end);
      aside.unshift(copy);
    }
    made.push(temporary);
    const fill = async (to: LiveSegment): Promise<void> => {
      to.lastLsn = lsn;
      if (place?.repeat) await repeatPart(place.repeat, to);
    };
    const live = await stage(vfs, dir, header, fill, 'next');
    live.syncedEnd = live.end;
    try {
      await vfs.syncDir(dir);
    } catch (error) {
      await live.file.close();
      throw error;
    }
    const kept = segments.slice(0, at + 1);
    if (holder && place)
      kept[at] = { ...holder, end: place.end, lastLsn: place.lsn, chain: place.chain };
    return { live, kept, pending: { sequence: header.sequence, temporary, renames }, aside };
  } catch (error) {
    for (const name of made) {
      if (await vfs.stat(`${dir}/${name}`)) await vfs.unlink(`${dir}/${name}`);
    }
    throw error;
  }
}

/** Gives the files of a committed cut their names. May be repeated after a crash at any point. */
export async function finishCut(vfs: Vfs, dir: string, cut: PendingCut): Promise<void> {
  for (const { from, to } of cut.renames) await vfs.rename(`${dir}/${from}`, `${dir}/${to}`);
  // Even where none is left to do: after a kill only the cache may know of those already done, and
  // while `.next` is there they can still be told from a loss.
  await vfs.syncDir(dir);
  if (cut.temporary === undefined) return;
  const path = `${dir}/${format.segmentName(cut.sequence)}`;
  await vfs.rename(`${dir}/${cut.temporary}`, path);
  await vfs.syncDir(dir);
}

/** Where a segment is cut: behind the frame that ends at `lsn`. */
interface CutPlace {
  end: number;
  chain: number;
  lsn: number;
  /** The first records of the frame that follows, up to where the log is to end. */
  repeat?: { header: FrameHeader; payload: Uint8Array };
}

/** Where the record `lsn` ends: it must be the last one of its unit. */
async function findLsn(vfs: Vfs, segment: Segment, lsn: number): Promise<CutPlace> {
  if (segment.lastLsn === lsn) return { end: segment.end, chain: segment.chain, lsn };
  const file = await vfs.open(segment.path, 'read');
  try {
    const cursor = new FrameCursor(file, sourceOf(segment), segment.end, false);
    for (;;) {
      const { committedEnd: end, committedChain: chain, committedLsn } = cursor;
      if (committedLsn === lsn) return { end, chain, lsn };
      if (!(await nextFrame(cursor))) {
        throw corrupt(segment.path, cursor.next, cursor.problem || `it ends before LSN ${lsn}`);
      }
      if (cursor.committedLsn <= lsn) continue;
      const { header } = cursor;
      if (header.fragment > 0 || (header.flags & format.FLAG_BATCH) !== 0) {
        throw bad('lsn', `outside of the batch that ends at ${cursor.committedLsn}`, lsn);
      }
      return { end, chain, lsn: committedLsn, repeat: firstRecords(cursor, lsn) };
    }
  } finally {
    await file.close();
  }
}

/** The records up to `lsn` of the cursor's frame, which holds more, each a unit of its own. */
function firstRecords(
  cursor: FrameCursor,
  lsn: number,
): { header: FrameHeader; payload: Uint8Array } {
  const header = { ...cursor.header, count: lsn + 1 - cursor.header.firstLsn };
  const records = cursor.plain.subarray(cursor.plainFrom, cursor.plainTo);
  const reader = new UvarintReader();
  reader.reset(records);
  for (let left = header.count; left > 0; left--) {
    const length = reader.next();
    reader.reset(records, reader.offset + length);
  }
  return { header, payload: records.slice(0, reader.offset) };
}

/** Writes the first frame of a new segment. */
async function repeatPart(
  { header, payload }: NonNullable<CutPlace['repeat']>,
  to: LiveSegment,
): Promise<void> {
  const { cipher } = to;
  header.flags = format.FLAG_FIRST | format.FLAG_LAST;
  header.payloadBytes = payload.length + sealedOverhead(cipher);
  header.unitBytes = payload.length;
  header.syncedEnd = to.headerBytes;
  const bytes = new Uint8Array(frameBytes(header.payloadBytes));
  bytes.set(payload, format.FRAME_HEADER_BYTES);
  const crc = sealFrame(bytes, viewOf(bytes), 0, header, to.end, to.seed, cipher);
  await writeFully(to.file, bytes, to.end);
  to.index.note(header.firstLsn, to.end);
  to.chain = chainAfter(to.chain, crc);
  to.end += bytes.length;
}

/** Copies the first `bytes` bytes, durably but for the name. */
async function copyFile(vfs: Vfs, from: string, to: string, bytes: number): Promise<void> {
  if (await vfs.stat(to)) await vfs.unlink(to);
  const source = await vfs.open(from, 'read');
  try {
    const target = await vfs.open(to, 'create');
    try {
      const buffer = new Uint8Array(Math.min(READ_BYTES, bytes));
      for (let done = 0; done < bytes; done += buffer.length) {
        const part = buffer.subarray(0, Math.min(buffer.length, bytes - done));
        if ((await readFully(source, part, done)) < part.length) {
          throw corrupt(from, done, `expected ${bytes} bytes, the file is shorter`);
        }
        await writeFully(target, part, done);
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

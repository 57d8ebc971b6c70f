/**
 * Recovery's only write: the next segment (R14).
 *
 *     old: [ header | surely synced frames | frames above the watermark | torn tail ]
 *                                            |
 *     new:                        [ header | the same records, new identity ]
 *
 * Invariants
 *  1. No existing segment is written to. The new one is built as `.tmp`, synced, renamed, and the
 *     directory is synced, before anything is served.
 *  2. The old segment ends, from then on, where the new header says. What a page cache showed but a
 *     disk may not hold is repeated in the new one, and synced there.
 *  3. A last segment that keeps no record is replaced by the new one under its own name: opening a
 *     log that nobody writes to does not make it longer.
 *  4. Repeated records keep LSN, epoch, database time and frame boundaries. Running it again, after
 *     a crash at any point, gives the same records.
 */
import { type Compression, type DataKeys, UUID_BYTES } from '@nendb/codec';
import { type Vfs, type VfsFile, writeFully } from '@nendb/vfs';
import type { Segment } from './directory.js';
import { corrupt } from './errors.js';
import * as format from './format.js';
import { chainAfter, frameBytes } from './frame.js';
import { FrameCursor, nextFrame } from './frame-cursor.js';
import { EPOCHS_MAX, FRAME_BYTES_MAX } from './limits.js';
import { LiveSegment } from './live-segment.js';
import { withReserve } from './reserve.js';
import { newSealing, sealedOverhead, sealFrame } from './sealing.js';
import { type EpochStart, encodeSegmentHeader, type SegmentHeader } from './segment-header.js';
import { sourceOf, type TailScan } from './tail-scan.js';
import { viewOf } from './u64.js';

/** What every segment of one opening has in common. */
export interface Identity {
  databaseUuid: Uint8Array;
  /** The epoch of this opening. */
  epoch: number;
  compression: Compression;
  keys: DataKeys | undefined;
}

/** What is new in each segment's header, and what all have in common. */
export function newSegment(
  vfs: Vfs,
  { databaseUuid, epoch, compression, keys }: Identity,
): Pick<SegmentHeader, 'databaseUuid' | 'epoch' | 'segmentUuid' | 'compressed' | 'sealing'> {
  const segmentUuid = vfs.random.uuid();
  const sealing = keys && newSealing(keys, vfs.random, segmentUuid);
  return { databaseUuid, epoch, segmentUuid, compressed: compression !== 'none', sealing };
}

/** The header of the segment that follows upon `old`, which is full. */
export function successorHeader(
  vfs: Vfs,
  identity: Identity,
  old: LiveSegment,
  sequence: number,
  databaseTimeMs: number,
): SegmentHeader {
  return {
    ...old.header,
    ...newSegment(vfs, identity),
    kind: format.SegmentKind.rotated,
    sequence,
    baseLsn: old.lastLsn + 1,
    syncedLsn: old.lastLsn,
    databaseTimeMs,
    predecessorUuid: old.header.segmentUuid,
    predecessorEnd: old.end,
    predecessorChain: old.chain,
  };
}

/** The first segment of a new log. */
export function buildFirst(vfs: Vfs, dir: string, identity: Identity): Promise<LiveSegment> {
  return build(vfs, dir, () => ({
    ...newSegment(vfs, identity),
    kind: format.SegmentKind.first,
    sequence: 1,
    baseLsn: 1,
    syncedLsn: 0,
    databaseTimeMs: 0,
    predecessorUuid: new Uint8Array(UUID_BYTES),
    predecessorEnd: 0,
    predecessorChain: 0,
    epochs: [{ epoch: identity.epoch, firstLsn: 1 }],
  }));
}

/**
 * The segment after `last`, with what has to be repeated of it. `last` is updated to end where the
 * new one begins; `replaces` says that the new one took its name instead.
 */
export async function buildNext(
  vfs: Vfs,
  dir: string,
  last: Segment,
  scan: TailScan,
  identity: Identity,
): Promise<{ live: LiveSegment; replaces: boolean }> {
  const old = last.header;
  const source = await vfs.open(last.path, 'read');
  try {
    const cut = scan.closed
      ? { end: scan.end, lsn: scan.lastLsn, chain: scan.chain }
      : await findCut(source, last, scan.syncedLsn);
    const replaces = cut.lsn < old.baseLsn;
    const kind = scan.closed ? format.SegmentKind.closed : format.SegmentKind.recovered;
    const header = (made = newSegment(vfs, identity)): SegmentHeader => ({
      ...made,
      // Repeated frames stay as compressed as they are.
      compressed: made.compressed || old.compressed,
      kind: replaces ? replacementKind(old.kind) : kind,
      sequence: replaces ? old.sequence : old.sequence + 1,
      baseLsn: replaces ? old.baseLsn : cut.lsn + 1,
      syncedLsn: scan.lastLsn,
      databaseTimeMs: scan.databaseTimeMs,
      predecessorUuid: replaces ? old.predecessorUuid : old.segmentUuid,
      predecessorEnd: replaces ? old.predecessorEnd : cut.end,
      predecessorChain: replaces ? old.predecessorChain : cut.chain,
      epochs: nextEpochs(old.epochs, { epoch: identity.epoch, firstLsn: scan.lastLsn + 1 }),
    });
    const repeats = cut.lsn < scan.lastLsn;
    const live = await build(vfs, dir, header, (to) =>
      repeats ? repeatFrames(source, last, scan, to.header.baseLsn, to) : Promise.resolve(),
    );
    if (!replaces) {
      last.end = cut.end;
      last.lastLsn = cut.lsn;
      last.chain = cut.chain;
    }
    return { live, replaces };
  } finally {
    await source.close();
  }
}

/** A replaced segment's predecessor may lack the trailer that `rotated` promises. */
export function replacementKind(kind: format.SegmentKind): format.SegmentKind {
  return kind === format.SegmentKind.rotated ? format.SegmentKind.recovered : kind;
}

/** The history with one more opening; openings that wrote nothing are forgotten. */
export function nextEpochs(epochs: readonly EpochStart[], next: EpochStart): EpochStart[] {
  const kept = epochs.filter(({ firstLsn }) => firstLsn < next.firstLsn);
  return [...kept.slice(-(EPOCHS_MAX - 1)), next];
}

/**
 * Builds a segment and gives it its name, durably; it stays open. `header` makes a new one for each
 * attempt: no salt is used twice.
 */
async function build(
  vfs: Vfs,
  dir: string,
  header: () => SegmentHeader,
  fill: (live: LiveSegment) => Promise<void> = () => Promise.resolve(),
): Promise<LiveSegment> {
  const live = await withReserve(vfs, dir, () => stage(vfs, dir, header(), fill));
  try {
    await vfs.rename(`${dir}/${format.segmentName(live.header.sequence, 'tmp')}`, live.path);
    await vfs.syncDir(dir);
    live.syncedEnd = live.end;
    return live;
  } catch (error) {
    await live.file.close();
    throw error;
  }
}

/**
 * Builds a segment under its temporary name: `header`, then what `fill` adds, then a sync. It stays
 * open; where that fails it is closed.
 */
export async function stage(
  vfs: Vfs,
  dir: string,
  header: SegmentHeader,
  fill: (live: LiveSegment) => Promise<void>,
  suffix: 'tmp' | 'next' = 'tmp',
): Promise<LiveSegment> {
  const temporary = `${dir}/${format.segmentName(header.sequence, suffix)}`;
  if (await vfs.stat(temporary)) await vfs.unlink(temporary);
  const file = await vfs.open(temporary, 'create');
  try {
    const bytes = encodeSegmentHeader(header);
    const live = new LiveSegment(dir, header, bytes.length, file);
    await writeFully(file, bytes, 0);
    await fill(live);
    await file.sync();
    return live;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Where the frames that hold LSNs up to `syncedLsn` end. A control frame behind them may itself
 * have been seen in the page cache only: the cut is in front of it.
 */
async function findCut(source: VfsFile, last: Segment, syncedLsn: number) {
  const cut = { end: last.headerBytes, lsn: last.header.baseLsn - 1, chain: 0 };
  if (syncedLsn < last.header.baseLsn) return cut;
  const cursor = new FrameCursor(source, sourceOf(last), last.fileBytes, false);
  while (await nextFrame(cursor)) {
    if (cursor.committedLsn > syncedLsn) break;
    if (cursor.header.type !== format.FrameType.records) continue;
    cut.end = cursor.committedEnd;
    cut.lsn = cursor.committedLsn;
    cut.chain = cursor.committedChain;
  }
  return cut;
}

/** Copies the record frames from `baseLsn` to the end of the scan into `to`. */
export async function repeatFrames(
  source: VfsFile,
  last: Segment,
  scan: Pick<TailScan, 'end' | 'lastLsn'>,
  baseLsn: number,
  to: LiveSegment,
): Promise<void> {
  const cursor = new FrameCursor(source, sourceOf(last), scan.end, false);
  let bytes = new Uint8Array(0);
  let view = viewOf(bytes);
  while (await nextFrame(cursor)) {
    const { header } = cursor;
    if (header.type !== format.FrameType.records || header.firstLsn < baseLsn) continue;
    const { cipher } = to;
    const payload = cursor.storedPayload();
    header.payloadBytes = payload.length + sealedOverhead(cipher);
    header.flags &= ~format.FLAG_ENCRYPTED;
    const total = frameBytes(header.payloadBytes);
    if (bytes.length < total) {
      bytes = new Uint8Array(Math.max(total, Math.min(2 * total, FRAME_BYTES_MAX)));
      view = viewOf(bytes);
    }
    bytes.set(payload, format.FRAME_HEADER_BYTES);
    bytes.fill(0, format.FRAME_HEADER_BYTES + payload.length, total);
    header.syncedEnd = to.headerBytes;
    const crc = sealFrame(bytes, view, 0, header, to.end, to.seed, cipher);
    await writeFully(to.file, bytes.subarray(0, total), to.end);
    if (header.fragment === 0) to.index.note(header.firstLsn, to.end);
    to.chain = chainAfter(to.chain, crc);
    to.end += total;
  }
  if (cursor.committedLsn !== scan.lastLsn) {
    throw corrupt(last.path, cursor.committedEnd, `it changed while it was read`);
  }
  to.lastLsn = scan.lastLsn;
}

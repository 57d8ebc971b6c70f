/**
 * What is in a log's directory, before anything in it is believed: names, HEAD, segment headers and
 * the chain between them. Reads a few hundred bytes a segment and changes nothing.
 *
 * Invariants checked here
 *  1. Every segment from HEAD's first to its last, and every one between found ones, exists.
 *  2. A segment's header names its file, and its predecessor's uuid; base LSNs and epochs grow.
 *  3. All files belong to one database.
 */
import { formatUuid, sameUuid } from '@nendb/codec';
import { readFully, type Vfs } from '@nendb/vfs';
import { corrupt, WalError } from './errors.js';
import * as format from './format.js';
import { frameSeed } from './frame.js';
import { type FoundHead, type Head, readHead } from './head-file.js';
import {
  declaredHeaderBytes,
  decodeSegmentHeader,
  type SegmentHeader,
  segmentHeaderBytes,
} from './segment-header.js';
import type { SparseIndex } from './trailer.js';
import { withFile } from './with-file.js';

/** A segment that is part of the log. */
export interface Segment {
  name: string;
  path: string;
  header: SegmentHeader;
  headerBytes: number;
  seed: number;
  /** Where its frames end, in bytes; in the last segment, as far as is known. */
  end: number;
  /** Its newest record; `baseLsn - 1` where it has none. */
  lastLsn: number;
  /** The chained checksum of its frames. */
  chain: number;
  fileBytes: number;
  /** Where units start, if that is at hand; a sealed file's trailer has it otherwise. */
  index?: SparseIndex;
}

/** A cut that HEAD has committed, and that is not finished: see `cut.ts`. */
export interface PendingCut {
  sequence: number;
  /** Name of the new segment's file; `undefined` where it has its own already. */
  temporary: string | undefined;
  /** File names that are still to be changed. */
  renames: { from: string; to: string }[];
}

export interface Directory {
  /** Oldest first; empty where there is no log yet. The last one is not scanned yet. */
  segments: Segment[];
  head: FoundHead | undefined;
  /** Names of files that are not part of the log: spares, temporaries, segments cut off. */
  leftovers: string[];
  pendingCut: PendingCut | undefined;
}

/** Lists and checks the directory. Throws `WAL_CORRUPT`, `WAL_MISSING_SEGMENT`, `WAL_TOO_NEW`. */
export async function inspectDirectory(vfs: Vfs, dir: string): Promise<Directory> {
  let sequences: number[] = [];
  const leftovers: string[] = [];
  const built = new Set<string>();
  let hasHead = false;
  for (const name of await vfs.readdir(dir)) {
    const parsed = format.parseSegmentName(name);
    if (parsed?.suffix === 'wal') sequences.push(parsed.sequence);
    else if (parsed?.suffix === 'next') built.add(name);
    else if (parsed || name === `${format.HEAD_NAME}.tmp`) leftovers.push(name);
    else if (name === format.HEAD_NAME) hasHead = true;
    else if (name === format.SALVAGE_NAME) throw unfinished(`${dir}/${name}`);
  }
  const head = hasHead ? await readHead(vfs, `${dir}/${format.HEAD_NAME}`) : undefined;
  const pendingCut = head && findCut(head, sequences, built);
  if (pendingCut?.temporary !== undefined) {
    // The names are those of before the cut: what it replaces is not part of the log any more.
    sequences = [...sequences.filter((each) => each < pendingCut.sequence), pendingCut.sequence];
    built.delete(pendingCut.temporary);
  }
  leftovers.push(...built);
  const firstKept = head?.firstSequence ?? 1;
  for (const sequence of sequences) {
    if (sequence < firstKept) leftovers.push(format.segmentName(sequence));
  }
  const kept = sequences.filter((sequence) => sequence >= firstKept).sort((a, b) => a - b);
  if (kept.length === 0 && !head) return { segments: [], head, leftovers, pendingCut };
  // Where the log begins and ends is not known then: nothing else can be said to be missing.
  if (!head && (kept.length > 1 || kept[0] !== 1)) throw headMissing(dir, kept);
  requireAll(dir, kept, firstKept, Math.max(head?.lastSequence ?? 1, kept.at(-1) ?? 0));
  const segments: Segment[] = [];
  for (const sequence of kept) {
    const name = sequence === pendingCut?.sequence ? pendingCut.temporary : undefined;
    const segment = await readSegment(vfs, dir, sequence, name);
    const before = segments.at(-1);
    if (before) link(before, segment);
    segments.push(segment);
  }
  checkHead(dir, segments, head);
  return { segments, head, leftovers, pendingCut };
}

/** The cut that `head` has committed, by the `.wal` and `.next` files that are there. */
export function findCut(
  head: Head,
  sequences: readonly number[],
  built: ReadonlySet<string>,
): PendingCut | undefined {
  const { cutSequence, epoch } = head;
  if (cutSequence === 0) return undefined;
  const temporary = format.segmentName(cutSequence, 'next');
  // Its name is the last one to change: without it there is nothing left to rename.
  if (!built.has(temporary)) return { sequence: cutSequence, temporary: undefined, renames: [] };
  const replaced = sequences.filter((sequence) => sequence >= cutSequence).sort((a, b) => a - b);
  const renames = replaced.map((sequence) => {
    const from = format.segmentName(sequence);
    return { from, to: format.asideName(from, epoch) };
  });
  return { sequence: cutSequence, temporary, renames };
}

function unfinished(path: string): WalError {
  return new WalError(
    'WAL_CORRUPT',
    `${path} says that a salvage of this log was begun and did not finish; nothing was changed: salvage the log again, it goes on where it stopped`,
    { file: path, offset: 0 },
  );
}

function headMissing(dir: string, found: readonly number[]): WalError {
  const first = format.segmentName(found[0]);
  const last = format.segmentName(found[found.length - 1]);
  const segments =
    found.length === 1
      ? `segment ${first} is`
      : `${found.length} segments, ${first} to ${last}, are`;
  return new WalError(
    'WAL_MISSING_SEGMENT',
    `${dir}: expected ${format.HEAD_NAME}, which says where the log begins and ends, and it is missing; ${segments} there, nothing was changed: put ${format.HEAD_NAME} back, or salvage the log, which makes a new one`,
    { file: `${dir}/${format.HEAD_NAME}` },
  );
}

function requireAll(dir: string, found: readonly number[], first: number, last: number): void {
  for (let sequence = first, i = 0; sequence <= last; sequence++, i++) {
    if (found[i] === sequence) continue;
    const name = format.segmentName(sequence);
    throw new WalError(
      'WAL_MISSING_SEGMENT',
      `${dir}: expected segments ${format.segmentName(first)} to ${format.segmentName(last)}, ${name} is missing; nothing was changed: put it back`,
      { file: `${dir}/${name}` },
    );
  }
}

/** Reads and checks the header of segment `sequence`. Throws `WAL_CORRUPT`, `WAL_TOO_NEW`. */
export async function readSegment(
  vfs: Vfs,
  dir: string,
  sequence: number,
  name: string = format.segmentName(sequence),
): Promise<Segment> {
  const path = `${dir}/${name}`;
  return withFile(vfs, path, async (file) => {
    const fileBytes = await file.size();
    const start = new Uint8Array(format.HEADER_ALIGNMENT);
    if ((await readFully(file, start, 0)) < start.length) {
      throw corrupt(path, fileBytes, 'the file ends inside the segment header');
    }
    let bytes = start;
    const headerBytes = declaredHeaderBytes(start, path);
    if (headerBytes > start.length) {
      bytes = new Uint8Array(headerBytes);
      if ((await readFully(file, bytes, 0)) < headerBytes) {
        throw corrupt(path, fileBytes, 'the file ends inside the segment header');
      }
    }
    const header = decodeSegmentHeader(bytes, path);
    if (header.sequence !== sequence) {
      throw corrupt(
        path,
        format.HEADER_SEQUENCE_AT,
        `it is segment ${header.sequence} by its header`,
      );
    }
    return {
      name,
      path,
      header,
      headerBytes,
      seed: frameSeed(header.segmentUuid),
      end: headerBytes,
      lastLsn: header.baseLsn - 1,
      chain: 0,
      fileBytes,
    };
  });
}

/** Checks that `after` follows `before`, and learns from it where `before` ends. */
export function link(before: Segment, after: Segment): void {
  const { header, path } = after;
  if (!sameUuid(header.databaseUuid, before.header.databaseUuid)) {
    throw corrupt(path, 0, `it belongs to database ${formatUuid(header.databaseUuid)}`);
  }
  if (!sameUuid(header.predecessorUuid, before.header.segmentUuid)) {
    throw corrupt(
      path,
      format.HEADER_PREDECESSOR_UUID_AT,
      `it follows segment ${formatUuid(header.predecessorUuid)}, ${before.path} is ${formatUuid(before.header.segmentUuid)}`,
    );
  }
  if (header.baseLsn < before.header.baseLsn || header.epoch < before.header.epoch) {
    throw corrupt(path, format.HEADER_BASE_LSN_AT, 'LSN or epoch is below its predecessor');
  }
  if (header.predecessorEnd < before.headerBytes || header.predecessorEnd > before.fileBytes) {
    throw corrupt(
      before.path,
      before.fileBytes,
      `${path} says that its frames end at ${header.predecessorEnd}`,
    );
  }
  before.end = header.predecessorEnd;
  before.lastLsn = header.baseLsn - 1;
  before.chain = header.predecessorChain;
}

function checkHead(dir: string, segments: readonly Segment[], head: Head | undefined): void {
  const path = `${dir}/${format.HEAD_NAME}`;
  const last = segments[segments.length - 1];
  if (!head) {
    // The very first opening makes the segment first: without HEAD nothing was ever served.
    if (last.fileBytes === segmentHeaderBytes(1, last.header.sealing !== undefined)) return;
    throw headMissing(dir, [last.header.sequence]);
  }
  if (!sameUuid(head.databaseUuid, last.header.databaseUuid)) {
    throw corrupt(path, 0, `it belongs to database ${formatUuid(head.databaseUuid)}`);
  }
  if (head.epoch > last.header.epoch) {
    throw corrupt(
      last.path,
      format.HEADER_EPOCH_AT,
      `epoch ${last.header.epoch} is older than HEAD's ${head.epoch}`,
    );
  }
}

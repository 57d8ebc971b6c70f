/**
 * Walks the frames of a segment past whatever is damaged in it.
 *
 *     | run: frames in order | bad place | run | bad place | run | zeros, torn bytes |
 *
 * Invariants
 *  1. What is a frame, and whether it follows, is judged by `FrameCursor` alone; behind a bad place
 *     the next frame that starts a unit is looked for at every multiple of eight.
 *  2. A run holds whole units only.
 *  3. Memory is bounded by one read and one frame.
 */
import { readFully, type VfsFile } from '@nendb/vfs';
import * as format from '../format.js';
import { emptyFrameHeader, readFrameHeader } from '../frame.js';
import { FrameCursor, type FrameSource, Step } from '../frame-cursor.js';
import { READ_BYTES } from '../limits.js';
import { viewOf } from '../u64.js';

/** Frames that follow one another. Offsets are in bytes. */
export interface Run {
  start: number;
  /** Behind its last whole unit or control frame. */
  end: number;
  /** The first LSN it could hold, and the last one it holds: `firstLsn - 1` where it holds none. */
  firstLsn: number;
  lastLsn: number;
  /** The chained checksum, from the start of the run. */
  chain: number;
  databaseTimeMs: number;
}

export interface Walker {
  /** A frame in order: `cursor.header` describes it, at `cursor.offset`. */
  frame?(cursor: FrameCursor): void;
  run(run: Run): void;
  /** A place that holds no frame, before a run or before `end`. */
  bad(offset: number, problem: string): void;
}

/**
 * Walks from `source.headerBytes` to `end`. `strict`: frames reach to `end`; otherwise what is
 * behind the last of them is not called bad.
 */
export async function walkFrames(
  file: VfsFile,
  source: FrameSource,
  end: number,
  strict: boolean,
  walker: Walker,
): Promise<void> {
  let from: FrameSource = source;
  for (;;) {
    const cursor = new FrameCursor(file, from, end, false);
    const step = await walkRun(cursor, walker);
    // A cursor that began at a bad place has not moved: go on behind it.
    const moved = cursor.next > from.headerBytes;
    const searchFrom = moved ? cursor.next : cursor.next + format.FRAME_ALIGNMENT;
    const found = await findUnit(file, source.seed, searchFrom, end);
    if (cursor.committedEnd > from.headerBytes) {
      walker.run({
        start: from.headerBytes,
        end: cursor.committedEnd,
        firstLsn: from.baseLsn,
        lastLsn: cursor.committedLsn,
        chain: cursor.committedChain,
        databaseTimeMs: cursor.databaseTimeMs,
      });
    }
    if (found || (strict && cursor.committedEnd < end)) {
      if (step === Step.bad) walker.bad(cursor.next, cursor.problem);
      else walker.bad(cursor.committedEnd, 'zeros, or a unit without its end');
    }
    if (!found) return;
    from = { ...source, headerBytes: found.offset, baseLsn: found.firstLsn };
  }
}

async function walkRun(cursor: FrameCursor, walker: Walker): Promise<Step> {
  for (;;) {
    const step = cursor.step();
    if (step === Step.more) await cursor.fill();
    else if (step === Step.frame) walker.frame?.(cursor);
    else return step;
  }
}

/**
 * The first frame from `from` on that starts a unit, or is a control frame, and whose header is
 * valid. Its payload is not looked at.
 */
export async function findUnit(
  file: VfsFile,
  seed: number,
  from: number,
  end: number,
): Promise<{ offset: number; firstLsn: number } | undefined> {
  const header = emptyFrameHeader();
  const buffer = new Uint8Array(READ_BYTES + format.FRAME_HEADER_BYTES);
  const view = viewOf(buffer);
  for (let position = format.alignFrame(from); position < end; position += READ_BYTES) {
    const read = Math.min(await readFully(file, buffer, position), end - position);
    const last = Math.min(READ_BYTES - format.FRAME_ALIGNMENT, read - format.FRAME_HEADER_BYTES);
    for (let at = 0; at <= last; at += format.FRAME_ALIGNMENT) {
      if (view.getUint16(at + format.FRAME_MAGIC_AT, true) !== format.FRAME_MAGIC) continue;
      if (!readFrameHeader(buffer, view, at, header, position + at, seed)) continue;
      if (header.fragment === 0) return { offset: position + at, firstLsn: header.firstLsn };
    }
    if (read < READ_BYTES) return undefined;
  }
  return undefined;
}

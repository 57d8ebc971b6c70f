/**
 * Opens what is whole of a damaged log, for reading only: from its first record to the first damage.
 *
 * Invariants
 *  1. Nothing on disk changes (but for the lock file), then or later.
 *  2. Every frame that can be read was checked: reading meets no damage that is there now.
 *  3. Where nothing at all can be read the damage is thrown, as without `onCorruption`.
 */
import type { Lsn } from '@nendb/codec';
import type { Segment } from './directory.js';
import { WalError } from './errors.js';
import * as format from './format.js';
import { FrameCursor, nextFrame } from './frame-cursor.js';
import { LiveSegment } from './live-segment.js';
import { Findings, isUnreadable } from './offline/findings.js';
import { type Survey, surveyLog } from './offline/survey.js';
import type { Opened } from './open.js';
import type { CheckedOptions } from './options.js';
import { unlock } from './sealing.js';
import { scanTail, sourceOf } from './tail-scan.js';

/** `damage`: why the log was refused. */
export async function openReadOnly(
  options: CheckedOptions,
  damage: WalError,
): Promise<Omit<Opened, 'lock'>> {
  const { vfs, dir } = options;
  const startedMs = vfs.clock.monotonicMs();
  const survey = await surveyLog(vfs, dir, new Findings());
  const { sealed, last, databaseTimeMs } = await readablePrefix(options, survey);
  if (!last) throw damage;
  const file = await vfs.open(last.path, 'read');
  const live = new LiveSegment(dir, last.header, last.headerBytes, file);
  live.end = last.end;
  live.syncedEnd = last.end;
  live.lastLsn = last.lastLsn;
  live.chain = last.chain;
  const firstLsn = (sealed[0] ?? last).header.baseLsn as Lsn;
  const lastLsn = last.lastLsn as Lsn;
  return {
    sealed,
    live,
    head: undefined,
    syncMs: 0,
    damage,
    recovery: {
      verdict: 'corrupt',
      records: lastLsn + 1 - firstLsn,
      bytes: sealed.reduce((sum, segment) => sum + segment.end, last.end),
      epoch: Math.max(survey.head?.epoch ?? 0, last.header.epoch),
      firstLsn,
      lastLsn,
      databaseTimeMs,
      databaseUuid: new Uint8Array(last.header.databaseUuid),
      damage: {
        file: damage.file ?? dir,
        offset: damage.offset ?? 0,
        message: damage.message,
      },
      segments: sealed.length + 1,
      elapsedMs: vfs.clock.monotonicMs() - startedMs,
    },
  };
}

interface Prefix {
  /** Segments that are whole, oldest first. */
  sealed: Segment[];
  /** The one after them, up to its first damage. */
  last: Segment | undefined;
  databaseTimeMs: number;
}

async function readablePrefix({ vfs, keys }: CheckedOptions, { files }: Survey): Promise<Prefix> {
  const prefix: Prefix = { sealed: [], last: undefined, databaseTimeMs: 0 };
  for (const { segment, vouched, sequence, name } of files) {
    if (!segment || name !== format.segmentName(sequence)) break;
    unlock(segment, keys);
    if (prefix.last) prefix.sealed.push(prefix.last);
    const end = vouched ? segment.end : await endOf(vfs, segment);
    const cursor = await readFrames(vfs, segment, end);
    prefix.last = {
      ...segment,
      end: cursor.committedEnd,
      lastLsn: cursor.committedLsn,
      chain: cursor.committedChain,
    };
    prefix.databaseTimeMs = Math.max(
      prefix.databaseTimeMs,
      segment.header.databaseTimeMs,
      cursor.databaseTimeMs,
    );
    const { last } = prefix;
    const whole =
      last.end === segment.end && last.lastLsn === segment.lastLsn && last.chain === segment.chain;
    if (!vouched || !whole) break;
  }
  return prefix;
}

/** Where a segment without a successor ends: as recovery says, or somewhere in the file. */
async function endOf(vfs: CheckedOptions['vfs'], segment: Segment): Promise<number> {
  try {
    return (await scanTail(vfs, segment)).end;
  } catch (error) {
    if (stops(error)) return segment.fileBytes;
    throw error;
  }
}

/** A cursor behind the last whole frame before `end`, or before the first damage. */
async function readFrames(
  vfs: CheckedOptions['vfs'],
  segment: Segment,
  end: number,
): Promise<FrameCursor> {
  const file = await vfs.open(segment.path, 'read');
  const cursor = new FrameCursor(file, sourceOf(segment), Math.min(end, segment.fileBytes), false);
  try {
    while (await nextFrame(cursor));
  } catch (error) {
    if (!stops(error)) throw error;
  } finally {
    await file.close();
  }
  return cursor;
}

function stops(error: unknown): boolean {
  return isUnreadable(error) || (error instanceof WalError && error.verdict === 'corrupt');
}

/**
 * The writing half of a log, from a record to the disk: built when a log is opened, and anew when
 * `truncateAfter` gives it another end.
 *
 *     appender --(groups)--> writer --(I/O)--> segment       space: where; schedule: when to sync
 *
 * `marks` and `announcer` outlive it: who waits for an LSN does not care which half wrote it.
 */
import { Ahead } from './ahead.js';
import type { Announcer } from './announcer.js';
import { Appender } from './appender.js';
import { Clockwork } from './clockwork.js';
import type { Segment } from './directory.js';
import type { WalError } from './errors.js';
import type { LiveSegment } from './live-segment.js';
import type { Marks } from './marks.js';
import type { CheckedOptions } from './options.js';
import { Schedule } from './schedule.js';
import { Space } from './space.js';
import { trailerBytesMax } from './trailer.js';
import { Writer } from './writer.js';

export interface WritePathParts {
  live: LiveSegment;
  epoch: number;
  /** Database time of the newest frame, in ms since 1970. */
  databaseTimeMs: number;
  /** What syncing the segment took, in ms. */
  syncMs: number;
  marks: Marks;
  announcer: Announcer;
}

export interface WritePathOwner {
  rotated(sealed: Segment): void;
  fail(kind: 'write' | 'sync', error: unknown): WalError;
}

export class WritePath {
  readonly epoch: number;
  readonly space: Space;
  readonly appender: Appender;
  readonly writer: Writer;
  readonly schedule: Schedule;
  readonly ahead: Ahead;
  readonly time: Clockwork;

  constructor(options: CheckedOptions, parts: WritePathParts, owner: WritePathOwner) {
    const { vfs, dir, segmentBytesMax, preallocateBytes, compression, keys } = options;
    const { inlineSyncMsMax } = options;
    const { live, marks, announcer } = parts;
    const always = options.sync === 'always';
    const identity = {
      databaseUuid: live.header.databaseUuid,
      epoch: parts.epoch,
      compression,
      keys,
    };
    this.epoch = parts.epoch;
    this.time = new Clockwork(vfs.clock, parts.databaseTimeMs, options.databaseTimeMs);
    this.space = new Space(
      vfs,
      {
        dir,
        segmentBytesMax,
        headerBytes: live.headerBytes,
        trailerBytes: trailerBytesMax(Math.max(segmentBytesMax, live.end)),
        stepBytes: preallocateBytes,
      },
      {
        sequence: live.header.sequence,
        file: live.file,
        twin: live.twin,
        sparePath: undefined,
        end: live.end,
        reserved: preallocateBytes === 0 ? Number.MAX_SAFE_INTEGER : live.end,
        used: live.lastLsn >= live.header.baseLsn,
        syncing: undefined,
        syncedTo: 0,
      },
      (kind, error) => owner.fail(kind, error),
    );
    const encoding = { compression, sealed: keys !== undefined };
    this.appender = new Appender(this.space, marks, this.epoch, segmentBytesMax, encoding);
    this.writer = new Writer(
      vfs,
      { dir, always, syncMs: parts.syncMs, inlineSyncMsMax, identity },
      live,
      { space: this.space, appender: this.appender, marks, time: this.time },
      {
        wrote: () => {
          this.schedule.wrote();
          this.ahead.wrote();
        },
        reserved: () => this.schedule.reserved(),
        synced: (elapsedMs) => {
          this.schedule.synced();
          // One for each record of a lone writer: not made for nobody.
          if (announcer.hasListener) {
            announcer.emit({ type: 'synced', lsn: marks.syncedLsn, elapsedMs });
          }
        },
        rotated: (sealed) => owner.rotated(sealed),
        failed: (kind, error) => owner.fail(kind, error),
        stepped: () => announcer.announce(),
      },
    );
    this.schedule = new Schedule(vfs, marks, this.writer, options);
    this.ahead = new Ahead(vfs.timers, marks, this.space, this.writer);
  }

  /** No more I/O is started, no timer runs. */
  stop(): void {
    this.schedule.stop();
    this.ahead.stop();
    this.writer.stop();
  }
}

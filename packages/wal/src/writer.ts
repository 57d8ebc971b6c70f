/**
 * Writes what the appender has gathered, syncs it as the policy asks, rotates, marks idleness.
 *
 *     take a group -> (rotate) -> checksums -> write -> ... -> sync (always) -> marks move
 *
 * Invariants
 *  1. A sync counts for what was written before it started, nothing more.
 *  2. R15: at rotation everything in the old segment is synced; the successor is synced under its
 *     name; the old one gets a synced trailer; then a frame goes to the successor.
 *  3. A frame's watermark is `syncedLsn` and the synced end at the moment it gets its checksums.
 *  4. R10: the first failure ends it. No descriptor is tried again, no LSN is given twice.
 *
 * Concurrency: the plan runs in one pump; a background sync may run beside it, and the plan waits
 * for that before it has the pool sync the same file. In place it has a descriptor of its own.
 */

import { type Vfs, writeFullySync } from '@nendb/vfs';
import type { Appender } from './appender.js';
import { BackgroundSync } from './background-sync.js';
import type { Clockwork } from './clockwork.js';
import { encodeControlFrame } from './control-frame.js';
import { DiskSpeed } from './disk-speed.js';
import { DONE, FollowUp } from './follow-up.js';
import * as format from './format.js';
import { chainAfter } from './frame.js';
import { type Group, recordBytes } from './group.js';
import { GROUP_SYNC_BYTES_MAX, INLINE_BYTES_MAX } from './limits.js';
import { LiveSegment } from './live-segment.js';
import { LONE_BYTES_MAX, LoneFrame, loneFrameBytes } from './lone-frame.js';
import type { Marks } from './marks.js';
import { type Io, type Plan, Pump, type Twins } from './pump.js';
import { successorHeader } from './rebuild.js';
import { Retired } from './retired.js';
import { encodeSegmentHeader } from './segment-header.js';
import type { Slot, Space } from './space.js';
import { encodeTrailer } from './trailer.js';
import { viewOf } from './u64.js';
import type { WriterListener, WriterOptions } from './writer-types.js';

export class Writer {
  readonly #vfs: Vfs;
  readonly #options: WriterOptions;
  readonly #space: Space;
  readonly #appender: Appender;
  readonly #marks: Marks;
  readonly #time: Clockwork;
  readonly #listener: WriterListener;
  readonly #pump: Pump;
  #live: LiveSegment;
  #slot: Slot;
  readonly #lone: LoneFrame;
  readonly #disk: DiskSpeed;
  readonly #backgroundSync = new BackgroundSync();
  /** The plan is syncing: a background sync would run beside it on the same descriptor. */
  #planSyncs = false;
  readonly #retired: Retired;
  readonly #followUp = new FollowUp();
  #markDue = false;
  #closeDue = false;
  #restDue = false;
  #markedEnd = 0;
  #stopped = false;
  /** The newest record whose write was begun. */
  attemptedLsn: number;
  writes = 0;
  syncs = 0;
  rotations = 0;

  constructor(
    vfs: Vfs,
    options: WriterOptions,
    live: LiveSegment,
    parts: { space: Space; appender: Appender; marks: Marks; time: Clockwork },
    listener: WriterListener,
  ) {
    this.#vfs = vfs;
    this.#options = options;
    this.#live = live;
    this.#space = parts.space;
    this.#slot = parts.space.tail;
    this.#appender = parts.appender;
    this.#marks = parts.marks;
    this.#time = parts.time;
    this.#listener = listener;
    this.#lone = new LoneFrame();
    this.#retired = new Retired((error) => this.#listener.failed('write', error));
    this.#disk = new DiskSpeed(vfs.clock, options.syncMs, options.inlineSyncMsMax);
    this.attemptedLsn = live.lastLsn;
    this.#pump = new Pump(
      vfs,
      () => this.#plan(),
      () => this.#listener.stepped(),
      (failure, error) => this.#listener.failed(failure, error),
    );
  }

  get live(): LiveSegment {
    return this.#live;
  }

  get lastSyncMs(): number {
    return this.#disk.lastMs;
  }

  /** A turn ends: writes, and under `always` syncs, what is pending; slow pieces go through the pool. */
  flush(): void {
    this.#followUp.turned();
    this.#pump.kick();
  }

  /**
   * Writes a record at once, without a plan, where nothing else is under way. Returns its LSN, or 0
   * where it must go the ordinary way; `failed` is told of an error. What the policy wants besides,
   * and telling who listens, is left to `finishAlone`. Throws `WAL_FULL`.
   */
  appendAlone(bytes: Uint8Array): number {
    if (this.#stopped || bytes.length > LONE_BYTES_MAX) return 0;
    if (this.#live.cipher || this.#options.identity.compression !== 'none') return 0;
    if (this.#pump.running || !this.#appender.isEmpty) return 0;
    const live = this.#live;
    const slot = this.#slot;
    const total = loneFrameBytes(bytes.length);
    if (this.#space.choose(total) !== slot) return 0;
    const lsn = this.#appender.assign(recordBytes(bytes.length), slot.end);
    const frame = this.#lone.encode(bytes, live, this.#time.nowMs(), lsn, this.#marks.syncedLsn);
    this.attemptedLsn = lsn;
    try {
      writeFullySync(live.file, frame, slot.end);
    } catch (error) {
      this.#listener.failed('write', error);
      return lsn;
    }
    this.writes++;
    live.index.note(lsn, slot.end);
    slot.end += total;
    slot.used = true;
    live.advance(slot.end, lsn, chainAfter(live.chain, this.#lone.crc));
    this.#marks.wrote(lsn, recordBytes(bytes.length));
    this.#listener.wrote(total);
    return lsn;
  }

  /** Whether an append now would be the next one of the program that was told of the last sync. */
  get expectsNext(): boolean {
    return this.#followUp.isOpen;
  }

  /**
   * `appendAlone` for that append, with a sync once other promise jobs have had their chance to
   * append, too. Returns 0 where it must go the ordinary way.
   */
  appendNext(bytes: Uint8Array): number {
    this.#followUp.shut();
    const lsn = this.appendAlone(bytes);
    if (lsn > 0) DONE.then(this.#syncNext);
    return lsn;
  }

  readonly #syncNext = (): void => {
    // Others have come: one sync at the end of the turn is for all.
    if (!this.#appender.isEmpty) return;
    this.finishAlone();
    if (!this.#disk.isSlow) this.#followUp.again(this.#disk.endedMs);
  };

  /** Syncs in place what `appendAlone` has written, under `always` and if that is still to be done. */
  finishAlone(): void {
    if (this.#options.always) this.syncInPlace();
    else if (!this.#stopped && !this.#pump.running) this.#listener.stepped();
  }

  /** Syncs what is written and not synced yet, and tells who listens. */
  syncInPlace(): void {
    if (this.#stopped || this.#pump.running) return;
    const live = this.#live;
    if (this.#marks.syncedLsn < live.lastLsn) {
      const startedMs = this.#disk.nowMs();
      try {
        (live.twin ?? live.file).syncSync({ dataOnly: true });
      } catch (error) {
        this.#listener.failed('sync', error);
        return;
      }
      live.syncedEnd = live.end;
      this.#synced(startedMs, live.lastLsn, this.#marks.writtenBytes);
    }
    this.#listener.stepped();
  }

  /** The same, done when it returns. */
  flushNow(): void {
    this.#pump.runNow();
  }

  get flushing(): boolean {
    return this.#pump.running;
  }

  /** Writes and syncs everything, whatever the policy, and the `closed` trailer. */
  finish(): Promise<void> {
    this.#closeDue = true;
    return this.#plansUntil(() => !this.#closeDue);
  }

  /** Writes and syncs everything, whatever the policy, and leaves the log as it is. */
  rest(): Promise<void> {
    this.#restDue = true;
    return this.#plansUntil(() => !this.#restDue);
  }

  async #plansUntil(done: () => boolean): Promise<void> {
    do {
      this.#pump.kick();
      await this.#pump.idle();
    } while (!done() && !this.#stopped);
  }

  /** Resolves when no I/O of the writer is under way. */
  async settled(): Promise<void> {
    await this.#pump.poolEmpty();
    await this.#backgroundSync.running;
    await this.#retired.closed();
  }

  /** No more I/O is started. */
  stop(): void {
    this.#stopped = true;
    this.#retired.stop();
    this.#pump.stop();
  }

  /** Syncs what is written, beside the plan. Returns whether it began: not while a sync runs. */
  syncInBackground(): boolean {
    const live = this.#live;
    if (this.#backgroundSync.running || this.#planSyncs || this.#stopped) return false;
    if (this.#marks.syncedLsn === live.lastLsn) return false;
    const { lastLsn, end } = live;
    const { writtenBytes } = this.#marks;
    const startedMs = this.#disk.nowMs();
    this.#syncBeside(live, () => {
      live.syncedEnd = Math.max(live.syncedEnd, end);
      this.#synced(startedMs, lastLsn, writtenBytes);
      this.#listener.stepped();
    });
    return true;
  }

  /** Syncs what is reserved and calls `then`. Returns whether it began: not while a sync runs. */
  syncReserved(then: () => void): boolean {
    if (this.#backgroundSync.running || this.#planSyncs || this.#stopped) return false;
    this.#syncBeside(this.#live, () => {
      this.#listener.reserved();
      then();
    });
    return true;
  }

  #syncBeside(live: LiveSegment, then: () => void): void {
    this.#backgroundSync.start(
      async () => {
        // What the pool still holds may be a sync of this descriptor that was overtaken.
        if (!this.#pump.poolIsEmpty) await this.#pump.poolNow();
        // A rotation that happened meanwhile has synced, and closes, the file.
        if (this.#live === live && !this.#stopped) await live.file.sync({ dataOnly: true });
      },
      () => {
        if (!this.#stopped) then();
      },
      (error) => {
        if (!this.#stopped) this.#listener.failed('sync', error);
      },
    );
  }

  /** Writes and syncs an idle mark when everything is synced and nothing is pending. */
  markIdle(): void {
    this.#markDue = true;
    this.#pump.kick();
  }

  *#plan(): Plan {
    for (;;) {
      let bytes = 0;
      let units = 0;
      while (bytes < GROUP_SYNC_BYTES_MAX) {
        const group = this.#appender.take();
        if (!group) break;
        if (group.slot !== this.#slot) yield* this.#rotate(group.slot);
        yield* this.#write(group);
        bytes += group.length;
        units += group.units;
      }
      if (bytes > 0) {
        if (!this.#options.always) continue;
        const pool = this.#disk.isSlow || bytes > INLINE_BYTES_MAX;
        yield* this.#sync(pool);
        if (units === 1 && !pool) this.#followUp.begin(this.#disk.endedMs);
      } else {
        if (this.#closeDue) {
          yield* this.#close();
          return;
        }
        if (this.#restDue) {
          if (this.#marks.syncedLsn < this.#live.lastLsn) yield* this.#sync(true);
          this.#restDue = false;
        } else if (this.#options.always && this.#marks.syncedLsn < this.#live.lastLsn) {
          // Written alone, for whoever did not wait for a sync in place.
          yield* this.#sync(this.#disk.isSlow);
        }
        yield* this.#mark();
        if (this.#appender.isEmpty) return;
      }
    }
  }

  *#write(group: Group): Plan {
    const live = this.#live;
    const stamp = {
      seed: live.seed,
      cipher: live.cipher,
      databaseTimeMs: this.#time.nowMs(),
      syncedLsn: this.#marks.syncedLsn,
      syncedEnd: live.syncedEnd,
    };
    const chain = group.finish(stamp, live.chain);
    this.attemptedLsn = group.lastLsn;
    const pool = group.length > INLINE_BYTES_MAX;
    const bytes = group.bytes.subarray(0, group.length);
    yield { kind: 'write', file: live.file, bytes, position: group.fileOffset, pool };
    this.writes++;
    live.advance(group.fileOffset + group.length, group.lastLsn, chain);
    for (const { at, header } of group.frames) {
      if (header.fragment === 0) live.index.note(header.firstLsn, group.fileOffset + at);
    }
    this.#marks.wrote(group.lastLsn, group.unitBytes);
    // A pool write that was overtaken by a synchronous one may still hold the buffer.
    if (this.#pump.poolIsEmpty) this.#appender.recycle(group);
    this.#listener.wrote(group.length);
  }

  /** `beside`: another file that is synced at the same time. */
  *#sync(pool: boolean, beside?: Twins): Plan {
    const live = this.#live;
    this.#planSyncs = true;
    // In place there is a descriptor of its own.
    const { running } = this.#backgroundSync;
    if (pool && running) yield { kind: 'wait', promise: running, pool: true };
    const { lastLsn, end } = live;
    const { writtenBytes } = this.#marks;
    const startedMs = this.#disk.nowMs();
    yield { kind: 'sync', file: live, dataOnly: true, pool, beside };
    this.#planSyncs = false;
    live.syncedEnd = Math.max(live.syncedEnd, end);
    this.#synced(startedMs, lastLsn, writtenBytes);
  }

  #synced(startedMs: number, lsn: number, writtenBytes: number): void {
    this.#disk.synced(startedMs);
    this.syncs++;
    this.#marks.synced(lsn, writtenBytes);
    this.#listener.synced(this.#disk.lastMs);
  }

  *#rotate(next: Slot): Plan {
    const old = this.#live;
    const pool = this.#disk.isSlow;
    this.#planSyncs = true;
    const nowMs = this.#time.nowMs();
    const header = successorHeader(this.#vfs, this.#options.identity, old, next.sequence, nowMs);
    const bytes = encodeSegmentHeader(header);
    const live = new LiveSegment(this.#options.dir, header, bytes.length, next.file, next.twin);
    yield { kind: 'write', file: live.file, bytes, position: 0, pool: false };
    if (next.syncing) yield { kind: 'wait', promise: next.syncing, pool: true };
    if (old.syncedEnd < old.end) {
      // Not part of the log before it has its name: it may be on disk before what it vouches for.
      yield* this.#sync(pool, live);
    } else {
      yield { kind: 'sync', file: live, dataOnly: true, pool };
    }
    this.#planSyncs = true;
    if (next.sparePath !== undefined) {
      yield { kind: 'rename', from: next.sparePath, to: live.path, pool: false };
    }
    yield { kind: 'syncDir', path: this.#options.dir, pool };
    const trailer = yield* this.#trailer(old, format.FrameType.rotated);
    yield { kind: 'sync', file: old, dataOnly: true, pool };
    const sealed = old.describe();
    // Nobody waits for the zeros behind the trailer to go.
    this.#retired.add(old, old.end + trailer);
    this.#space.promoted(next);
    this.#live = live;
    this.#slot = next;
    this.#markedEnd = 0;
    this.rotations++;
    this.#planSyncs = false;
    this.#listener.rotated(sealed);
  }

  *#close(): Plan {
    yield* this.#sync(true);
    this.#planSyncs = true;
    this.#closeDue = false;
    // On a full disk a log ends without: all is synced, and the next opening reads its tail.
    if (!this.#space.reserveTrailer()) return;
    const live = this.#live;
    const length = live.end + (yield* this.#trailer(live, format.FrameType.closed));
    yield { kind: 'truncate', file: live.file, length, pool: true };
    yield { kind: 'sync', file: live, dataOnly: false, pool: true };
  }

  /** Writes the trailer; returns its length in bytes. */
  *#trailer(segment: LiveSegment, type: format.FrameType): Generator<Io, number, void> {
    const { file, end, header } = segment;
    const payload = encodeTrailer(
      {
        count: segment.lastLsn + 1 - header.baseLsn,
        lastLsn: segment.lastLsn,
        chain: segment.chain,
      },
      segment.index,
      end,
    );
    const bytes = this.#controlFrame(segment, type, payload);
    yield { kind: 'write', file, bytes, position: end, pool: false };
    return bytes.length;
  }

  #controlFrame(segment: LiveSegment, type: format.FrameType, payload: Uint8Array): Uint8Array {
    const { syncedLsn } = this.#marks;
    return encodeControlFrame(segment, type, payload, this.#time.nowMs(), syncedLsn);
  }

  *#mark(): Plan {
    const due = this.#markDue;
    this.#markDue = false;
    const live = this.#live;
    const synced = this.#marks.syncedLsn === live.lastLsn;
    if (!due || !synced || live.end === this.#markedEnd) return;
    if (live.end === live.headerBytes || !this.#space.fitsControl(format.FRAME_HEADER_BYTES))
      return;
    const bytes = this.#controlFrame(live, format.FrameType.idle, new Uint8Array(0));
    // Its place is taken at once: records may be submitted while it is being written.
    this.#slot.end += bytes.length;
    yield { kind: 'write', file: live.file, bytes, position: live.end, pool: false };
    const crc = viewOf(bytes).getUint32(format.FRAME_CRC_AT, true);
    live.advance(live.end + bytes.length, live.lastLsn, chainAfter(live.chain, crc));
    this.#markedEnd = live.end;
    yield* this.#sync(true);
  }
}

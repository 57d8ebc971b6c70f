/**
 * The log. `Wal.open` recovers and returns one; everything else is a method of it.
 *
 *     append, appendBatch, appendSync   for programs that wait for each record
 *     admit, submit, whenDurable        for a database that applies at once and answers later
 *     read, replay                      everything that is written, oldest first
 *
 * Invariants
 *  1. `admit` may refuse; once a record has its LSN only I/O can fail (R7).
 *  2. Records submitted in one turn of the event loop are written together at its end. Only an
 *     `append` of a program that was just told of its last one is written at once: `follow-up.ts`.
 *  3. After the first failed write or sync nothing is accepted any more (R10): what was never
 *     handed to the disk is rejected with `WAL_POISONED`, what may surface after a restart with
 *     `WAL_OUTCOME_UNKNOWN`.
 *
 * Concurrency: one thread. Methods may be called at any time, also from listeners.
 */
import type { Lsn } from '@nendb/codec';
import { Core } from './core.js';
import { cutBack } from './cut-back.js';
import { WalError } from './errors.js';
import { inspectLog, verifyLog } from './offline/inspect.js';
import type {
  OfflineOptions,
  SalvageOptions,
  WalInspection,
  WalSalvageReport,
  WalVerification,
} from './offline/report.js';
import { salvageLog } from './offline/salvage.js';
import { openLog } from './open.js';
import { bad, checkLease, checkOptions, checkRange, checkTail } from './options.js';
import { WalPosition } from './position.js';
import { printable } from './printed.js';
import { type RecordVisitor, readLog, replayLog } from './read-log.js';
import { checkBatch, checkBytes, checkLength, checkPart } from './record-checks.js';
import type { EpochStart } from './segment-header.js';
import { followLog } from './tail.js';
import type {
  Lease,
  LeaseOptions,
  Position,
  WalCut,
  WalEntry,
  WalHealth,
  WalOptions,
  WalReadRange,
  WalRecovery,
  WalStats,
  WalTailOptions,
} from './types.js';
import { WriteThrough } from './write-through.js';

export class Wal {
  readonly #core: Core;
  readonly #through: WriteThrough;
  #turnScheduled = false;
  #appends = 0;
  #appendedBytes = 0;

  /**
   * Opens the log in `options.dir`, recovering what a crash left, or starts a new one.
   *
   * Throws `WAL_BAD_OPTION`, `WAL_LOCKED`, `WAL_MISSING`, `WAL_CORRUPT`, `WAL_MISSING_SEGMENT`,
   * `WAL_TOO_NEW`, `WAL_WRONG_DATABASE`, `WAL_FULL`; then nothing on disk has changed.
   */
  static async open(options: WalOptions): Promise<{ wal: Wal; recovery: WalRecovery }> {
    const checked = checkOptions(options);
    const opened = await openLog(checked);
    return { wal: new Wal(new Core(checked, opened)), recovery: printable(opened.recovery) };
  }

  /**
   * Says what the log in `dir` consists of and what is wrong with it, without reading all of it.
   * Changes nothing, takes no lock, goes on behind damage. Throws `WAL_TOO_NEW`; with `encryption`
   * also `WAL_WRONG_KEY` and `WAL_NOT_ENCRYPTED`.
   */
  static inspect(dir: string, options: OfflineOptions = {}): Promise<WalInspection> {
    return inspectLog(dir, options);
  }

  /** The same after comparing every checksum; in bounded memory. Throws as `inspect`. */
  static verify(dir: string, options: OfflineOptions = {}): Promise<WalVerification> {
    return verifyLog(dir, options);
  }

  /**
   * Makes a refused log open again: keeps the longest contiguous range of readable records, moves
   * the files of all others to `options.quarantine`, and reports exactly what is kept and lost.
   * Never part of an opening; safe to run again. Throws `WAL_LOCKED`, `WAL_MISSING`, `WAL_FULL`,
   * `WAL_TOO_NEW`, `WAL_WRONG_KEY`, `WAL_NOT_ENCRYPTED`, `WAL_BAD_OPTION`.
   */
  static salvage(dir: string, options: SalvageOptions): Promise<WalSalvageReport> {
    return salvageLog(dir, options);
  }

  private constructor(core: Core) {
    this.#core = core;
    this.#through = new WriteThrough(core);
  }

  /** The epoch of what is written: it grows at every opening and at every `truncateAfter`. */
  get epoch(): number {
    return this.#core.path.epoch;
  }

  /** The openings that wrote something, oldest first, this one last; kept beyond truncation. */
  get epochs(): readonly EpochStart[] {
    return this.#core.live.header.epochs.map((start) => printable({ ...start }));
  }

  /** The newest record, submitted or not yet written; 0 in a new log. */
  get lastLsn(): Lsn {
    return this.#core.path.appender.lastLsn;
  }

  /** The oldest record still in the log; `lastLsn + 1` where there is none. */
  get firstLsn(): Lsn {
    return this.#core.files.firstLsn;
  }

  /** Covered by a finished sync. */
  get syncedLsn(): Lsn {
    return this.#core.marks.syncedLsn;
  }

  /** What the policy promises: `syncedLsn` under `always`, what is written otherwise. */
  get durableLsn(): Lsn {
    return this.#core.marks.durableLsn;
  }

  /** Whether more waits for the disk than `pendingBytesMax`: pause until the next `onDurable`. */
  get pressure(): boolean {
    return this.#core.marks.pressure;
  }

  /** Where the next record will go, with the LSN of the last one. */
  get position(): Position {
    const { sequence, end } = this.#core.path.space.tail;
    return this.#positionAt(this.lastLsn, sequence, end);
  }

  /**
   * Makes sure that a record of `bytes` bytes can be submitted in this turn. Throws `WAL_FULL`,
   * `WAL_RECORD_TOO_LARGE`, `WAL_POISONED`, `WAL_CLOSED`; then nothing has happened.
   */
  admit(bytes: number): void {
    this.#core.checkUsable();
    checkLength(bytes, this.#core.options.recordBytesMax);
    this.#core.path.appender.admit(bytes);
  }

  /**
   * Assigns the next LSN and copies `bytes` from `from` to `to`. Cannot fail after an `admit` of
   * as many bytes in the same turn; without one it throws what `admit` would.
   */
  submit(bytes: Uint8Array, from = 0, to: number = bytes?.length): Lsn {
    this.#core.checkUsable();
    checkPart(bytes, from, to, this.#core.options.recordBytesMax);
    const lsn = this.#core.path.appender.submit(bytes, from, to);
    this.#appends++;
    this.#appendedBytes += to - from;
    this.#scheduleTurn();
    return lsn;
  }

  /** `submit`, written when it returns (`write-through.ts`). A write that fails poisons: ask `health`. */
  submitWritten(bytes: Uint8Array, from = 0, to: number = bytes?.length): Lsn {
    const alone = this.#through.write(bytes, from, to) as Lsn | 0;
    if (alone) this.#wasAlone(bytes.subarray(from, to));
    const lsn = alone || this.submit(bytes, from, to);
    if (!alone) this.#core.path.writer.flushNow();
    return lsn;
  }

  /** Resolves when `durableLsn >= lsn`; rejects with `WAL_POISONED` or `WAL_OUTCOME_UNKNOWN`. */
  whenDurable(lsn: Lsn): Promise<void> {
    if (!(Number.isSafeInteger(lsn) && lsn <= this.lastLsn)) {
      return Promise.reject(bad('lsn', `an LSN up to ${this.lastLsn}, the last submitted`, lsn));
    }
    if (lsn <= this.durableLsn) return Promise.resolve();
    if (this.#core.failed)
      return Promise.reject(this.#core.failureOf(lsn <= this.#core.path.writer.attemptedLsn));
    return this.#core.marks.whenDurable(lsn);
  }

  /** Calls `listener(durableLsn)` after each advance, without a promise; returns how to stop it. */
  onDurable(listener: (durableLsn: Lsn) => void): () => void {
    return this.#core.marks.onDurable(listener);
  }

  /**
   * Appends a record; resolves with its position when it is durable under the policy. `bytes` is
   * the caller's again at once. Rejects as `admit` throws, and with `WAL_OUTCOME_UNKNOWN`.
   */
  append(bytes: Uint8Array): Promise<Position> {
    try {
      const { writer } = this.#core.path;
      const lsn = (writer.expectsNext && this.#appendNext(bytes)) || this.submit(bytes);
      if (this.#core.failed) return Promise.reject(this.#core.failureOf(true));
      return this.#core.marks.valueWhenDurable(lsn, this.#newestPosition(lsn));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Appends records that are there together or not at all, with consecutive LSNs; resolves with
   * the position of the first. Rejects as `append` does.
   */
  appendBatch(records: readonly Uint8Array[]): Promise<Position> {
    try {
      const lsn = this.#submitBatch(records);
      const position = this.#newestPosition(lsn);
      return this.#core.marks.valueWhenDurable(lsn + records.length - 1, position);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Appends a record, with everything pending before it, and returns when it is durable under the
   * policy. Blocks the thread for the disk. Throws as `append` rejects.
   */
  appendSync(bytes: Uint8Array): Position {
    this.#core.checkUsable();
    checkBytes(bytes);
    checkLength(bytes.length, this.#core.options.recordBytesMax);
    const { writer } = this.#core.path;
    const alone = writer.appendAlone(bytes) as Lsn | 0;
    const lsn = alone || this.submit(bytes);
    // Who listens may append more before this returns.
    const position = this.#newestPosition(lsn);
    if (alone) {
      this.#wasAlone(bytes);
      writer.finishAlone();
    } else {
      writer.flushNow();
    }
    this.#core.path.schedule.wroteInPlace();
    if (lsn > this.durableLsn) throw this.#core.failureOf(lsn <= writer.attemptedLsn);
    return position;
  }

  /** Resolves when everything submitted before the call is covered by a sync, whatever the policy. */
  async sync(): Promise<void> {
    const lsn = this.lastLsn;
    if (lsn <= this.syncedLsn) return;
    this.#core.checkUsable();
    const synced = this.#core.marks.whenSynced(lsn);
    // What is not written yet is at the end of the turn: a loop of submit and sync must not keep it.
    this.#core.path.schedule.want(lsn);
    await synced;
  }

  /**
   * Yields records from LSN `from` to `to` (default: all that is written when it begins), oldest
   * first. Holds a lease on what it has not read yet, as `retain` does, until it ends or returns.
   * Throws `WAL_TRUNCATED_AWAY`, and `WAL_CORRUPT` with file and offset.
   */
  async *read(range: WalReadRange = {}): AsyncGenerator<WalEntry, void, void> {
    checkRange(range);
    await this.#core.uncut();
    const view = this.#core.view();
    const last = view[view.length - 1].lastLsn;
    const from = range.from ?? this.firstLsn;
    const hold = this.#core.holdList(from);
    try {
      yield* readLog(this.#core.options.vfs, view, from, Math.min(range.to ?? last, last), hold);
    } finally {
      hold.lease.release();
    }
  }

  /** Calls `visit` for every written record from `from` on. The fast way; rejects as `read`. */
  async replay(from: Lsn | number, visit: RecordVisitor): Promise<void> {
    if (!Number.isSafeInteger(from)) throw bad('from', 'an LSN', from);
    if (typeof visit !== 'function') throw bad('visit', 'a function', visit);
    await this.#core.uncut();
    const view = this.#core.view();
    const hold = this.#core.holdList(from);
    try {
      const to = view[view.length - 1].lastLsn;
      await replayLog(this.#core.options.vfs, view, from, to, visit, hold);
    } finally {
      hold.lease.release();
    }
  }

  /**
   * Follows the log from LSN `from` (default: the next record): yields what is durable and waits for
   * more, never passing `durableLsn`. Ends when `signal` aborts, and when the log is closed, after
   * what was durable by then. Holds a lease like a reader's, on what it has not yielded.
   *
   * Throws `WAL_TRUNCATED_AWAY` where records that it needs were cut off, `WAL_POISONED` after the
   * last durable record of a log that has failed, `WAL_CORRUPT`.
   */
  tail(options: WalTailOptions = {}): AsyncGenerator<WalEntry, void> {
    checkTail(options);
    const { from = this.lastLsn + 1, signal } = options;
    return followLog(this.#core, from, signal);
  }

  /**
   * Keeps the records from `lsn` on, which may be the next one, until the lease moves or is released;
   * at most `bytesMax` more than the log would otherwise hold (R4). Throws `WAL_TRUNCATED_AWAY`,
   * `WAL_BAD_OPTION`, `WAL_POISONED`, `WAL_CLOSED`.
   */
  retain(lsn: Lsn | number, options: LeaseOptions = {}): Lease {
    this.#core.checkUsable();
    checkLease(options);
    if (!(Number.isSafeInteger(lsn) && lsn <= this.lastLsn + 1)) {
      throw bad('lsn', `an LSN up to ${this.lastLsn + 1}, the next one`, lsn);
    }
    if (lsn < this.firstLsn) {
      throw new WalError(
        'WAL_TRUNCATED_AWAY',
        `expected to retain LSN ${lsn}, but the log begins at ${this.firstLsn}: retain from there`,
      );
    }
    return this.#core.files.retention.hold(lsn, options);
  }

  /**
   * Removes whole segments that hold only records below `lsn`, oldest first; never the one being
   * written, and none that a lease, a reader or a tail still needs: those go when they are let go.
   * HEAD names the new first segment, durably, before a file goes: a crash in between leaves a
   * contiguous log, and the next opening removes the rest. Works on a full disk. Rejects with
   * `WAL_POISONED`, `WAL_CLOSED`, or the error of an unlink that failed.
   */
  truncateBefore(lsn: Lsn | number): Promise<void> {
    return this.#core.files.truncateBefore(lsn);
  }

  /**
   * Cuts the log back, so that `lsn` (0 for nothing) is its last record, under a new epoch. For a
   * replica whose leader never had the rest; what is cut off stays in the directory under other
   * names. Until it is done `submit` and `append` refuse with `WAL_BUSY`. A crash leaves the log as
   * it was, or cut. Leases, readers and tails beyond `lsn` are lost.
   *
   * Rejects with `WAL_BAD_OPTION` (beyond the log, or inside a batch), `WAL_TRUNCATED_AWAY` (before
   * the log), `WAL_FULL`: then nothing has changed; `WAL_POISONED`, `WAL_CLOSED`.
   */
  truncateAfter(lsn: Lsn | number): Promise<WalCut> {
    return cutBack(this.#core, lsn);
  }

  get health(): WalHealth {
    return this.#core.health(this.position);
  }

  get stats(): WalStats {
    const { path, past } = this.#core;
    const { writer } = path;
    return printable({
      segments: this.#core.files.sealed.length + 1,
      bytes: this.#core.files.bytes + writer.live.end,
      firstLsn: this.firstLsn,
      lastLsn: this.lastLsn,
      syncedLsn: this.syncedLsn,
      durableLsn: this.durableLsn,
      appends: this.#appends,
      appendedBytes: this.#appendedBytes,
      writes: past.writes + writer.writes,
      syncs: past.syncs + writer.syncs,
      rotations: past.rotations + writer.rotations,
      pendingBytes: this.#core.marks.pendingBytes,
      lastSyncMs: writer.lastSyncMs,
      leases: this.#core.files.retention.count,
    });
  }

  /**
   * Writes and syncs what is pending, whatever the policy, seals the log and lets it go. Rejects
   * with `WAL_OUTCOME_UNKNOWN` if that fails; everything is released all the same. Idempotent.
   */
  close(): Promise<void> {
    return this.#core.close();
  }

  /** Appends where the writer takes it for the next step of the last one; 0 where it does not. */
  #appendNext(bytes: Uint8Array): Lsn | 0 {
    this.#core.checkUsable();
    checkBytes(bytes);
    checkLength(bytes.length, this.#core.options.recordBytesMax);
    const lsn = this.#core.path.writer.appendNext(bytes) as Lsn | 0;
    if (lsn > 0) this.#wasAlone(bytes);
    return lsn;
  }

  /** A record was written without `submit`. */
  #wasAlone(bytes: Uint8Array): void {
    this.#appends++;
    this.#appendedBytes += bytes.length;
    if (this.#core.path.space.wantsSpare) this.#scheduleTurn();
  }

  #submitBatch(records: readonly Uint8Array[]): Lsn {
    this.#core.checkUsable();
    const { bytes, unitBytes } = checkBatch(records, this.#core.options.recordBytesMax);
    const lsn = this.#core.path.appender.submitBatch(records, unitBytes);
    this.#appends += records.length;
    this.#appendedBytes += bytes;
    this.#scheduleTurn();
    return lsn;
  }

  #scheduleTurn(): void {
    if (this.#turnScheduled || this.#core.path.writer.flushing) return;
    this.#turnScheduled = true;
    this.#core.options.vfs.timers.turnEnd(() => {
      this.#turnScheduled = false;
      this.#core.path.writer.flush();
      if (this.#core.path.space.wantsSpare && this.#core.usable) this.#core.path.space.buildAhead();
    });
  }

  #newestPosition(lsn: Lsn): Position {
    return this.#positionAt(
      lsn,
      this.#core.path.space.tail.sequence,
      this.#core.path.appender.lastOffset,
    );
  }

  #positionAt(lsn: Lsn, sequence: number, offset: number): Position {
    return new WalPosition(this.epoch, lsn, sequence, offset);
  }
}

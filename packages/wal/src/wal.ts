/**
 * The log. `Wal.open` recovers and returns one; everything else is a method of it.
 *
 *     append, appendBatch, appendSync   for programs that wait for each record
 *     admit, submit, whenDurable        for a database that applies at once and answers later
 *     read, replay                      everything that is written, oldest first
 *
 * Invariants
 *  1. `admit` may refuse; once a record has its LSN only I/O can fail (R7).
 *  2. Records submitted in one turn of the event loop are written together at its end.
 *  3. After the first failed write or sync nothing is accepted any more (R10): what was never
 *     handed to the disk is rejected with `WAL_POISONED`, what may surface after a restart with
 *     `WAL_OUTCOME_UNKNOWN`.
 *
 * Concurrency: one thread. Methods may be called at any time, also from listeners.
 */
import type { Lsn } from '@nendb/codec';
import type { VfsLock } from '@nendb/vfs';
import { Announcer } from './announcer.js';
import { Appender } from './appender.js';
import { Clockwork } from './clockwork.js';
import type { Segment } from './directory.js';
import { type Failure, failed, tooLarge, WalError } from './errors.js';
import { recordBytes } from './group.js';
import type { HeadFile } from './head-file.js';
import { BATCH_RECORDS_MAX, RECORD_BYTES_LIMIT } from './limits.js';
import { Marks } from './marks.js';
import { inspectLog, verifyLog } from './offline/inspect.js';
import type { OfflineOptions, WalInspection, WalVerification } from './offline/report.js';
import { type Opened, openLog, removeFiles } from './open.js';
import { bad, type CheckedOptions, checkOptions } from './options.js';
import { WalPosition } from './position.js';
import { type RecordVisitor, readLog, replayLog } from './read-log.js';
import { Schedule } from './schedule.js';
import type { EpochStart } from './segment-header.js';
import { Space } from './space.js';
import { trailerBytesMax } from './trailer.js';
import type { Position, WalEntry, WalHealth, WalOptions, WalRecovery, WalStats } from './types.js';
import { Writer } from './writer.js';

export class Wal {
  readonly #options: CheckedOptions;
  readonly #head: HeadFile;
  readonly #lock: VfsLock | undefined;
  readonly #epoch: number;
  readonly #space: Space;
  readonly #marks: Marks;
  readonly #appender: Appender;
  readonly #writer: Writer;
  readonly #schedule: Schedule;
  readonly #announcer: Announcer;
  #sealed: Segment[];
  #turnScheduled = false;
  #failure: Failure | undefined;
  #closing: Promise<void> | undefined;
  #truncation: Promise<void> = Promise.resolve();
  #appends = 0;
  #appendedBytes = 0;
  #ioErrorCount = 0;

  /**
   * Opens the log in `options.dir`, recovering what a crash left, or starts a new one.
   *
   * Throws `WAL_BAD_OPTION`, `WAL_LOCKED`, `WAL_MISSING`, `WAL_CORRUPT`, `WAL_MISSING_SEGMENT`,
   * `WAL_TOO_NEW`, `WAL_WRONG_DATABASE`, `WAL_FULL`; then nothing on disk has changed.
   */
  static async open(options: WalOptions): Promise<{ wal: Wal; recovery: WalRecovery }> {
    const checked = checkOptions(options);
    const opened = await openLog(checked);
    return { wal: new Wal(checked, opened), recovery: opened.recovery };
  }

  /**
   * Says what the log in `dir` consists of and what is wrong with it, without reading all of it.
   * Changes nothing, takes no lock, goes on behind damage. Throws `WAL_TOO_NEW`.
   */
  static inspect(dir: string, options: OfflineOptions = {}): Promise<WalInspection> {
    return inspectLog(dir, options.vfs);
  }

  /** The same after comparing every checksum; in bounded memory. Throws `WAL_TOO_NEW`. */
  static verify(dir: string, options: OfflineOptions = {}): Promise<WalVerification> {
    return verifyLog(dir, options.vfs);
  }

  private constructor(options: CheckedOptions, opened: Opened) {
    const { vfs, dir, segmentBytesMax, preallocateBytes } = options;
    const { live, recovery } = opened;
    const always = options.sync === 'always';
    this.#options = options;
    this.#head = opened.head;
    this.#lock = opened.lock;
    this.#epoch = recovery.epoch;
    this.#sealed = opened.sealed;
    this.#space = new Space(
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
        sparePath: undefined,
        end: live.end,
        reserved: preallocateBytes === 0 ? Number.MAX_SAFE_INTEGER : live.end,
        used: live.lastLsn >= live.header.baseLsn,
      },
      (error) => this.#fail('write', error),
    );
    this.#marks = new Marks(always, live.lastLsn, options.pendingBytesMax);
    this.#announcer = new Announcer(vfs.timers, this.#marks, options.onEvent);
    this.#appender = new Appender(this.#space, this.#marks, this.#epoch, segmentBytesMax);
    this.#writer = new Writer(
      vfs,
      { dir, always, syncMs: opened.syncMs },
      live,
      {
        space: this.#space,
        appender: this.#appender,
        marks: this.#marks,
        time: new Clockwork(vfs.clock, recovery.databaseTimeMs, options.databaseTimeMs),
      },
      {
        wrote: () => this.#schedule.wrote(),
        synced: (elapsedMs) => {
          this.#schedule.synced();
          this.#announcer.emit({ type: 'synced', lsn: this.syncedLsn, elapsedMs });
        },
        rotated: (sealed) => {
          this.#sealed.push(sealed);
          this.#announcer.emit({
            type: 'rotated',
            segment: sealed.name,
            lastLsn: sealed.lastLsn as Lsn,
          });
        },
        failed: (kind, error) => this.#fail(kind, error),
        stepped: () => this.#announcer.announce(),
      },
    );
    this.#schedule = new Schedule(vfs.timers, this.#marks, this.#writer, options.sync);
  }

  /** The epoch of this opening: it grows at every one. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The openings that wrote something, oldest first, this one last; kept beyond truncation. */
  get epochs(): readonly EpochStart[] {
    return this.#writer.live.header.epochs;
  }

  /** The newest record, submitted or not yet written; 0 in a new log. */
  get lastLsn(): Lsn {
    return this.#appender.lastLsn;
  }

  /** The oldest record still in the log; `lastLsn + 1` where there is none. */
  get firstLsn(): Lsn {
    return (this.#sealed[0]?.header.baseLsn ?? this.#writer.live.header.baseLsn) as Lsn;
  }

  /** Covered by a finished sync. */
  get syncedLsn(): Lsn {
    return this.#marks.syncedLsn;
  }

  /** What the policy promises: `syncedLsn` under `always`, what is written otherwise. */
  get durableLsn(): Lsn {
    return this.#marks.durableLsn;
  }

  /** Whether more waits for the disk than `pendingBytesMax`: pause until the next `onDurable`. */
  get pressure(): boolean {
    return this.#marks.pressure;
  }

  /** Where the next record will go, with the LSN of the last one. */
  get position(): Position {
    const { sequence, end } = this.#space.tail;
    return this.#positionAt(this.lastLsn, sequence, end);
  }

  /**
   * Makes sure that a record of `bytes` bytes can be submitted in this turn. Throws `WAL_FULL`,
   * `WAL_RECORD_TOO_LARGE`, `WAL_POISONED`, `WAL_CLOSED`; then nothing has happened.
   */
  admit(bytes: number): void {
    this.#checkUsable();
    this.#checkLength(bytes);
    this.#appender.admit(bytes);
  }

  /**
   * Assigns the next LSN and copies `bytes` from `from` to `to`. Cannot fail after an `admit` of
   * as many bytes in the same turn; without one it throws what `admit` would.
   */
  submit(bytes: Uint8Array, from = 0, to: number = bytes.length): Lsn {
    this.#checkUsable();
    this.#checkLength(to - from);
    const lsn = this.#appender.submit(bytes, from, to);
    this.#appends++;
    this.#appendedBytes += to - from;
    this.#scheduleTurn();
    return lsn;
  }

  /** Resolves when `durableLsn >= lsn`; rejects with `WAL_POISONED` or `WAL_OUTCOME_UNKNOWN`. */
  whenDurable(lsn: Lsn): Promise<void> {
    if (lsn > this.lastLsn) {
      return Promise.reject(bad('lsn', `at most ${this.lastLsn}, the last submitted`, lsn));
    }
    if (lsn <= this.durableLsn) return Promise.resolve();
    if (this.#failure) return Promise.reject(this.#failureOf(lsn <= this.#writer.attemptedLsn));
    return this.#marks.whenDurable(lsn);
  }

  /** Calls `listener(durableLsn)` after each advance, without a promise; returns how to stop it. */
  onDurable(listener: (durableLsn: Lsn) => void): () => void {
    return this.#marks.onDurable(listener);
  }

  /**
   * Appends a record; resolves with its position when it is durable under the policy. `bytes` is
   * the caller's again at once. Rejects as `admit` throws, and with `WAL_OUTCOME_UNKNOWN`.
   */
  append(bytes: Uint8Array): Promise<Position> {
    try {
      const lsn = this.submit(bytes);
      return this.#marks.valueWhenDurable(lsn, this.#newestPosition(lsn));
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
      return this.#marks.valueWhenDurable(lsn + records.length - 1, position);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Appends a record, with everything pending before it, and returns when it is durable under the
   * policy. Blocks the thread for the disk. Throws as `append` rejects.
   */
  appendSync(bytes: Uint8Array): Position {
    const lsn = this.submit(bytes);
    const position = this.#newestPosition(lsn);
    this.#writer.flushNow();
    if (lsn > this.durableLsn) throw this.#failureOf(lsn <= this.#writer.attemptedLsn);
    return position;
  }

  /** Resolves when everything submitted before the call is covered by a sync, whatever the policy. */
  async sync(): Promise<void> {
    const lsn = this.lastLsn;
    if (lsn <= this.syncedLsn) return;
    this.#checkUsable();
    const synced = this.#marks.whenSynced(lsn);
    this.#schedule.want(lsn);
    this.#writer.flush();
    await synced;
  }

  /**
   * Yields records from LSN `from` to `to` (default: all that is written now), oldest first.
   * Throws `WAL_TRUNCATED_AWAY`, and `WAL_CORRUPT` with file and offset.
   */
  read(range: { from?: Lsn | number; to?: Lsn | number } = {}): AsyncGenerator<WalEntry, void> {
    const view = this.#view();
    const last = view[view.length - 1].lastLsn;
    const from = range.from ?? this.firstLsn;
    return readLog(this.#options.vfs, view, from, Math.min(range.to ?? last, last));
  }

  /** Calls `visit` for every written record from `from` on. The fast way; rejects as `read`. */
  replay(from: Lsn | number, visit: RecordVisitor): Promise<void> {
    const view = this.#view();
    return replayLog(this.#options.vfs, view, from, view[view.length - 1].lastLsn, visit);
  }

  /**
   * Removes whole segments that hold only records below `lsn`, oldest first; never the one being
   * written. HEAD names the new first segment, durably, before a file goes: a crash in between
   * leaves a contiguous log, and the next opening removes the rest. Works on a full disk. Rejects
   * with `WAL_POISONED`, `WAL_CLOSED`, or the error of an unlink that failed.
   */
  truncateBefore(lsn: Lsn | number): Promise<void> {
    const turn = this.#truncation.then(() => this.#truncateBefore(lsn));
    this.#truncation = turn.catch(() => undefined);
    return turn;
  }

  get health(): WalHealth {
    const failure = this.#failure;
    const health: WalHealth = {
      healthy: !failure && !this.#closing,
      poisoned: failure !== undefined,
      ioErrorCount: this.#ioErrorCount,
      endPosition: this.position,
    };
    if (failure) {
      health.failure = failure.kind;
      health.lastError = failure.error.message;
    }
    return health;
  }

  get stats(): WalStats {
    const writer = this.#writer;
    return {
      segments: this.#sealed.length + 1,
      bytes: this.#sealed.reduce((sum, segment) => sum + segment.end, writer.live.end),
      firstLsn: this.firstLsn,
      lastLsn: this.lastLsn,
      syncedLsn: this.syncedLsn,
      durableLsn: this.durableLsn,
      appends: this.#appends,
      appendedBytes: this.#appendedBytes,
      writes: writer.writes,
      syncs: writer.syncs,
      rotations: writer.rotations,
      pendingBytes: this.#marks.pendingBytes,
      lastSyncMs: writer.lastSyncMs,
    };
  }

  /**
   * Writes and syncs what is pending, whatever the policy, seals the log and lets it go. Rejects
   * with `WAL_OUTCOME_UNKNOWN` if that fails; everything is released all the same. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const poisoned = this.#failure !== undefined;
    await this.#truncation;
    if (!this.#failure) await this.#writer.finish();
    this.#schedule.stop();
    this.#writer.stop();
    await this.#writer.settled();
    try {
      if (!this.#failure) await this.#updateHead({});
      await this.#space.discardSpares(!this.#failure);
    } finally {
      await this.#writer.live.file.close();
      await this.#head.close();
      await this.#lock?.release();
    }
    if (this.#failure && !poisoned) throw this.#failureOf(true);
  }

  #submitBatch(records: readonly Uint8Array[]): Lsn {
    this.#checkUsable();
    if (records.length === 0 || records.length > BATCH_RECORDS_MAX) {
      throw bad('a batch', `1 to ${BATCH_RECORDS_MAX} records`, `${records.length}`);
    }
    let unitBytes = 0;
    let bytes = 0;
    for (const record of records) {
      this.#checkLength(record.length);
      unitBytes += recordBytes(record.length);
      bytes += record.length;
    }
    if (unitBytes > RECORD_BYTES_LIMIT) throw tooLarge('batch', RECORD_BYTES_LIMIT, unitBytes);
    const lsn = this.#appender.submitBatch(records, unitBytes);
    this.#appends += records.length;
    this.#appendedBytes += bytes;
    this.#scheduleTurn();
    return lsn;
  }

  #scheduleTurn(): void {
    if (this.#turnScheduled || this.#writer.flushing) return;
    this.#turnScheduled = true;
    this.#options.vfs.timers.turnEnd(() => {
      this.#turnScheduled = false;
      this.#writer.flush();
      if (this.#space.wantsSpare && !this.#failure && !this.#closing) this.#space.buildAhead();
    });
  }

  async #truncateBefore(lsn: number): Promise<void> {
    this.#checkUsable();
    const cut = this.#sealed.filter((segment) => segment.lastLsn < lsn);
    if (cut.length === 0) return;
    const kept = this.#sealed.slice(cut.length);
    const firstSequence = (kept[0] ?? this.#writer.live).header.sequence;
    this.#sealed = kept;
    const lastSequence = Math.max(this.#head.head.lastSequence, firstSequence);
    await this.#updateHead({ firstSequence, lastSequence });
    if (this.#failure) throw this.#failureOf(false);
    const segments = cut.map(({ name }) => name);
    await removeFiles(this.#options, segments);
    this.#announcer.emit({ type: 'truncated', segments, firstLsn: this.firstLsn });
    this.#announcer.announce();
  }

  /** Brings HEAD up to date; a failure poisons the log. */
  async #updateHead(change: { firstSequence?: number; lastSequence?: number }): Promise<void> {
    try {
      await this.#head.update({ ...change, syncedLsn: this.syncedLsn });
    } catch (error) {
      this.#fail(this.#head.step, error);
    }
  }

  #view(): Segment[] {
    return [...this.#sealed, this.#writer.live.describe()];
  }

  #newestPosition(lsn: Lsn): Position {
    return this.#positionAt(lsn, this.#space.tail.sequence, this.#appender.lastOffset);
  }

  #positionAt(lsn: Lsn, sequence: number, offset: number): Position {
    return new WalPosition(this.#epoch, lsn, sequence, offset);
  }

  #checkUsable(): void {
    if (this.#failure) throw this.#failureOf(false);
    if (this.#closing) {
      throw new WalError('WAL_CLOSED', `the log in ${this.#options.dir} is closed: open it again`);
    }
  }

  #checkLength(bytes: number): void {
    const { recordBytesMax } = this.#options;
    if (bytes >= 0 && bytes <= recordBytesMax) return;
    throw tooLarge('record', recordBytesMax, bytes);
  }

  #fail(kind: 'write' | 'sync', cause: unknown): WalError {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#ioErrorCount++;
    if (this.#failure) return this.#failureOf(false);
    this.#failure = { kind, error };
    this.#schedule.stop();
    this.#writer.stop();
    this.#marks.fail(this.#writer.attemptedLsn, (_, attempted) => this.#failureOf(attempted));
    this.#announcer.emit({ type: 'poisoned', failure: kind, error });
    this.#announcer.announce();
    return this.#failureOf(false);
  }

  #failureOf(attempted: boolean): WalError {
    return failed(this.#options.dir, this.#failure, attempted);
  }
}

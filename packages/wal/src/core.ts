/**
 * What the parts of an open log share: its options, marks and files, the writing half, and whether it
 * still takes anything.
 *
 * Invariants
 *  1. The first failure counts, and everyone who waits hears of it once (R10).
 *  2. `path` changes only in a cut, while nothing is written or waited for.
 */
import type { Lsn } from '@nendb/codec';
import type { VfsLock } from '@nendb/vfs';
import { Announcer } from './announcer.js';
import type { Segment } from './directory.js';
import { explained, type Failure, failed, readOnly, WalError } from './errors.js';
import type { LiveSegment } from './live-segment.js';
import { LogFiles } from './log-files.js';
import { Marks } from './marks.js';
import type { Opened } from './open.js';
import type { CheckedOptions } from './options.js';
import type { Hold } from './read-log.js';
import { Bell } from './tail.js';
import type { WalHealth } from './types.js';
import { WritePath } from './write-path.js';

export class Core {
  readonly options: CheckedOptions;
  readonly marks: Marks;
  readonly announcer: Announcer;
  readonly files: LogFiles;
  /** Rings when something became durable, and when the log has ended or was cut. */
  readonly bell = new Bell();
  readonly #lock: VfsLock | undefined;
  path: WritePath;
  /** `truncateAfter` is under way. */
  cutting = false;
  /** Where `truncateAfter` has cut the log back to, in order, from the commit of each on. */
  readonly cuts: number[] = [];
  /** HEAD has committed a cut that `path` and `files` do not show yet. */
  #cutPending = false;
  /** What was counted on paths before this one. */
  readonly past = { writes: 0, syncs: 0, rotations: 0 };
  #failure: Failure | undefined;
  #closing: Promise<void> | undefined;
  #closed = false;
  #ioErrorCount = 0;
  readonly #readOnly: WalError | undefined;

  constructor(options: CheckedOptions, opened: Opened) {
    const { live, recovery, syncMs } = opened;
    this.options = options;
    this.#lock = opened.lock;
    this.marks = new Marks(options.sync === 'always', live.lastLsn, options.pendingBytesMax);
    this.announcer = new Announcer(options.vfs.timers, this.marks, options.onEvent);
    this.path = this.newPath(live, recovery.epoch, recovery.databaseTimeMs, syncMs);
    this.files = new LogFiles(this, opened.head, opened.sealed);
    this.marks.onDurable(() => this.bell.ring());
    if (!opened.damage) return;
    this.#readOnly = readOnly(options.dir, opened.damage);
    this.#failure = { kind: 'write', error: this.#readOnly };
    this.path.stop();
  }

  /** The half that writes to `live`: see `WritePath`. */
  newPath(live: LiveSegment, epoch: number, databaseTimeMs: number, syncMs: number): WritePath {
    const { marks, announcer } = this;
    const parts = { live, epoch, databaseTimeMs, syncMs, marks, announcer };
    return new WritePath(this.options, parts, {
      fail: (kind, error) => this.fail(kind, error),
      rotated: (sealed) => {
        this.files.add(sealed);
        const lastLsn = sealed.lastLsn as Lsn;
        announcer.emit({ type: 'rotated', segment: sealed.name, lastLsn });
      },
    });
  }

  get live(): LiveSegment {
    return this.path.writer.live;
  }

  get lastLsn(): Lsn {
    return this.path.appender.lastLsn;
  }

  get durableLsn(): Lsn {
    return this.marks.durableLsn;
  }

  /** A cut at `lsn` is committed: what is read by the old names may be other files from now on. */
  cutCommitted(lsn: number): void {
    this.#cutPending = true;
    this.cuts.push(lsn);
    this.files.retention.cutAfter(lsn);
  }

  /** The log goes on behind `lsn` with `live`, after `kept`. */
  cutDone(
    lsn: number,
    kept: Segment[],
    live: LiveSegment,
    epoch: number,
    databaseTimeMs: number,
  ): void {
    this.#cutPending = false;
    this.files.cutAfter(kept, lsn);
    this.marks.restart(lsn);
    const { writes, syncs, rotations, lastSyncMs } = this.path.writer;
    this.past.writes += writes;
    this.past.syncs += syncs;
    this.past.rotations += rotations;
    this.path = this.newPath(live, epoch, databaseTimeMs, lastSyncMs);
  }

  /** A reader's hold on a `view` that was made now, from LSN `from` on. */
  holdList(from: number): Hold {
    const cuts = this.cuts.length;
    const lease = this.files.retention.holdList(from);
    return { lease, uncutLsn: () => this.uncutLsn(cuts) };
  }

  /** The last LSN that no cut since the first `count` has taken. */
  uncutLsn(count: number): number {
    if (this.cuts.length === count) return Number.POSITIVE_INFINITY;
    return Math.min(...this.cuts.slice(count));
  }

  /** Resolves when no cut is under way: before, names may lead to other files. */
  async uncut(): Promise<void> {
    while (this.cutting) await this.files.settled();
  }

  /** All segments, up to what is written. Throws where a cut failed half-way. */
  view(): Segment[] {
    if (this.#cutPending) this.checkAlive();
    return [...this.files.sealed, this.live.describe()];
  }

  /** All segments, up to `durableLsn`. Throws as `view`. */
  durableView(): Segment[] {
    if (this.#cutPending) this.checkAlive();
    const { live, marks } = this;
    const last =
      this.options.sync === 'always'
        ? live.describe(live.syncedEnd, marks.syncedLsn)
        : live.describe();
    return [...this.files.sealed, last];
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  get usable(): boolean {
    return !this.#failure && !this.#closing;
  }

  /** Set where nothing comes any more: why, or that it was closed. */
  get ended(): 'closed' | WalError | undefined {
    if (this.#failure) return this.failureOf(false);
    return this.#closed ? 'closed' : undefined;
  }

  checkAlive(): void {
    if (this.#failure) throw this.failureOf(false);
  }

  checkOpen(): void {
    this.checkAlive();
    if (this.#closing) {
      throw new WalError('WAL_CLOSED', `the log in ${this.options.dir} is closed: open it again`);
    }
  }

  checkUsable(): void {
    this.checkOpen();
    if (this.cutting) {
      throw new WalError(
        'WAL_BUSY',
        `the log in ${this.options.dir} is being cut back: wait for truncateAfter`,
      );
    }
  }

  /** Takes nothing more because of `cause`; everyone who waits hears. Returns what to throw. */
  fail(kind: 'write' | 'sync', cause: unknown): WalError {
    const known = explained(cause);
    const error = known instanceof Error ? known : new Error(String(known));
    this.#ioErrorCount++;
    if (this.#failure) return this.failureOf(false);
    this.#failure = { kind, error };
    this.path.stop();
    const { attemptedLsn } = this.path.writer;
    this.marks.fail(attemptedLsn, (_, attempted) => this.failureOf(attempted));
    this.announcer.emit({ type: 'poisoned', failure: kind, error });
    this.announcer.announce();
    this.bell.ring();
    return this.failureOf(false);
  }

  /** What the failure means for a record: `attempted` says whether its write had begun. */
  failureOf(attempted: boolean): WalError {
    if (this.#readOnly) return this.#readOnly;
    return failed(this.options.dir, this.#failure, attempted);
  }

  health(endPosition: WalHealth['endPosition']): WalHealth {
    const failure = this.#failure;
    const health: WalHealth = {
      healthy: this.usable,
      readOnly: this.#readOnly !== undefined,
      poisoned: failure !== undefined && !this.#readOnly,
      ioErrorCount: this.#ioErrorCount,
      endPosition,
    };
    if (failure) {
      if (!this.#readOnly) health.failure = failure.kind;
      health.lastError = failure.error.message;
    }
    return health;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const poisoned = this.failed;
    await this.files.settled();
    if (!this.#failure) await this.path.writer.finish();
    this.path.stop();
    await this.path.writer.settled();
    if (!this.#failure) await this.files.updateHead({}).catch(() => undefined);
    this.#closed = true;
    this.bell.ring();
    await this.#release();
    if (this.#failure && !poisoned) throw this.failureOf(true);
  }

  /** Lets go of everything, above all of the lock, whatever fails; then throws the first error. */
  async #release(): Promise<void> {
    const steps = [
      () => this.path.space.discardSpares(!this.#failure),
      () => this.live.close(),
      () => this.files.close(),
      () => this.#lock?.release(),
    ];
    const errors: unknown[] = [];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        errors.push(explained(error));
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}

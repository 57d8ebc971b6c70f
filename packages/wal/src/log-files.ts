/**
 * Which segments the log consists of, besides the one being written, and what HEAD says of them.
 *
 * Invariants
 *  1. HEAD names the new first segment, durably, before a file below it goes: a crash in between
 *     leaves a contiguous log, and the next opening removes the rest.
 *  2. What leases hold is not cut (R4). What was asked for and held back goes when it is let go.
 *  3. Changes of HEAD happen one after the other.
 *  4. Nothing here needs new disk space: a full disk can always be relieved.
 */
import type { Lsn } from '@nendb/codec';
import type { Core } from './core.js';
import type { Segment } from './directory.js';
import { explained } from './errors.js';
import type { HeadChange, HeadFile } from './head-file.js';
import { RESERVE_STEPS } from './limits.js';
import { removeFiles } from './open.js';
import { bad } from './options.js';
import { keepReserve } from './reserve.js';
import { Retention } from './retention.js';

export class LogFiles {
  readonly retention: Retention;
  readonly #core: Core;
  readonly #headFile: HeadFile | undefined;
  /** Oldest first. */
  #sealed: Segment[];
  /** The highest LSN that `truncateBefore` was asked for. */
  #wantedLsn = 0;
  #again = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(core: Core, head: HeadFile | undefined, sealed: Segment[]) {
    this.#core = core;
    this.#headFile = head;
    this.#sealed = sealed;
    const { options, announcer } = core;
    this.retention = new Retention(
      options.leaseBytesMax,
      () => core.lastLsn,
      () => this.#tryAgain(),
      ({ lsn, heldBytes, onLost }) => {
        announcer.emit({ type: 'leaseLost', lsn, heldBytes });
        if (onLost) announcer.later(onLost);
      },
    );
  }

  get sealed(): readonly Segment[] {
    return this.#sealed;
  }

  /** The oldest record that is still there. */
  get firstLsn(): Lsn {
    return (this.#sealed[0]?.header.baseLsn ?? this.#core.live.header.baseLsn) as Lsn;
  }

  get bytes(): number {
    return this.#sealed.reduce((sum, segment) => sum + segment.end, 0);
  }

  add(segment: Segment): void {
    this.#sealed.push(segment);
  }

  /** `truncateAfter` has left these, and nothing behind `lsn`. */
  cutAfter(sealed: Segment[], lsn: number): void {
    this.#sealed = sealed;
    // What was asked for beyond the cut meant records that are gone, not those that come in their place.
    this.#wantedLsn = Math.min(this.#wantedLsn, lsn + 1);
  }

  /** Runs `work` when no other change of the files runs. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work).catch((error: unknown) => {
      throw explained(error);
    });
    this.#turn = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  /** Resolves when no change of the files is under way. */
  settled(): Promise<void> {
    return this.#turn;
  }

  async truncateBefore(lsn: number): Promise<void> {
    this.#core.checkUsable();
    if (!(Number.isSafeInteger(lsn) && lsn >= 0)) throw bad('lsn', 'an LSN', lsn);
    return this.exclusively(() => {
      this.#core.checkOpen();
      this.#wantedLsn = Math.max(this.#wantedLsn, Math.min(lsn, this.#core.lastLsn + 1));
      return this.#cut();
    });
  }

  /** Brings HEAD up to date; a failure poisons the log and is thrown. */
  async updateHead(change: HeadChange): Promise<void> {
    try {
      await this.#head.update({ syncedLsn: this.#core.marks.syncedLsn, ...change });
    } catch (error) {
      throw this.#core.fail(this.#head.step, error);
    }
  }

  async close(): Promise<void> {
    await this.#headFile?.close();
  }

  /** Throws `WAL_READ_ONLY` where the log has none open. */
  get #head(): HeadFile {
    if (this.#headFile) return this.#headFile;
    throw this.#core.failureOf(false);
  }

  /** Something that was held back may go now. */
  #tryAgain(): void {
    if (this.#again || !this.#core.usable) return;
    if (this.#sealed.length === 0 || this.#sealed[0].lastLsn >= this.#wantedLsn) return;
    this.#again = true;
    this.exclusively(async () => {
      this.#again = false;
      if (this.#core.usable) await this.#cut();
    }).catch((error: unknown) => {
      this.#core.announcer.emit({
        type: 'truncationFailed',
        error: error instanceof Error ? error : new Error(String(error)),
      });
      this.#core.announcer.announce();
    });
  }

  async #cut(): Promise<void> {
    const floor = this.retention.floor(this.#wantedLsn, this.#sealed);
    const cut = this.#sealed.filter(({ lastLsn }) => lastLsn < floor);
    if (cut.length > 0) {
      const kept = this.#sealed.slice(cut.length);
      const firstSequence = kept[0]?.header.sequence ?? this.#core.live.header.sequence;
      this.#sealed = kept;
      const lastSequence = Math.max(this.#head.head.lastSequence, firstSequence);
      await this.updateHead({ firstSequence, lastSequence });
      const segments = cut.map(({ name }) => name);
      await removeFiles(this.#core.options, segments);
      const { vfs, dir, preallocateBytes } = this.#core.options;
      await keepReserve(vfs, dir, preallocateBytes * RESERVE_STEPS);
      this.#core.announcer.emit({ type: 'truncated', segments, firstLsn: this.firstLsn });
    }
    this.#core.announcer.announce();
  }
}

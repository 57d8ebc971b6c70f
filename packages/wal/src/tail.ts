/**
 * Following a log: what is durable already, then what becomes so.
 *
 *     durable view -> open segment, seek -> units up to the durable end -> wait -> go on in place
 *
 * Invariants
 *  1. A tail yields each record once, in order, and none above `durableLsn`.
 *  2. It is woken by the log, never by a clock, and costs nothing while it waits.
 *  3. It holds a lease on what it has not yielded yet, and at most one descriptor and one read buffer;
 *     all are gone when it ends: by `signal`, by `return`, by the log's close, or by an error.
 *  4. When the log is closed it yields what became durable, and ends; when the log fails it does the
 *     same and then throws why.
 */
import type { Core } from './core.js';
import { WalError } from './errors.js';
import { entriesOf } from './read-log.js';
import type { WalEntry } from './types.js';
import { UnitReader } from './unit-reader.js';

/** Tails that wait for news. */
export class Bell {
  #waiting: (() => void)[] = [];

  /** Something became durable, or the log has ended. */
  ring(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves at the next `ring`, or when `signal` aborts. */
  wait(signal: AbortSignal): Promise<void> {
    // One that has aborted already does not say so again.
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', aborted);
        resolve();
      };
      const aborted = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== wake);
        resolve();
      };
      signal.addEventListener('abort', aborted, { once: true });
      this.#waiting.push(wake);
    });
  }
}

/** Follows the log from LSN `from` until `signal` aborts, or `return` is called, also while it waits. */
export function followLog(
  core: Core,
  from: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<WalEntry, void, void> {
  const returned = new AbortController();
  const { signal: left } = returned;
  // What is cut off before the first record is asked for counts, too.
  const place = new Place(core, from);
  const tail = follow(core, place, signal ? AbortSignal.any([signal, left]) : left);
  // A generator that waits would answer `return` only after the next record.
  const end = tail.return.bind(tail);
  tail.return = (value) => {
    returned.abort();
    return end(value);
  };
  return tail;
}

async function* follow(
  core: Core,
  place: Place,
  signal: AbortSignal,
): AsyncGenerator<WalEntry, void, void> {
  const lease = core.files.retention.hold(place.nextLsn);
  try {
    while (!signal.aborted) {
      const entries = await place.next();
      if (entries) {
        for (const entry of entries) {
          if (signal.aborted) return;
          // What is left of the unit may be cut off by now.
          if (place.stale) break;
          place.nextLsn = entry.lsn + 1;
          yield entry;
        }
        if (place.stale) await place.close();
        // Lost where it was too slow: it goes on while the segments that it needs are there.
        else if (!lease.lost) lease.advance(place.nextLsn);
        continue;
      }
      // What became durable in the meantime is read before anything is concluded.
      if (!core.cutting && core.durableLsn >= place.nextLsn) continue;
      if (core.ended === 'closed') return;
      if (core.ended) throw core.ended;
      await core.bell.wait(signal);
    }
  } finally {
    lease.release();
    await place.close();
  }
}

/** Where a tail is: the next LSN, and the reader that stands in front of its unit. */
class Place {
  /** Of the record to be yielded next. */
  nextLsn: number;
  readonly #core: Core;
  #reader: UnitReader | undefined;
  #sequence = 0;
  #cuts: number;

  constructor(core: Core, from: number) {
    this.#core = core;
    this.#cuts = core.cuts.length;
    this.nextLsn = from;
  }

  /** The records of the next durable unit, from `nextLsn` on; `undefined` where there is none. */
  async next(): Promise<WalEntry[] | undefined> {
    for (;;) {
      if (this.#cuts !== this.#core.cuts.length) await this.#cutBack();
      const to = this.#core.durableLsn;
      if (to < this.nextLsn || this.#core.cutting) return undefined;
      try {
        const entries = await this.#read(to);
        if (entries && !this.stale) return entries;
      } catch (error) {
        // Names lead elsewhere while the log is being cut, or nowhere.
        if (!this.stale) throw error;
      }
      await this.close();
    }
  }

  /** What was opened or read may be of files that were cut off meanwhile, under their names' heirs. */
  get stale(): boolean {
    return this.#core.cutting || this.#cuts !== this.#core.cuts.length;
  }

  /** The same of the segment that is open, or is now opened; `undefined` at its end. */
  async #read(to: number): Promise<WalEntry[] | undefined> {
    const reader = this.#follow() ?? (await this.#open());
    const step = reader.next();
    const more = step === true || (step !== false && (await step));
    return more ? entriesOf(reader, this.nextLsn, to, this.#sequence) : undefined;
  }

  async close(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await reader?.close();
  }

  /** The open reader, if its segment holds the next record: it may have grown, or been sealed. */
  #follow(): UnitReader | undefined {
    const reader = this.#reader;
    if (!reader) return undefined;
    const view = this.#core.durableView();
    const at = view.findIndex(({ header }) => header.sequence === this.#sequence);
    // A segment that was cut off is read to its end all the same: its descriptor is open.
    if (at >= 0) reader.follow(view[at], at < view.length - 1);
    return reader;
  }

  async #open(): Promise<UnitReader> {
    const view = this.#core.durableView();
    const at = view.findIndex(({ lastLsn }) => lastLsn >= this.nextLsn);
    const segment = view[at];
    if (!segment || this.nextLsn < segment.header.baseLsn) throw this.#gone();
    const reader = await UnitReader.open(this.#core.options.vfs, segment, {
      sealed: at < view.length - 1,
      fromLsn: this.nextLsn,
      keepBuffers: true,
    });
    this.#reader = reader;
    this.#sequence = segment.header.sequence;
    return reader;
  }

  async #cutBack(): Promise<void> {
    await this.close();
    const lowest = Math.min(...this.#core.cuts.slice(this.#cuts));
    this.#cuts = this.#core.cuts.length;
    if (this.nextLsn > lowest + 1) throw this.#gone();
  }

  #gone(): WalError {
    return new WalError(
      'WAL_TRUNCATED_AWAY',
      `expected to follow from LSN ${this.nextLsn}, but the log has been cut and begins at ${this.#core.files.firstLsn} now: start again from what it holds`,
    );
  }
}

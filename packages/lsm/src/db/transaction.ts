/**
 * A serializable transaction: reads a snapshot, keeps its writes to itself, commits them as one.
 *
 *     get, cursor ─▶ own writes ─▶ snapshot            every read is told to the oracle, points and ranges
 *     commit      ─▶ oracle.validate ─▶ log, memtable, oracle.commit, in one turn
 *
 * Invariants
 *  1. What it has read is, at its commit, still what it was in its snapshot, or it has written nothing.
 *  2. Its writes are in a memtable of its own, with sequence numbers above all others: its reads merge them like
 *     any other source, and nobody else sees them.
 *  3. An entry that expired between the snapshot and the commit counts as changed.
 */
import type { OracleTransaction } from '@nendb/txn-oracle';
import { type Entry, EntryKind } from '../entry.js';
import { LsmError } from '../errors.js';
import { Batch } from '../log/batch.js';
import { Memtable } from '../memtable/memtable.js';
import { mergeCursors } from '../merge/merging-cursor.js';
import { type Covering, VisibleCursor } from '../merge/visible-cursor.js';
import type { CursorOptions, PutOptions } from '../types.js';
import type { Core } from './core.js';
import { type CursorWatcher, LsmCursor } from './cursor.js';
import { boundsOf } from './key-bounds.js';
import { NEWEST } from './point-reader.js';
import { ReadView } from './read-view.js';
import type { Snapshot } from './snapshots.js';
import type { WritePath } from './write-path.js';

/** Sequence numbers of a transaction's own writes begin here: no log gets so far. */
const OWN_FROM = 2 ** 52;
const OWN_BYTES = 4096;
const FIRST_KEY = new Uint8Array(0);

export class Transaction {
  readonly #core: Core;
  readonly #writes: WritePath;
  readonly #oracle: OracleTransaction;
  readonly #snapshot: Snapshot;
  readonly #readOnly: boolean;
  readonly #batch = new Batch();
  #own: Memtable | undefined;
  #ownSequence = OWN_FROM;
  /** The earliest expiry of what was read, in ms since 1970. */
  #expiresMs = Number.POSITIVE_INFINITY;
  #open = true;

  constructor(core: Core, writes: WritePath, readOnly: boolean) {
    this.#core = core;
    this.#writes = writes;
    this.#readOnly = readOnly;
    this.#oracle = core.oracle.begin({ readOnly });
    this.#snapshot = core.snapshots.take(this.#oracle.readTimestamp, core.clock.nowMs());
  }

  /** Sequence number of the snapshot that it reads. */
  get sequence(): number {
    return this.#snapshot.sequence;
  }

  /** Whether something that it has read was changed: it can no longer commit what it writes. */
  get conflicted(): boolean {
    return this.#oracle.conflicted;
  }

  /** The value, a copy; `undefined` where there is none. Throws `TXN_CLOSED`, `LSM_CORRUPT`, `LSM_WRONG_KEY`. */
  get(key: Uint8Array): Uint8Array | undefined {
    this.#checkOpen();
    const { points, values } = this.#core;
    this.#oracle.read(key);
    const own = this.#fromOwn(key);
    if (own !== undefined) return own === null ? undefined : values.copyOf(own);
    const { sequence, timeMs } = this.#snapshot;
    let found = points.find(key, 0, key.length, NEWEST);
    if (Math.max(points.met, points.covered) > sequence) {
      this.#oracle.sawNewer();
      found = points.find(key, 0, key.length, sequence);
    }
    if (!found) return undefined;
    const { expireAtMs } = points.entry;
    if (expireAtMs !== 0 && expireAtMs <= timeMs) return undefined;
    this.#noteExpiry(expireAtMs);
    return values.copyOf(points.entry);
  }

  /** Throws `TXN_CLOSED`, `TXN_READ_ONLY`, `TXN_TOO_LARGE`, `LSM_TOO_LARGE`. */
  put(key: Uint8Array, value: Uint8Array, options: Pick<PutOptions, 'expireAtMs'> = {}): void {
    this.#checkOpen();
    const { expireAtMs = 0 } = options;
    this.#oracle.write(key);
    this.#batch.put(key, value, expireAtMs);
    const own = this.#ownMemtable();
    const to = key.length;
    own.add(this.#next(), EntryKind.put, key, 0, to, value, 0, value.length, expireAtMs);
  }

  /** Throws as `put` does. */
  delete(key: Uint8Array): void {
    this.#checkOpen();
    this.#oracle.write(key);
    this.#batch.delete(key);
    const own = this.#ownMemtable();
    own.add(this.#next(), EntryKind.delete, key, 0, key.length, FIRST_KEY, 0, 0, 0);
  }

  /** Deletes all keys from `gte` on and before `lt`. Throws as `put` does. */
  deleteRange(gte: Uint8Array, lt: Uint8Array): void {
    this.#checkOpen();
    this.#oracle.writeRange(gte, lt);
    this.#batch.deleteRange(gte, lt);
    this.#ownMemtable().addRange(this.#next(), gte, lt);
  }

  /**
   * A cursor over the snapshot and what the transaction itself has written. Close it.
   *
   * What it reads is told to the oracle step by step. What others commit between two steps is not in its view: so that
   * a step meets it, and knows that it came too late, the view is renewed, of the same snapshot.
   */
  cursor(options: Omit<CursorOptions, 'snapshot'> = {}): LsmCursor {
    this.#checkOpen();
    const bounds = boundsOf(options);
    const fillCache = options.fillCache ?? true;
    let seenSequence = this.#core.sequence;
    let { view, visible } = this.#look(fillCache);
    const watcher: CursorWatcher = {
      onRange: (gte, lt) => {
        if (!this.#open) return;
        this.#oracle.readRange(gte ?? FIRST_KEY, lt);
        if (visible.sawNewer) this.#oracle.sawNewer();
      },
      onEntry: ({ expireAtMs }) => this.#noteExpiry(expireAtMs),
      renewed: () => {
        if (seenSequence === this.#core.sequence || !this.#open) return undefined;
        seenSequence = this.#core.sequence;
        visible.close();
        view.close();
        ({ view, visible } = this.#look(fillCache));
        return visible;
      },
    };
    return new LsmCursor({
      ...{ visible, values: this.#core.values, bounds },
      reverse: options.reverse ?? false,
      limit: options.limit ?? Number.POSITIVE_INFINITY,
      // Who only reads is told nothing, and needs to know nothing.
      watcher: this.#readOnly ? undefined : watcher,
      onClose: () => view.close(),
    });
  }

  /**
   * Commits; resolves when the commit is durable under the policy. Rejects with `TXN_CONFLICT` where what it has
   * read was changed (nothing has happened then: run it again), `TXN_CLOSED`, `LSM_POISONED`.
   */
  async commit(): Promise<void> {
    this.#checkOpen();
    const { oracle, clock } = this.#core;
    try {
      if (this.#batch.count > 0 && this.#expiresMs <= clock.nowMs()) this.#oracle.sawNewer();
      oracle.validate(this.#oracle);
      if (this.#batch.count === 0) {
        oracle.commit(this.#oracle);
        return;
      }
      const sequence = this.#writes.commitBatch(this.#batch, (official) => {
        oracle.commit(this.#oracle, official);
      });
      await this.#writes.whenDurable(sequence, this.#batch.bytes);
    } finally {
      this.#end();
    }
  }

  /** Forgets everything. Idempotent; does nothing after `commit`. */
  abort(): void {
    if (this.#open) this.#end();
  }

  /** A view of everything that is there now, and what of it the snapshot sees. */
  #look(fillCache: boolean): { view: ReadView; visible: VisibleCursor } {
    const { sequence, timeMs } = this.#snapshot;
    const view = new ReadView(this.#core, sequence, timeMs);
    const base = view.entries(fillCache);
    const own = this.#own;
    const source = own === undefined ? base : mergeCursors([own.cursor(), base]);
    const tombstones = withOwn(view.tombstones(), own);
    return { view, visible: new VisibleCursor(source, tombstones, sequence, timeMs, OWN_FROM) };
  }

  /** The own version of a key: `null` for a deletion, `undefined` for none. */
  #fromOwn(key: Uint8Array): Entry | null | undefined {
    const own = this.#own;
    if (own === undefined) return undefined;
    const { entry } = this.#core.points;
    const covered = own.rangeTombstones.covering(key, 0, key.length, NEWEST);
    if (own.get(key, 0, key.length, NEWEST, entry)) {
      const expired = entry.expireAtMs !== 0 && entry.expireAtMs <= this.#snapshot.timeMs;
      if (entry.kind === EntryKind.delete || covered > entry.sequence || expired) return null;
      return entry;
    }
    return covered > 0 ? null : undefined;
  }

  #ownMemtable(): Memtable {
    this.#own ??= new Memtable({ capacityBytes: OWN_BYTES });
    return this.#own;
  }

  #next(): number {
    return this.#ownSequence++;
  }

  #noteExpiry(expireAtMs: number): void {
    if (expireAtMs !== 0) this.#expiresMs = Math.min(this.#expiresMs, expireAtMs);
  }

  #checkOpen(): void {
    this.#core.checkOpen();
    if (this.#open) return;
    throw new LsmError(
      'TXN_CLOSED',
      `expected an open transaction, got one that was ${this.#readOnly ? 'ended' : 'committed or aborted'}: begin another`,
    );
  }

  #end(): void {
    this.#open = false;
    this.#oracle.abort();
    this.#snapshot.close();
    this.#own = undefined;
  }
}

/** Range tombstones of the snapshot and of the transaction itself, which is always the newer one. */
function withOwn(base: Covering | undefined, own: Memtable | undefined): Covering | undefined {
  if (own === undefined || own.rangeTombstones.isEmpty) return base;
  return {
    covering(key, from, to, sequenceMax) {
      const mine = own.rangeTombstones.covering(key, from, to, NEWEST);
      // What it has deleted itself is no longer of others.
      return mine > 0 ? mine : (base?.covering(key, from, to, sequenceMax) ?? 0);
    },
  };
}

/**
 * All watches of an engine, and the oracle that finds those whom a change hits.
 *
 *     WATCH ─▶ Watch.add ─▶ oracle: a point read            EXEC ─▶ Watch.changed
 *     commit ─▶ apply ─▶ beforeEffect ─▶ oracle.noteWrite ───▶ marks the watch
 *
 * Every change passes here as the effect that makes it, live, whichever store holds the keys.
 *
 * Invariants
 *  1. The end of a key or a field is a change when its time passes, which watches see by the clock;
 *     that it is removed afterwards is none. The removal of a whole key is noted all the same: it
 *     hits those alone who saw it alive, and who must be told in case it comes back.
 *  2. Where nobody watches, a commit pays for one comparison and the oracle's timestamp.
 *
 * Timestamps are LSNs, so that what a store of versions reads could be checked by the same oracle.
 */
import { Oracle } from '@nendb/txn-oracle';
import type { DatabaseClock } from '../database-clock.js';
import type { EffectWatcher } from '../effects/apply.js';
import type { Databases } from '../effects/databases.js';
import { EffectType } from '../effects/format.js';
import type { EffectReader } from '../effects/reader.js';
import { asEngineError } from '../errors.js';
import { WATCHES_MAX } from '../limits.js';
import { isPast } from '../overlay.js';
import type { RecordView, Store } from '../stores/store.js';
import { TransactionReads } from '../transaction-reads.js';
import type { EngineStats } from '../types.js';
import { endOfNames, firstName, WATCHED_MISSING, WATCHED_PRESENT, WatchNames } from './names.js';
import { Watch, type WatchGround } from './watch.js';

export interface WatchesParts {
  store: Store;
  databases: Databases;
  clock: DatabaseClock;
  appliedLsn: number;
  /** Any integer: makes what the oracle keeps unknown to whoever chooses the keys. */
  hashSeed: number;
}

export class Watches implements EffectWatcher, WatchGround {
  readonly names = new WatchNames();
  readonly #parts: WatchesParts;
  readonly #oracle: Oracle;
  /** The committed state: a watch asks between transactions, or in the midst of a commit. */
  readonly #committed: TransactionReads;
  readonly #open = new Set<Watch>();

  constructor(parts: WatchesParts) {
    this.#parts = parts;
    this.#oracle = new Oracle({
      lastCommitted: parts.appliedLsn,
      hashSeed: parts.hashSeed,
      openTransactionsMax: WATCHES_MAX,
    });
    this.#committed = new TransactionReads(parts.store, parts.databases, 0);
  }

  /** This, where a change could hit anyone. */
  get watcher(): EffectWatcher | undefined {
    return this.#oracle.hasReaders ? this : undefined;
  }

  get counts(): Pick<EngineStats, 'watches' | 'watchedKeys'> {
    return { watches: this.#open.size, watchedKeys: this.#oracle.stats().points };
  }

  begin(): Watch {
    try {
      const watch = new Watch(this, this.#oracle.begin());
      this.#open.add(watch);
      return watch;
    } catch (error) {
      throw asEngineError(error);
    }
  }

  /** A commit has been applied. */
  committed(lsn: number): void {
    this.#oracle.advance(lsn);
  }

  nowMs(): number {
    return this.#parts.clock.nowMs();
  }

  find(database: number, key: Uint8Array, from: number, to: number): RecordView | undefined {
    this.#committed.begin(this.nowMs());
    const view = this.#committed.find(database, key, from, to);
    this.#committed.end();
    return view;
  }

  ended(watch: Watch): void {
    this.#open.delete(watch);
  }

  beforeEffect(effect: EffectReader): void {
    const { databases } = this.#parts;
    if (effect.type === EffectType.databases) {
      this.#noteDatabases(databases.namespaces, effect.namespaces);
      return;
    }
    const database = databases.namespaces.indexOf(effect.namespace);
    if (database < 0 || this.#dropsWhatHasEnded(effect)) return;
    const { names } = this;
    const state = effect.created ? WATCHED_MISSING : WATCHED_PRESENT;
    names.make(database, state, effect.bytes, effect.keyFrom, effect.keyTo);
    this.#oracle.noteWrite(names.bytes, 0, names.length);
    names.drop();
  }

  /** FLUSHDB, FLUSHALL and SWAPDB: what was in the databases is gone, what comes may be news. */
  #noteDatabases(before: readonly number[], after: readonly number[]): void {
    for (const [database, namespace] of after.entries()) {
      if (namespace === before[database]) continue;
      if (this.#parts.store.keyCount(before[database]) > 0) {
        this.#oracle.noteRange(
          firstName(database, WATCHED_PRESENT),
          endOfNames(database, WATCHED_PRESENT),
        );
      }
      const source = before.indexOf(namespace);
      if (source < 0) continue;
      for (const watch of this.#open) watch.beforeSwap(database, source);
    }
  }

  #dropsWhatHasEnded(effect: EffectReader): boolean {
    if (effect.type !== EffectType.fieldDrop || effect.removed) return false;
    const { bytes, keyFrom, keyTo, fieldFrom, fieldTo } = effect;
    const field = this.#parts.store.findField(
      effect.namespace,
      bytes,
      keyFrom,
      keyTo,
      bytes,
      fieldFrom,
      fieldTo,
    );
    return field !== undefined && isPast(field.expireAtMs, this.nowMs());
  }
}

/**
 * The keys of one optimistic transaction (contract: `WatchView` in `types.ts`).
 *
 * What is written is found by the oracle, in which the watch is a transaction that reads. What no
 * write tells is kept here: when the first of the keys ends, how many fields a hash had whose fields
 * end, and which keys were missing, for a SWAPDB that may bring them.
 *
 * Invariants
 *  1. While `changed()` is false every key is as it was when it was added.
 *  2. The names that are kept take `WATCH_NAME_BYTES_MAX` bytes at most; those that found no room
 *     count as changed as soon as they may have.
 */
import type { OracleTransaction } from '@nendb/txn-oracle';
import { WATCH_NAME_BYTES_MAX } from '../limits.js';
import { isPast } from '../overlay.js';
import type { RecordView } from '../stores/store.js';
import type { WatchView } from '../types.js';
import { WATCHED_MISSING, WATCHED_PRESENT, type WatchNames } from './names.js';

/** What a watch needs of the engine. */
export interface WatchGround {
  readonly names: WatchNames;
  nowMs(): number;
  /** The key as far as it lives, lent until the next call. */
  find(database: number, key: Uint8Array, from: number, to: number): RecordView | undefined;
  ended(watch: Watch): void;
}

interface KeptName {
  database: number;
  key: Uint8Array;
}

/** A hash with fields that end, and how many it had. */
interface WatchedHash extends KeptName {
  fields: number;
}

export class Watch implements WatchView {
  readonly #ground: WatchGround;
  readonly #reads: OracleTransaction;
  /** When the first of the keys ends, in ms since 1970; 0 where none does. */
  #firstEndMs = 0;
  /** When a field of one of the hashes may have ended; 0 where none does. */
  #firstFieldEndMs = 0;
  #hashes: WatchedHash[] = [];
  #missing: KeptName[] = [];
  #nameBytes = 0;
  /** A hash that had to be left out of `#hashes`. */
  #hashesAreMore = false;
  /** Databases with keys that had to be left out of `#missing`, a bit for each. */
  #missingAreMore = 0;

  constructor(ground: WatchGround, reads: OracleTransaction) {
    this.#ground = ground;
    this.#reads = reads;
  }

  get keys(): number {
    return this.#reads.points;
  }

  add(database: number, key: Uint8Array, from: number, to: number): void {
    const view = this.#ground.find(database, key, from, to);
    const { names } = this.#ground;
    names.make(database, view ? WATCHED_PRESENT : WATCHED_MISSING, key, from, to);
    this.#reads.read(names.bytes, 0, names.length);
    names.drop();
    if (this.#reads.conflicted) return;
    if (!view) {
      this.#keepMissing(database, key, from, to);
      return;
    }
    this.#firstEndMs = earlier(this.#firstEndMs, view.expireAtMs);
    if (view.fieldsExpireAtMs === 0) return;
    this.#keepHash(database, key, from, to, view.length);
    this.#firstFieldEndMs = earlier(this.#firstFieldEndMs, view.fieldsExpireAtMs);
  }

  changed(): boolean {
    if (this.#reads.conflicted || !this.#reads.open) return this.#reads.conflicted;
    const nowMs = this.#ground.nowMs();
    if (isPast(this.#firstEndMs, nowMs)) this.mark();
    else if (isPast(this.#firstFieldEndMs, nowMs) && this.#hashHasChanged()) this.mark();
    return this.#reads.conflicted;
  }

  end(): void {
    if (!this.#reads.open) return;
    this.#reads.abort();
    this.#forget();
    this.#ground.ended(this);
  }

  /** Called when `database` is about to become what `source` is: missing keys may be there then. */
  beforeSwap(database: number, source: number): void {
    if (this.#reads.conflicted) return;
    const comes = ({ database: mine, key }: KeptName): boolean =>
      mine === database && this.#ground.find(source, key, 0, key.length) !== undefined;
    if ((this.#missingAreMore & (1 << database)) !== 0 || this.#missing.some(comes)) this.mark();
  }

  /** It has changed: what it knew of its keys is of no use any more. */
  mark(): void {
    this.#reads.sawNewer();
    this.#forget();
  }

  #hashHasChanged(): boolean {
    return (
      this.#hashesAreMore ||
      this.#hashes.some(({ database, key, fields }) => {
        return this.#ground.find(database, key, 0, key.length)?.length !== fields;
      })
    );
  }

  #keepMissing(database: number, key: Uint8Array, from: number, to: number): void {
    if (this.#reserveName(to - from)) {
      this.#missing.push({ database, key: Uint8Array.from(key.subarray(from, to)) });
    } else this.#missingAreMore |= 1 << database;
  }

  #keepHash(database: number, key: Uint8Array, from: number, to: number, fields: number): void {
    if (this.#reserveName(to - from)) {
      this.#hashes.push({ database, key: Uint8Array.from(key.subarray(from, to)), fields });
    } else this.#hashesAreMore = true;
  }

  #reserveName(keyBytes: number): boolean {
    const bytes = this.#nameBytes + keyBytes + NAME_OVERHEAD_BYTES;
    if (bytes > WATCH_NAME_BYTES_MAX) return false;
    this.#nameBytes = bytes;
    return true;
  }

  #forget(): void {
    this.#hashes = [];
    this.#missing = [];
    this.#nameBytes = 0;
  }
}

/** What a kept name takes besides its bytes: an object, an array and its buffer. */
const NAME_OVERHEAD_BYTES = 200;

/** The earlier of two times, of which 0 is never. */
function earlier(a: number, b: number): number {
  if (a === 0) return b;
  return b === 0 ? a : Math.min(a, b);
}

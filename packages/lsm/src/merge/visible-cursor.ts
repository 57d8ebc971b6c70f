/**
 * What a reader sees: of each key the newest version that is not newer than its snapshot, unless that
 * is a tombstone, is covered by a range tombstone, or has expired.
 *
 *     forwards    the source stands on the entry that is shown
 *     backwards   the source stands before all versions of the key that is shown, which is a copy: the
 *                 newest version of a key is the last one that a walk backwards meets
 *
 * Invariants
 *  1. `tombstone(seq = N)` shadows `value(seq = M)` iff `N > M`, for points and for ranges.
 *  2. An entry is expired from `expireAtMs` on, by the snapshot's time.
 *
 * Hot: one copy of the key for each entry forwards, nothing allocated.
 */
import { type Entry, type EntryCursor, EntryKind } from '../entry.js';
import { sameBytes } from '../order.js';

/** Tells the highest deletion that covers a key; 0 for none. */
export interface Covering {
  covering(key: Uint8Array, from: number, to: number, sequenceMax: number): number;
}

const SCRATCH_BYTES = 64;

export class VisibleCursor implements Entry {
  valid = false;
  keyBytes: Uint8Array = new Uint8Array(0);
  keyFrom = 0;
  keyTo = 0;
  sequence = 0;
  kind: EntryKind = EntryKind.put;
  expireAtMs = 0;
  valueBytes: Uint8Array = new Uint8Array(0);
  valueFrom = 0;
  valueTo = 0;
  /** Whether a version was met that is too new to be seen. */
  sawNewer = false;
  readonly #source: EntryCursor;
  readonly #tombstones: Covering | undefined;
  readonly #sequence: number;
  readonly #nowMs: number;
  readonly #ownFrom: number;
  #backwards = false;
  #savedKey = new Uint8Array(SCRATCH_BYTES);
  #savedKeyLength = 0;
  #savedValue = new Uint8Array(SCRATCH_BYTES);

  /**
   * `tombstones`: range tombstones of every source, `undefined` where there are none. `ownFrom`: versions from this
   * sequence number on are seen as well: what a transaction itself has written.
   */
  constructor(
    source: EntryCursor,
    tombstones: Covering | undefined,
    sequence: number,
    nowMs: number,
    ownFrom = Number.POSITIVE_INFINITY,
  ) {
    this.#ownFrom = ownFrom;
    this.#source = source;
    this.#tombstones = tombstones;
    this.#sequence = sequence;
    this.#nowMs = nowMs;
  }

  seekToFirst(): void {
    this.#source.seekToFirst();
    this.#forwards(false);
  }

  seekToLast(): void {
    this.#source.seekToLast();
    this.#findBackwards();
  }

  /** To the first visible entry at or behind `key`. */
  seek(key: Uint8Array, from: number, to: number): void {
    // Who wants to know of newer versions has to meet them.
    this.#source.seek(key, from, to, this.#isWatched ? Number.MAX_SAFE_INTEGER : this.#sequence);
    this.#forwards(false);
  }

  /** To the last visible entry before `key`. */
  seekBefore(key: Uint8Array, from: number, to: number): void {
    this.#source.seekBefore(key, from, to);
    this.#findBackwards();
  }

  next(): void {
    const source = this.#source;
    if (this.#backwards) {
      source.seek(this.#savedKey, 0, this.#savedKeyLength, 0);
      this.#forwards(false);
      return;
    }
    this.#saveKey(source);
    source.next();
    this.#forwards(true);
  }

  prev(): void {
    if (!this.#backwards) {
      // By a copy: the key itself goes when its source moves.
      this.#saveKey(this.#source);
      this.#source.seekBefore(this.#savedKey, 0, this.#savedKeyLength);
    }
    this.#findBackwards();
  }

  close(): void {
    this.valid = false;
    this.#source.close();
  }

  /** From where the source stands to the next visible entry; with `behind`, of another key than the saved one. */
  #forwards(behind: boolean): void {
    this.#backwards = false;
    const source = this.#source;
    let skip = behind;
    for (; source.valid; source.next()) {
      if (source.sequence > this.#sequence && !this.#isOwn(source)) continue;
      const { keyBytes, keyFrom, keyTo } = source;
      if (skip && sameBytes(keyBytes, keyFrom, keyTo, this.#savedKey, 0, this.#savedKeyLength)) {
        continue;
      }
      if (this.#isVisible(source)) {
        this.#show(source);
        return;
      }
      this.#saveKey(source);
      skip = true;
    }
    this.valid = false;
  }

  #findBackwards(): void {
    this.#backwards = true;
    const source = this.#source;
    while (source.valid) {
      this.#saveKey(source);
      let found = false;
      do {
        if (source.sequence <= this.#sequence || this.#isOwn(source)) {
          found = this.#isVisible(source);
          if (found) this.#saveValue(source);
        }
        source.prev();
      } while (
        source.valid &&
        sameBytes(
          source.keyBytes,
          source.keyFrom,
          source.keyTo,
          this.#savedKey,
          0,
          this.#savedKeyLength,
        )
      );
      if (!found) continue;
      this.keyBytes = this.#savedKey;
      this.keyFrom = 0;
      this.keyTo = this.#savedKeyLength;
      this.valid = true;
      return;
    }
    this.valid = false;
  }

  /** Whether `sawNewer` matters: in transactions. */
  get #isWatched(): boolean {
    return this.#ownFrom !== Number.POSITIVE_INFINITY;
  }

  /** Whether a version above the snapshot is the reader's own; where not, remembers that there was one. */
  #isOwn({ sequence }: Entry): boolean {
    if (sequence >= this.#ownFrom) return true;
    this.sawNewer = true;
    return false;
  }

  /** Whether the newest version that the snapshot sees is a value that lives. */
  #isVisible(entry: Entry): boolean {
    if (entry.kind === EntryKind.delete) return false;
    if (entry.expireAtMs !== 0 && entry.expireAtMs <= this.#nowMs) return false;
    if (this.#tombstones === undefined) return true;
    const { keyBytes, keyFrom, keyTo, sequence } = entry;
    if (this.#isWatched) {
      const newest = this.#tombstones.covering(keyBytes, keyFrom, keyTo, this.#ownFrom - 1);
      if (newest > this.#sequence && newest < this.#ownFrom) this.sawNewer = true;
    }
    return this.#tombstones.covering(keyBytes, keyFrom, keyTo, this.#sequence) <= sequence;
  }

  #show(source: Entry): void {
    this.keyBytes = source.keyBytes;
    this.keyFrom = source.keyFrom;
    this.keyTo = source.keyTo;
    this.sequence = source.sequence;
    this.kind = source.kind;
    this.expireAtMs = source.expireAtMs;
    this.valueBytes = source.valueBytes;
    this.valueFrom = source.valueFrom;
    this.valueTo = source.valueTo;
    this.valid = true;
  }

  #saveKey({ keyBytes, keyFrom, keyTo }: Entry): void {
    const length = keyTo - keyFrom;
    if (length > this.#savedKey.length) this.#savedKey = new Uint8Array(length * 2);
    const saved = this.#savedKey;
    if (length <= SCRATCH_BYTES) for (let i = 0; i < length; i++) saved[i] = keyBytes[keyFrom + i];
    else saved.set(keyBytes.subarray(keyFrom, keyTo));
    this.#savedKeyLength = length;
  }

  #saveValue(source: Entry): void {
    const length = source.valueTo - source.valueFrom;
    if (length > this.#savedValue.length) this.#savedValue = new Uint8Array(length * 2);
    this.#savedValue.set(source.valueBytes.subarray(source.valueFrom, source.valueTo));
    this.sequence = source.sequence;
    this.kind = source.kind;
    this.expireAtMs = source.expireAtMs;
    this.valueBytes = this.#savedValue;
    this.valueFrom = 0;
    this.valueTo = length;
  }
}

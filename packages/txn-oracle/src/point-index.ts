/**
 * Who has read a key: fingerprint -> readers.
 *
 *     buckets ─▶ key row ─▶ key row           rows of one bucket, chained by `#keyNext`
 *                  │ #keyReaders
 *                  ▼
 *               reader row ⇄ reader row       readers of one key, newest first
 *
 * Invariants
 *  1. A key row exists while it has a reader; no two have the same fingerprint.
 *  2. Row 0 is no row: it ends every chain. Free rows are chained by `#keyNext` and `#readerNext`.
 *  3. `size` counts reader rows; while it is 0 no large array is kept.
 *
 * Hot: columns of integers, no object per row. Adding, removing and finding cost O(1), whatever
 * the number of readers of the key.
 */
import { INDEX_ROWS_KEPT, SAME_READER_LOOK_MAX } from './limits.js';

const ROWS_INITIAL = 64;

export class PointIndex<Owner extends object> {
  /** Reads registered. */
  size = 0;
  #buckets = new Int32Array(ROWS_INITIAL);
  #keyLow = new Int32Array(ROWS_INITIAL);
  #keyHigh = new Int32Array(ROWS_INITIAL);
  #keyNext = new Int32Array(ROWS_INITIAL);
  #keyReaders = new Int32Array(ROWS_INITIAL);
  #keyFree = 0;
  #keyEnd = 1;
  #readerKey = new Int32Array(ROWS_INITIAL);
  #readerNext = new Int32Array(ROWS_INITIAL);
  #readerPrevious = new Int32Array(ROWS_INITIAL);
  #readerOwner: (Owner | undefined)[] = [undefined];
  #readerFree = 0;
  #readerEnd = 1;

  /**
   * Registers `owner` as a reader; returns the row to give back to `remove`, or 0 where it is found
   * among the newest readers already.
   */
  add(low: number, high: number, owner: Owner): number {
    let key = this.#find(low, high);
    if (key === 0) key = this.#addKey(low, high);
    else if (this.#isNewReader(key, owner)) return 0;
    const reader = this.#takeReader();
    const next = this.#keyReaders[key];
    this.#readerKey[reader] = key;
    this.#readerOwner[reader] = owner;
    this.#readerPrevious[reader] = 0;
    this.#readerNext[reader] = next;
    this.#readerPrevious[next] = reader;
    this.#keyReaders[key] = reader;
    this.size++;
    return reader;
  }

  remove(reader: number): void {
    const key = this.#readerKey[reader];
    const next = this.#readerNext[reader];
    const previous = this.#readerPrevious[reader];
    this.#readerPrevious[next] = previous;
    if (previous === 0) this.#keyReaders[key] = next;
    else this.#readerNext[previous] = next;
    if (this.#keyReaders[key] === 0) this.#removeKey(key);
    this.#readerOwner[reader] = undefined;
    this.#readerNext[reader] = this.#readerFree;
    this.#readerFree = reader;
    if (--this.size === 0) this.#letGo();
  }

  /** One of the key's readers, or `undefined`. */
  readerOf(low: number, high: number): Owner | undefined {
    const key = this.#find(low, high);
    return key === 0 ? undefined : this.#readerOwner[this.#keyReaders[key]];
  }

  #find(low: number, high: number): number {
    let key = this.#buckets[low & (this.#buckets.length - 1)];
    while (key !== 0 && (this.#keyLow[key] !== low || this.#keyHigh[key] !== high)) {
      key = this.#keyNext[key];
    }
    return key;
  }

  #isNewReader(key: number, owner: Owner): boolean {
    let reader = this.#keyReaders[key];
    for (let looked = 0; reader !== 0 && looked < SAME_READER_LOOK_MAX; looked++) {
      if (this.#readerOwner[reader] === owner) return true;
      reader = this.#readerNext[reader];
    }
    return false;
  }

  #addKey(low: number, high: number): number {
    let key = this.#keyFree;
    if (key !== 0) {
      this.#keyFree = this.#keyNext[key];
    } else {
      if (this.#keyEnd === this.#keyLow.length) this.#growKeys();
      key = this.#keyEnd++;
    }
    const bucket = low & (this.#buckets.length - 1);
    this.#keyLow[key] = low;
    this.#keyHigh[key] = high;
    this.#keyReaders[key] = 0;
    this.#keyNext[key] = this.#buckets[bucket];
    this.#buckets[bucket] = key;
    return key;
  }

  #removeKey(key: number): void {
    const bucket = this.#keyLow[key] & (this.#buckets.length - 1);
    const next = this.#keyNext[key];
    let at = this.#buckets[bucket];
    if (at === key) {
      this.#buckets[bucket] = next;
    } else {
      while (this.#keyNext[at] !== key) at = this.#keyNext[at];
      this.#keyNext[at] = next;
    }
    this.#keyNext[key] = this.#keyFree;
    this.#keyFree = key;
  }

  #takeReader(): number {
    const reader = this.#readerFree;
    if (reader !== 0) {
      this.#readerFree = this.#readerNext[reader];
      return reader;
    }
    if (this.#readerEnd === this.#readerKey.length) {
      this.#readerKey = doubled(this.#readerKey);
      this.#readerNext = doubled(this.#readerNext);
      this.#readerPrevious = doubled(this.#readerPrevious);
    }
    return this.#readerEnd++;
  }

  /** Called when no key row is free: all of them are chained anew. */
  #growKeys(): void {
    this.#keyLow = doubled(this.#keyLow);
    this.#keyHigh = doubled(this.#keyHigh);
    this.#keyNext = doubled(this.#keyNext);
    this.#keyReaders = doubled(this.#keyReaders);
    this.#buckets = new Int32Array(this.#keyLow.length);
    for (let key = 1; key < this.#keyEnd; key++) {
      const bucket = this.#keyLow[key] & (this.#buckets.length - 1);
      this.#keyNext[key] = this.#buckets[bucket];
      this.#buckets[bucket] = key;
    }
  }

  #letGo(): void {
    if (this.#keyLow.length > INDEX_ROWS_KEPT) {
      this.#buckets = new Int32Array(ROWS_INITIAL);
      this.#keyLow = new Int32Array(ROWS_INITIAL);
      this.#keyHigh = new Int32Array(ROWS_INITIAL);
      this.#keyNext = new Int32Array(ROWS_INITIAL);
      this.#keyReaders = new Int32Array(ROWS_INITIAL);
      this.#keyFree = 0;
      this.#keyEnd = 1;
    }
    if (this.#readerKey.length > INDEX_ROWS_KEPT) {
      this.#readerKey = new Int32Array(ROWS_INITIAL);
      this.#readerNext = new Int32Array(ROWS_INITIAL);
      this.#readerPrevious = new Int32Array(ROWS_INITIAL);
      this.#readerOwner = [undefined];
      this.#readerFree = 0;
      this.#readerEnd = 1;
    }
  }
}

function doubled(column: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(column.length * 2);
  larger.set(column);
  return larger;
}

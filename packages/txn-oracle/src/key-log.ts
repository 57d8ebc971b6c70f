/**
 * Keys one behind the other in one growing buffer: what a transaction has read or written, without an
 * object per key. Key i is `bytes[startOf(i)..endOf(i)]`.
 *
 * Logs are lent by a pool, since making their two arrays costs more than all else that a small
 * transaction does.
 */
import {
  KEY_LOG_BYTES_INITIAL,
  KEY_LOG_BYTES_KEPT_MAX,
  KEY_LOG_KEYS_INITIAL,
  KEY_LOGS_KEPT_MAX,
} from './limits.js';

const NO_BYTES = new Uint8Array(0);
const NO_ENDS = new Int32Array(0);

export class KeyLog {
  bytes = NO_BYTES;
  count = 0;
  #ends = NO_ENDS;

  /** Bytes of all keys together. */
  get byteLength(): number {
    return this.count === 0 ? 0 : this.#ends[this.count - 1];
  }

  startOf(index: number): number {
    return index === 0 ? 0 : this.#ends[index - 1];
  }

  endOf(index: number): number {
    return this.#ends[index];
  }

  /** The key as a copy. */
  keyAt(index: number): Uint8Array {
    return this.bytes.slice(this.startOf(index), this.endOf(index));
  }

  add(key: Uint8Array, from: number, to: number): void {
    const start = this.byteLength;
    const end = start + to - from;
    if (end > this.bytes.length) this.#growBytes(end);
    if (this.count === this.#ends.length) {
      const larger = new Int32Array(Math.max(KEY_LOG_KEYS_INITIAL, this.#ends.length * 2));
      larger.set(this.#ends);
      this.#ends = larger;
    }
    const { bytes } = this;
    if (to - from > COPY_LOOP_BYTES_MAX) bytes.set(key.subarray(from, to), start);
    else for (let i = from; i < to; i++) bytes[start + i - from] = key[i];
    this.#ends[this.count++] = end;
  }

  /** Forgets the keys, and the memory that they took where it is much. */
  clear(): void {
    this.count = 0;
    if (this.bytes.length + this.#ends.byteLength <= KEY_LOG_BYTES_KEPT_MAX) return;
    this.bytes = NO_BYTES;
    this.#ends = NO_ENDS;
  }

  #growBytes(need: number): void {
    const larger = new Uint8Array(Math.max(KEY_LOG_BYTES_INITIAL, this.bytes.length * 2, need));
    larger.set(this.bytes);
    this.bytes = larger;
  }
}

/** Stands for the log of whoever has none: nothing is ever added to it. */
export const NO_KEYS = new KeyLog();

/** Logs that are not in use. */
export class KeyLogPool {
  readonly #free: KeyLog[] = [];

  take(): KeyLog {
    return this.#free.pop() ?? new KeyLog();
  }

  /** Takes back a log that its borrower lets go of. */
  give(log: KeyLog): void {
    if (log === NO_KEYS || this.#free.length >= KEY_LOGS_KEPT_MAX) return;
    log.clear();
    this.#free.push(log);
  }
}

/** Up to this length a byte loop beats making a view to copy from, in bytes. */
const COPY_LOOP_BYTES_MAX = 64;

/** What a transaction will change when it commits. Bounded: more is refused, since its owner holds it too. */
import { OracleError } from './errors.js';
import { type KeyLog, type KeyLogPool, NO_KEYS } from './key-log.js';
import { copyOf, isBelow } from './key-order.js';

export interface WriteLimits {
  writesPerTransactionMax: number;
  writeBytesPerTransactionMax: number;
}

export interface WrittenRange {
  gte: Uint8Array;
  lt: Uint8Array | undefined;
}

export class WriteSet {
  points: KeyLog;
  ranges: WrittenRange[] = [];
  readonly #limits: WriteLimits;
  readonly #logs: KeyLogPool;
  #rangeBytes = 0;

  constructor(limits: WriteLimits, logs: KeyLogPool) {
    this.#limits = limits;
    this.#logs = logs;
    this.points = logs.take();
  }

  get isEmpty(): boolean {
    return this.points.count === 0 && this.ranges.length === 0;
  }

  addPoint(key: Uint8Array, from: number, to: number): void {
    this.#admit(to - from);
    this.points.add(key, from, to);
  }

  /** Adds `gte <= key < lt`; nothing where that is empty. */
  addRange(gte: Uint8Array, lt: Uint8Array | undefined): void {
    if (!isBelow(gte, 0, gte.length, lt)) return;
    const bytes = gte.length + (lt?.length ?? 0);
    this.#admit(bytes);
    this.#rangeBytes += bytes;
    this.ranges.push({ gte: copyOf(gte), lt: lt && copyOf(lt) });
  }

  /** Forgets everything. Nothing may be added any more. */
  release(): void {
    this.#logs.give(this.points);
    this.points = NO_KEYS;
    this.ranges = [];
  }

  #admit(moreBytes: number): void {
    const { writesPerTransactionMax, writeBytesPerTransactionMax } = this.#limits;
    const writes = this.points.count + this.ranges.length + 1;
    if (writes > writesPerTransactionMax) {
      throw new OracleError(
        'TXN_TOO_LARGE',
        `expected at most ${writesPerTransactionMax} writes in a transaction, got one more: use smaller transactions`,
      );
    }
    const bytes = this.points.byteLength + this.#rangeBytes + moreBytes;
    if (bytes > writeBytesPerTransactionMax) {
      throw new OracleError(
        'TXN_TOO_LARGE',
        `expected written keys of at most ${writeBytesPerTransactionMax} bytes in a transaction, got ${bytes}: use smaller transactions`,
      );
    }
  }
}

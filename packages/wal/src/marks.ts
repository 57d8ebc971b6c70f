/**
 * How far the log is, and who waits for it.
 *
 *     synced <= written <= submitted;  durable is synced under `always`, written otherwise
 *
 * Invariants
 *  1. A mark never goes back, but for `restart`.
 *  2. Everyone who waits hears exactly once: resolved when covered, rejected when the log fails.
 *  3. Listeners run after the marks have moved (or pressure has ended), in the order of
 *     registration; no promise is made for them.
 */
import type { Lsn } from '@nendb/codec';

type Resolve = (value: unknown) => void;

/** What a failure means for a record: was its write begun? */
export type FailureOf = (lsn: number, attempted: boolean) => Error;

/** No closure for the value: there is one waiter for each append. */
interface Waiter {
  lsn: number;
  value: unknown;
  resolve: Resolve;
  reject: (error: Error) => void;
}

/** Waiters in LSN order; most come in that order. */
class Waiters {
  #list: Waiter[] = [];
  #head = 0;

  add(waiter: Waiter): void {
    const list = this.#list;
    let at = list.length;
    while (at > this.#head && list[at - 1].lsn > waiter.lsn) at--;
    if (at === list.length) list.push(waiter);
    else list.splice(at, 0, waiter);
  }

  settle(upTo: number): void {
    const list = this.#list;
    while (this.#head < list.length && list[this.#head].lsn <= upTo) {
      const { resolve, value } = list[this.#head++];
      resolve(value);
    }
    if (this.#head === list.length) {
      this.#list = [];
      this.#head = 0;
    }
  }

  reject(attemptedLsn: number, failureOf: FailureOf): void {
    const waiting = this.#list.slice(this.#head);
    this.#list = [];
    this.#head = 0;
    for (const { lsn, reject } of waiting) reject(failureOf(lsn, lsn <= attemptedLsn));
  }
}

export class Marks {
  readonly #always: boolean;
  readonly #pressureBytesMax: number;
  #written: number;
  #synced: number;
  readonly #durableWaiters = new Waiters();
  readonly #syncWaiters = new Waiters();
  /** Replaced, never changed: a round of calls goes on with the list it began with. */
  #listeners: readonly ((durableLsn: Lsn) => void)[] = [];
  #submittedBytes = 0;
  #writtenBytes = 0;
  #syncedBytes = 0;
  #announced: number;
  #relieved = false;

  /** `lsn`: how far the log is already; `pressureBytesMax`: what may wait for the disk. */
  constructor(always: boolean, lsn: number, pressureBytesMax: number) {
    this.#always = always;
    this.#pressureBytesMax = pressureBytesMax;
    this.#written = lsn;
    this.#synced = lsn;
    this.#announced = lsn;
  }

  get writtenLsn(): Lsn {
    return this.#written as Lsn;
  }

  get syncedLsn(): Lsn {
    return this.#synced as Lsn;
  }

  get durableLsn(): Lsn {
    return (this.#always ? this.#synced : this.#written) as Lsn;
  }

  /** Bytes submitted and not yet durable under the policy. */
  get pendingBytes(): number {
    return this.#submittedBytes - (this.#always ? this.#syncedBytes : this.#writtenBytes);
  }

  /** Whether more waits for the disk, unwritten or unsynced, than is good. */
  get pressure(): boolean {
    return this.#submittedBytes - this.#syncedBytes > this.#pressureBytesMax;
  }

  /** Bytes written and not yet synced. */
  get unsyncedBytes(): number {
    return this.#writtenBytes - this.#syncedBytes;
  }

  /** All that was submitted so far, in bytes since the log was opened. */
  get submittedBytes(): number {
    return this.#submittedBytes;
  }

  /** Bytes submitted and not yet written. */
  get unwrittenBytes(): number {
    return this.#submittedBytes - this.#writtenBytes;
  }

  submitted(bytes: number): void {
    this.#submittedBytes += bytes;
  }

  /** Everything up to `lsn`, `bytes` of records more than before, has been written. */
  wrote(lsn: number, bytes: number): void {
    this.#written = lsn;
    this.#writtenBytes += bytes;
    if (!this.#always) this.#durableWaiters.settle(lsn);
  }

  /** All that was written so far, in bytes since the log was opened: for `synced`. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** A sync has finished that started when `lsn`, and `writtenBytes`, were written. */
  synced(lsn: number, writtenBytes: number): void {
    if (lsn <= this.#synced) return;
    const pressed = this.pressure;
    this.#synced = lsn;
    this.#syncedBytes = writtenBytes;
    this.#syncWaiters.settle(lsn);
    if (this.#always) this.#durableWaiters.settle(lsn);
    // Under a weak policy nothing became durable, but who paused under pressure must hear of it.
    this.#relieved ||= pressed && !this.pressure;
  }

  /** Calls the listeners if there is news. Each is passed to `call`, which copes with throws. */
  announce(call: (listener: (durableLsn: Lsn) => void, durableLsn: Lsn) => void): void {
    const durable = this.durableLsn;
    if (durable === this.#announced && !this.#relieved) return;
    this.#announced = durable;
    this.#relieved = false;
    for (const listener of this.#listeners) call(listener, durable);
  }

  whenDurable(lsn: number): Promise<void> {
    if (lsn <= this.durableLsn) return Promise.resolve();
    return this.valueWhenDurable(lsn, undefined);
  }

  whenSynced(lsn: number): Promise<void> {
    if (lsn <= this.#synced) return Promise.resolve();
    return new Promise((resolve, reject) =>
      this.#syncWaiters.add({ lsn, value: undefined, resolve: resolve as Resolve, reject }),
    );
  }

  /** A promise for `value` once `lsn` is durable. */
  valueWhenDurable<T>(lsn: number, value: T): Promise<T> {
    if (lsn <= this.durableLsn) return Promise.resolve(value);
    return new Promise((resolve, reject) =>
      this.#durableWaiters.add({ lsn, value, resolve: resolve as Resolve, reject }),
    );
  }

  /** The log ends at `lsn` now, and nothing waits: `truncateAfter`. The only way back. */
  restart(lsn: number): void {
    this.#written = lsn;
    this.#synced = lsn;
    this.#announced = lsn;
    this.#writtenBytes = this.#submittedBytes;
    this.#syncedBytes = this.#submittedBytes;
  }

  onDurable(listener: (durableLsn: Lsn) => void): () => void {
    // An own object each: the same function may listen twice.
    const own = (durableLsn: Lsn): void => listener(durableLsn);
    this.#listeners = [...this.#listeners, own];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== own);
    };
  }

  /** Rejects everyone who waits. `attemptedLsn`: the newest record whose write was begun. */
  fail(attemptedLsn: number, failureOf: FailureOf): void {
    this.#syncWaiters.reject(attemptedLsn, failureOf);
    this.#durableWaiters.reject(attemptedLsn, failureOf);
  }
}

/**
 * One promise for all commits of a turn: it resolves when the log has made the last of them durable, and
 * when the pacer lets writers go on.
 *
 *     put put put │ end of turn │ log writes ─▶ durable(lsn) ─▶ the promise of the turn resolves
 *
 * Invariants
 *  1. A group takes commits during one turn only, so it does not grow for ever under a steady stream.
 *  2. Groups become durable in order; after a failure of the log those that are not reject.
 *
 * Hot: a commit costs a comparison and an addition, the turn one promise.
 */
import type { Timers } from '@nendb/vfs';

interface Group {
  lsn: number;
  commits: number;
  bytes: number;
  promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

export interface GateOwner {
  timers: Timers;
  /** How long writers of so many bytes are to be held back, in ms; infinite for until `letGo`. */
  delayMs(bytes: number): number;
  /** A turn had one commit, and its writer is being told: likely the next one comes alone, too. */
  onLone(): void;
}

export class CommitGate {
  readonly #owner: GateOwner;
  readonly #waiting: Group[] = [];
  /** Durable, and held back. */
  #held: Group[] = [];
  #closed = false;
  #open: Group | undefined;
  #durableLsn: number;

  constructor(owner: GateOwner, durableLsn: number) {
    this.#owner = owner;
    this.#durableLsn = durableLsn;
  }

  /** The promise of the commit at `lsn`, which is above all before it. */
  join(lsn: number, bytes: number): Promise<void> {
    const group = this.#open ?? this.#begin();
    group.lsn = lsn;
    group.commits++;
    group.bytes += bytes;
    return group.promise;
  }

  /** The log covers everything up to `lsn`. */
  durable(lsn: number): void {
    this.#durableLsn = lsn;
    while (this.#waiting.length > 0 && this.#waiting[0].lsn <= lsn) {
      const group = this.#waiting.shift();
      if (group !== undefined) this.#settle(group);
    }
  }

  /** Those who are held back may go on, unless the pacer says otherwise again. */
  letGo(): void {
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    for (const group of held) this.#settle(group);
  }

  /** Nobody is held back any more. */
  close(): void {
    this.#closed = true;
    this.letGo();
  }

  /** The log has failed: who waits for it will not hear otherwise. What is durable already stays so. */
  fail(error: Error): void {
    this.close();
    const groups = this.#waiting.splice(0);
    if (this.#open !== undefined) groups.push(this.#open);
    this.#open = undefined;
    for (const group of groups) group.reject(error);
  }

  #begin(): Group {
    let resolve = (): void => {};
    let reject = (_error: Error): void => {};
    const promise = new Promise<void>((onDone, onError) => {
      resolve = onDone;
      reject = onError;
    });
    // Whoever does not wait for a put learns of the failure from the next one.
    promise.catch(() => undefined);
    const group: Group = { lsn: 0, commits: 0, bytes: 0, promise, resolve, reject };
    this.#open = group;
    this.#owner.timers.turnEnd(() => {
      if (this.#open !== group) return;
      this.#open = undefined;
      if (group.lsn <= this.#durableLsn && this.#waiting.length === 0) this.#settle(group);
      else this.#waiting.push(group);
    });
    return group;
  }

  #settle(group: Group): void {
    const { bytes, commits, resolve } = group;
    const delayMs = this.#closed ? 0 : this.#owner.delayMs(bytes);
    if (delayMs === Number.POSITIVE_INFINITY) {
      this.#held.push(group);
      return;
    }
    if (delayMs > 0) {
      this.#owner.timers.after(delayMs, resolve);
      return;
    }
    // Before the promise: what `onLone` leaves to a promise job has to run before the writer goes on.
    if (commits === 1) this.#owner.onLone();
    resolve();
  }
}

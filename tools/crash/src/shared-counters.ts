/**
 * Counters that all clients count up at once. No client knows their value, but together they know
 * its bounds: every acknowledged increment is in it, and none that nobody sent.
 *
 * Invariants
 *  1. While a server runs, no two increments of a counter answer the same value.
 *  2. After a restart a counter is at least the highest value acknowledged, and lies between what
 *     the clients' histories say it must and may have counted.
 */
import type { Reply } from '@nendb/resp';
import { CrashFailure } from './failure.js';
import { count, type SharedBounds } from './history.js';
import { type Command, isShared, type Operation, type State, sharedIncrements } from './model.js';

export class SharedCounters {
  /** Values at the last restart. */
  #settled = new Map<string, number>();
  /** Increments sent since. */
  #sent = new Map<string, number>();
  /** Values acknowledged since, by counter. */
  #acknowledged = new Map<string, Set<number>>();

  send(operation: Operation): void {
    count(this.#sent, sharedIncrements(operation), 1);
  }

  /** Takes the reply to an increment. Throws `CrashFailure` if it cannot be. */
  acknowledge(command: Command, reply: Reply): void {
    if (command.name !== 'INCR' || !isShared(command.key)) return;
    const { key } = command;
    const value = Number(reply);
    const settled = this.#settled.get(key) ?? 0;
    const most = settled + (this.#sent.get(key) ?? 0);
    if (value <= settled || value > most) {
      throw new CrashFailure(
        'CRASH_COUNTER',
        `${key}: expected INCR to answer ${settled + 1} to ${most}, got ${value}`,
      );
    }
    const seen = this.#acknowledged.get(key) ?? new Set();
    this.#acknowledged.set(key, seen);
    if (seen.has(value)) {
      throw new CrashFailure(
        'CRASH_COUNTER',
        `${key}: expected every INCR to answer another value, got ${value} twice`,
      );
    }
    seen.add(value);
  }

  /** Holds what a restarted server has of the counters against all clients' bounds. */
  settle(found: State, bounds: readonly SharedBounds[]): void {
    const keys = new Set([...found.keys(), ...this.#settled.keys(), ...this.#sent.keys()]);
    for (const key of keys) {
      const settled = this.#settled.get(key) ?? 0;
      let least = settled + sum(bounds, 'atLeast', key);
      for (const value of this.#acknowledged.get(key) ?? []) least = Math.max(least, value);
      const most = settled + sum(bounds, 'atMost', key);
      const text = found.get(key) ?? '0';
      const value = typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : Number.NaN;
      if (!(value >= least && value <= most)) {
        throw new CrashFailure(
          'CRASH_COUNTER',
          `${key}: expected ${least} to ${most} (acknowledged to sent), found ${String(found.get(key))}`,
        );
      }
      this.#settled.set(key, value);
    }
    this.#sent = new Map();
    this.#acknowledged = new Map();
  }
}

function sum(bounds: readonly SharedBounds[], side: keyof SharedBounds, key: string): number {
  return bounds.reduce((total, bound) => total + (bound[side].get(key) ?? 0), 0);
}

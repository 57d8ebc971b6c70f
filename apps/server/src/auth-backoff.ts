/**
 * Slows the guessing of passwords down, by the address it comes from, and never who knows it.
 *
 *     right password ──▶ accepted at once, whatever came from its address before
 *     wrong password ──▶ answered after a delay; its connection runs nothing else until then
 *
 * Invariants
 *  1. Up to `AUTH_FREE_FAILURES` failures of an address cost nothing; each further one doubles the
 *     delay, up to `AUTH_BACKOFF_MS_MAX`. They are forgotten after `AUTH_FORGET_MS` without one.
 *  2. At most `AUTH_DELAYED_MAX` connections of an address wait for an answer: one more closes the
 *     oldest. A peer that hangs up waits no longer, so that nothing is held by who is gone.
 *  3. At most `AUTH_ADDRESSES_MAX` addresses are remembered; the one that failed longest ago goes.
 *  4. An IPv6 address counts as its /64: one subscriber owns all of it.
 *
 * So an address gets at most `AUTH_DELAYED_MAX` wrong guesses answered in `AUTH_BACKOFF_MS_MAX`, and
 * one a connection. A guesser may take silence for an answer and hang up: that costs a connection for
 * each guess, and nothing that lets the owner in at once from the same address can make it cost more.
 * A success forgets nothing: the owner's clients, as they come and go, would help a guesser beside
 * them.
 */
import {
  AUTH_ADDRESSES_MAX,
  AUTH_BACKOFF_MS_MAX,
  AUTH_BACKOFF_MS_MIN,
  AUTH_DELAYED_MAX,
  AUTH_FORGET_MS,
  AUTH_FREE_FAILURES,
} from './limits.js';

/** A connection whose answer is delayed. */
export interface Delayed {
  destroy(reason: string): void;
}

interface Failures {
  count: number;
  lastMs: number;
}

export class AuthBackoff {
  /** In order of the last failure: a Map keeps insertion order, and each failure inserts anew. */
  readonly #failures = new Map<string, Failures>();
  /** Who waits, by address, oldest first. */
  readonly #delayed = new Map<string, Set<Delayed>>();
  readonly #nowMs: () => number;

  /** @param nowMs a clock that never goes back, in ms. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Counts a wrong password; returns after how many ms it is to be answered. */
  failed(address: string): number {
    const key = network(address);
    const nowMs = this.#nowMs();
    const before = this.#failures.get(key);
    const known = before !== undefined && nowMs - before.lastMs < AUTH_FORGET_MS;
    const count = (known ? before.count : 0) + 1;
    this.#failures.delete(key);
    this.#failures.set(key, { count, lastMs: nowMs });
    if (this.#failures.size > AUTH_ADDRESSES_MAX) {
      const oldest = this.#failures.keys().next();
      if (!oldest.done) this.#failures.delete(oldest.value);
    }
    const excess = count - AUTH_FREE_FAILURES;
    return excess > 0 ? Math.min(AUTH_BACKOFF_MS_MAX, AUTH_BACKOFF_MS_MIN * 2 ** (excess - 1)) : 0;
  }

  /** `member` waits from now on; where its address has too many, the oldest of them is closed. */
  enter(address: string, member: Delayed): void {
    const key = network(address);
    const members = this.#delayed.get(key) ?? new Set();
    this.#delayed.set(key, members);
    members.add(member);
    if (members.size <= AUTH_DELAYED_MAX) return;
    const [oldest] = members;
    members.delete(oldest);
    oldest.destroy('too many wrong passwords at once from its address');
  }

  /** `member` waits no longer: it was answered, or is gone. */
  leave(address: string, member: Delayed): void {
    const key = network(address);
    const members = this.#delayed.get(key);
    if (members?.delete(member) && members.size === 0) this.#delayed.delete(key);
  }

  /** Addresses remembered. */
  get size(): number {
    return this.#failures.size;
  }

  /** Connections that wait. */
  get delayed(): number {
    let count = 0;
    for (const members of this.#delayed.values()) count += members.size;
    return count;
  }
}

/** The part of an address that belongs to one subscriber. */
function network(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1];
  if (!address.includes(':')) return address;
  const [head, tail = ''] = address.split('::');
  const front = head.split(':').filter(Boolean);
  const back = tail.split(':').filter(Boolean);
  const zeros = Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0');
  const groups = address.includes('::') ? [...front, ...zeros, ...back] : front;
  return `${groups.slice(0, 4).join(':')}::/64`;
}

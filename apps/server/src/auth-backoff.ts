/**
 * Slows the guessing of passwords down, by the address it comes from.
 *
 * Invariants
 *  1. Up to `AUTH_FREE_FAILURES` failures cost nothing; each further one doubles the wait, up to
 *     `AUTH_BACKOFF_MS_MAX`. A success forgets them all.
 *  2. At most `AUTH_ADDRESSES_MAX` addresses are remembered; the one that failed longest ago goes.
 *  3. An IPv6 address counts as its /64: one subscriber owns all of it.
 *
 * While an address waits its passwords are not even compared, so that a lucky guess inside the
 * wait is worth nothing.
 */
import {
  AUTH_ADDRESSES_MAX,
  AUTH_BACKOFF_MS_MAX,
  AUTH_BACKOFF_MS_MIN,
  AUTH_FREE_FAILURES,
} from './limits.js';

interface Failures {
  count: number;
  blockedUntilMs: number;
}

export class AuthBackoff {
  /** In order of the last failure: a Map keeps insertion order, and each failure inserts anew. */
  readonly #failures = new Map<string, Failures>();
  readonly #nowMs: () => number;

  /** @param nowMs a clock that never goes back, in ms. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Milliseconds until `address` may try again; 0 when it may now. */
  waitMs(address: string): number {
    const failures = this.#failures.get(network(address));
    return failures ? Math.max(0, failures.blockedUntilMs - this.#nowMs()) : 0;
  }

  failed(address: string): void {
    const key = network(address);
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    this.#failures.delete(key);
    const excess = count - AUTH_FREE_FAILURES;
    const waitMs =
      excess > 0 ? Math.min(AUTH_BACKOFF_MS_MAX, AUTH_BACKOFF_MS_MIN * 2 ** (excess - 1)) : 0;
    this.#failures.set(key, { count, blockedUntilMs: this.#nowMs() + waitMs });
    if (this.#failures.size > AUTH_ADDRESSES_MAX) {
      const oldest = this.#failures.keys().next();
      if (!oldest.done) this.#failures.delete(oldest.value);
    }
  }

  succeeded(address: string): void {
    this.#failures.delete(network(address));
  }

  get size(): number {
    return this.#failures.size;
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

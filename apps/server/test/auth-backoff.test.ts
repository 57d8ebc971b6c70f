import { describe, expect, it } from 'vitest';
import { AuthBackoff } from '../src/auth-backoff.js';
import {
  AUTH_ADDRESSES_MAX,
  AUTH_BACKOFF_MS_MAX,
  AUTH_DELAYED_MAX,
  AUTH_FORGET_MS,
  AUTH_FREE_FAILURES,
} from '../src/limits.js';

function setUp() {
  const clock = { nowMs: 1_000 };
  const backoff = new AuthBackoff(() => clock.nowMs);
  const fail = (address: string, times: number) => {
    let delayMs = 0;
    for (let i = 0; i < times; i++) delayMs = backoff.failed(address);
    return delayMs;
  };
  return { clock, backoff, fail };
}

describe('the delay of the answer to a wrong password', () => {
  it('is nothing for a few mistakes, then doubles up to its bound', () => {
    const { backoff, fail } = setUp();
    expect(fail('10.0.0.1', AUTH_FREE_FAILURES)).toBe(0);
    expect([1, 2, 3].map(() => backoff.failed('10.0.0.1'))).toEqual([100, 200, 400]);
    expect(fail('10.0.0.1', 2_000)).toBe(AUTH_BACKOFF_MS_MAX);
  });

  it('is forgotten when an address has been quiet for long, not before', () => {
    const { clock, backoff, fail } = setUp();
    fail('10.0.0.1', AUTH_FREE_FAILURES + 1);
    clock.nowMs += AUTH_FORGET_MS - 1;
    expect(backoff.failed('10.0.0.1')).toBe(200);
    clock.nowMs += AUTH_FORGET_MS;
    expect(backoff.failed('10.0.0.1')).toBe(0);
  });

  it('is of one address only', () => {
    const { backoff, fail } = setUp();
    fail('10.0.0.1', 50);
    expect(backoff.failed('10.0.0.2')).toBe(0);
  });

  it('counts an IPv6 /64 as one address, and a mapped IPv4 address as itself', () => {
    const { backoff, fail } = setUp();
    fail('2001:db8:0:1::1', AUTH_FREE_FAILURES);
    expect(backoff.failed('2001:db8:0:1:ffff:1:2:3')).toBeGreaterThan(0);
    expect(backoff.failed('2001:db8:0:2::1')).toBe(0);
    fail('::ffff:10.0.0.9', AUTH_FREE_FAILURES);
    expect(backoff.failed('10.0.0.9')).toBeGreaterThan(0);
    expect(backoff.failed('::ffff:10.0.0.8')).toBe(0);
  });

  it('is remembered for a bounded number of addresses, forgetting the oldest', () => {
    const { backoff, fail } = setUp();
    fail('first', AUTH_FREE_FAILURES + 1);
    for (let i = 0; i < AUTH_ADDRESSES_MAX; i++) backoff.failed(`10.1.${i >> 8}.${i & 255}`);
    expect(backoff.size).toBe(AUTH_ADDRESSES_MAX);
    expect(backoff.failed('first')).toBe(0);
  });
});

describe('connections that wait for such an answer', () => {
  it('are bounded for each address: one more closes the oldest', () => {
    const { backoff } = setUp();
    const closed: number[] = [];
    const member = (id: number) => ({ destroy: () => void closed.push(id) });
    const members = Array.from({ length: AUTH_DELAYED_MAX }, (_, i) => member(i));
    for (const each of members) backoff.enter('10.0.0.1', each);
    expect(closed).toEqual([]);
    backoff.enter('10.0.0.2', member(-1));
    expect(closed).toEqual([]);
    backoff.enter('10.0.0.1', member(-2));
    expect(closed).toEqual([0]);
    backoff.leave('10.0.0.1', members[1]);
    backoff.enter('10.0.0.1', member(-3));
    expect(closed, 'whoever has gone makes room').toEqual([0]);
    expect(backoff.delayed).toBe(AUTH_DELAYED_MAX + 1);
  });

  it('get at most 64 answers in 5 seconds, however many guess and reconnect', () => {
    const { clock, backoff, fail } = setUp();
    fail('10.0.0.1', 100);
    let answers = 0;
    const waiting: { dueMs: number; destroy(): void }[] = [];
    const seconds = 60;
    // A thousand guesses a second, each by a connection of its own that waits for its answer.
    for (const endMs = clock.nowMs + seconds * 1_000; clock.nowMs < endMs; clock.nowMs++) {
      while (waiting.length > 0 && waiting[0].dueMs <= clock.nowMs) {
        const [answered] = waiting.splice(0, 1);
        backoff.leave('10.0.0.1', answered);
        answers++;
      }
      const guess = {
        dueMs: clock.nowMs + backoff.failed('10.0.0.1'),
        destroy: () => void waiting.splice(waiting.indexOf(guess), 1),
      };
      waiting.push(guess);
      backoff.enter('10.0.0.1', guess);
    }
    expect(answers).toBeLessThanOrEqual((AUTH_DELAYED_MAX * seconds * 1_000) / AUTH_BACKOFF_MS_MAX);
    expect(backoff.delayed).toBeLessThanOrEqual(AUTH_DELAYED_MAX);
  });
});

import { describe, expect, it } from 'vitest';
import { AuthBackoff } from '../src/auth-backoff.js';
import { AUTH_ADDRESSES_MAX, AUTH_BACKOFF_MS_MAX, AUTH_FREE_FAILURES } from '../src/limits.js';

function setUp() {
  const clock = { nowMs: 1_000 };
  const backoff = new AuthBackoff(() => clock.nowMs);
  const fail = (address: string, times: number) => {
    for (let i = 0; i < times; i++) backoff.failed(address);
  };
  return { clock, backoff, fail };
}

describe('guessing passwords', () => {
  it('is free for a few mistakes, then costs a wait that doubles', () => {
    const { backoff, fail } = setUp();
    fail('10.0.0.1', AUTH_FREE_FAILURES);
    expect(backoff.waitMs('10.0.0.1')).toBe(0);
    const waits = [1, 2, 3].map(() => {
      backoff.failed('10.0.0.1');
      return backoff.waitMs('10.0.0.1');
    });
    expect(waits).toEqual([100, 200, 400]);
    fail('10.0.0.1', 100);
    expect(backoff.waitMs('10.0.0.1')).toBe(AUTH_BACKOFF_MS_MAX);
  });

  it('lets the address try again when the wait is over, and forgets after a success', () => {
    const { clock, backoff, fail } = setUp();
    fail('10.0.0.1', AUTH_FREE_FAILURES + 1);
    clock.nowMs += 99;
    expect(backoff.waitMs('10.0.0.1')).toBe(1);
    clock.nowMs += 1;
    expect(backoff.waitMs('10.0.0.1')).toBe(0);
    backoff.succeeded('10.0.0.1');
    backoff.failed('10.0.0.1');
    expect(backoff.waitMs('10.0.0.1')).toBe(0);
  });

  it('does not slow other addresses down', () => {
    const { backoff, fail } = setUp();
    fail('10.0.0.1', 50);
    expect(backoff.waitMs('10.0.0.2')).toBe(0);
  });

  it('counts an IPv6 /64 as one address, and a mapped IPv4 address as itself', () => {
    const { backoff, fail } = setUp();
    fail('2001:db8:0:1::1', AUTH_FREE_FAILURES + 1);
    expect(backoff.waitMs('2001:db8:0:1:ffff:1:2:3')).toBeGreaterThan(0);
    expect(backoff.waitMs('2001:db8:0:2::1')).toBe(0);
    fail('::ffff:10.0.0.9', AUTH_FREE_FAILURES + 1);
    expect(backoff.waitMs('10.0.0.9')).toBeGreaterThan(0);
    expect(backoff.waitMs('::ffff:10.0.0.8')).toBe(0);
  });

  it('remembers a bounded number of addresses, forgetting the oldest', () => {
    const { backoff, fail } = setUp();
    fail('first', AUTH_FREE_FAILURES + 1);
    for (let i = 0; i < AUTH_ADDRESSES_MAX; i++) backoff.failed(`10.1.${i >> 8}.${i & 255}`);
    expect(backoff.size).toBe(AUTH_ADDRESSES_MAX);
    expect(backoff.waitMs('first')).toBe(0);
  });
});

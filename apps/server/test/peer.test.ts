import { describe, expect, it } from 'vitest';
import { isLoopback, redisUrl } from '../src/peer.js';

describe('addresses', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '::FFFF:127.0.0.1'])(
    '%s is this machine',
    (address) => expect(isLoopback(address)).toBe(true),
  );

  it.each(['10.0.0.1', '1127.0.0.1', '::ffff:10.127.0.1', '2001:db8::1', 'fe80::1', '', '0.0.0.0'])(
    '%j is not',
    (address) => expect(isLoopback(address)).toBe(false),
  );

  it.each([
    ['127.0.0.1', 'redis://127.0.0.1:6379'],
    ['0.0.0.0', 'redis://127.0.0.1:6379'],
    ['::', 'redis://[::1]:6379'],
    ['2001:db8::1', 'redis://[2001:db8::1]:6379'],
    ['db.example', 'redis://db.example:6379'],
  ])('a server on %s is reached at %s', (address, url) => {
    expect(redisUrl(address, 6379)).toBe(url);
  });
});

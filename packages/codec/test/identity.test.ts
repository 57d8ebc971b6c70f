import { formatUuid, LSN_MAX, LSN_ZERO, lsn, parseUuid, sameUuid, UUID_BYTES } from '@nendb/codec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seeds } from './seeds.js';

describe('lsn', () => {
  it('R2: is an integer from 0 to 2^53 - 1, and nothing else', () => {
    expect(lsn(0)).toBe(LSN_ZERO);
    expect(lsn(1)).toBe(1);
    expect(lsn(LSN_MAX)).toBe(Number.MAX_SAFE_INTEGER);
    for (const bad of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, LSN_MAX + 1]) {
      expect(() => lsn(bad)).toThrow(/expected an LSN/);
    }
  });
});

describe('uuid', () => {
  const text = '00112233-4455-6677-8899-aabbccddeeff';

  it.each(seeds)('has one text for its 16 bytes (%s)', (_name, seed) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: UUID_BYTES, maxLength: UUID_BYTES }), (bytes) => {
        expect(parseUuid(formatUuid(bytes))).toEqual(bytes);
        expect(formatUuid(bytes)).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      }),
      { seed, numRuns: 50 },
    );
    expect([...parseUuid(text)].slice(0, 4)).toEqual([0x00, 0x11, 0x22, 0x33]);
    expect(formatUuid(parseUuid(text.toUpperCase()))).toBe(text);
  });

  it('refuses what is not a uuid', () => {
    for (const bad of ['', text.slice(1), `${text}0`, text.replaceAll('-', ''), 'g'.repeat(36)]) {
      expect(() => parseUuid(bad)).toThrow(/expected a uuid/);
    }
    expect(() => formatUuid(new Uint8Array(15))).toThrow(/16 bytes, got 15/);
  });

  it('is the same only as the same 16 bytes', () => {
    const a = parseUuid(text);
    for (let bit = 0; bit < UUID_BYTES * 8; bit++) {
      const b = Uint8Array.from(a);
      b[bit >> 3] ^= 1 << (bit & 7);
      expect(sameUuid(a, b)).toBe(false);
    }
    expect(sameUuid(a, Uint8Array.from(a))).toBe(true);
    expect(sameUuid(new Uint8Array(0), new Uint8Array(0))).toBe(false);
    expect(sameUuid(a, a.subarray(0, 15))).toBe(false);
  });
});

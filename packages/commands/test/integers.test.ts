import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  INT64_MAX,
  INT64_MIN,
  INTEGER_BYTES_MAX,
  parseInt64,
  parseSafeInteger,
  putInt64,
  putInteger,
} from '../src/bytes/integers.js';
import { FIXED_SEED, rotatingSeed } from './harness/seeds.js';

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
const safe = (text: string): number => parseSafeInteger(bytesOf(text), 0, text.length);
const wide = (text: string): bigint | undefined => parseInt64(bytesOf(text), 0, text.length);

describe('integers as bytes', () => {
  it.each(['', '-', '+1', ' 1', '1 ', '01', '-0', '-01', '1.0', 'a', '0x1', '1e3', '--1'])(
    'refuse %j',
    (text) => {
      expect(safe(text)).toBeNaN();
      expect(wide(text)).toBeUndefined();
    },
  );

  it('end at the limits of their width', () => {
    expect(safe('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(safe('9007199254740992')).toBeNaN();
    expect(safe('-9007199254740991')).toBe(-Number.MAX_SAFE_INTEGER);
    expect(wide(INT64_MAX.toString())).toBe(INT64_MAX);
    expect(wide((INT64_MAX + 1n).toString())).toBeUndefined();
    expect(wide(INT64_MIN.toString())).toBe(INT64_MIN);
    expect(wide((INT64_MIN - 1n).toString())).toBeUndefined();
  });

  it.each([
    ['fixed', FIXED_SEED],
    ['rotating', rotatingSeed('integers')],
  ])('are written and read back (%s seed)', (_name, seed) => {
    const target = new Uint8Array(INTEGER_BYTES_MAX);
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const from = putInteger(target, value);
        expect(Buffer.from(target.subarray(from)).toString()).toBe(String(value));
        expect(parseSafeInteger(target, from, target.length)).toBe(value);
      }),
      { seed },
    );
    fc.assert(
      fc.property(fc.bigInt({ min: INT64_MIN, max: INT64_MAX }), (value) => {
        const from = putInt64(target, value);
        expect(parseInt64(target, from, target.length)).toBe(value);
      }),
      { seed },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addLongDoubles, longDoubleText, parseLongDouble } from '../src/bytes/long-double.js';
import { FIXED_SEED, rotatingSeed } from './harness/seeds.js';

const read = (text: string) => parseLongDouble(Buffer.from(text, 'latin1'), 0, text.length);

function textOf(text: string): string | undefined {
  const value = read(text);
  return value && (value.infinite ? 'infinite' : longDoubleText(value));
}

function sum(a: string, b: string): string | undefined {
  const [x, y] = [read(a), read(b)];
  const total = x && y && addLongDoubles(x, y);
  return total && (total.infinite ? 'infinite' : longDoubleText(total));
}

describe('long doubles', () => {
  it.each([
    ['10.5', '0.1', '10.6'],
    ['0.1', '0.2', '0.3'],
    ['5.0e3', '200', '5200'],
    ['-1', '1', '0'],
    ['-0', '-0', '0'],
    ['1e17', '0.00000000000000001', '100000000000000000'],
    ['9223372036854775807', '1', '9223372036854775808'],
    ['18446744073709551615', '1', '18446744073709551616'],
    ['1e4932', '1e4932', 'infinite'],
    ['inf', '1', 'infinite'],
    ['inf', '-inf', undefined],
  ])('%s and %s make %s', (a, b, expected) => {
    expect(sum(a, b)).toBe(expected);
  });

  it('print with 17 digits behind the point, without zeros at the end', () => {
    expect(textOf('3.0')).toBe('3');
    expect(textOf('0x1p-4')).toBe('0.0625');
    expect(textOf('0.00000000000000001')).toBe('0.00000000000000001');
    expect(textOf('0.000000000000000004')).toBe('0');
    expect(textOf('-0.000000000000000004')).toBe('0');
    // Ties of the exact binary value go to the even digit; 64 bits of mantissa show.
    expect(textOf('0.1234567890123456789')).toBe('0.12345678901234568');
    expect(textOf('123456789012345678.5')).toBe('123456789012345678.5');
  });

  it('are refused where C would refuse them', () => {
    for (const text of [
      '',
      ' 1',
      '1 ',
      'x',
      '.',
      '+',
      '1e',
      '0x',
      'nan',
      '1e5000',
      '1e-5000',
      '1__',
    ]) {
      expect(read(text), JSON.stringify(text)).toBeUndefined();
    }
    expect(read('1'.repeat(5 * 1024))).toBeUndefined();
    expect(textOf('1e4931')?.length).toBe(4932);
  });

  it.each([
    ['fixed', FIXED_SEED],
    ['rotating', rotatingSeed('long-double')],
  ])('hold every double and every 64-bit integer exactly (%s seed)', (_name, seed) => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(textOf(String(value))).toBe(String(value));
        expect(sum(String(value), String(-value))).toBe('0');
      }),
      { seed, numRuns: 500 },
    );
    const sixteenths = fc.integer({ min: -(2 ** 40), max: 2 ** 40 }).map((n) => n / 16);
    fc.assert(
      fc.property(sixteenths, sixteenths, (a, b) => {
        expect(sum(String(a), String(b))).toBe(String(a + b === 0 ? 0 : a + b));
      }),
      { seed, numRuns: 500 },
    );
  });
});

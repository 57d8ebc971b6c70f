/**
 * Numbers as Redis's INCRBYFLOAT computes them: C's 80-bit `long double`, with 64 bits of mantissa.
 * Doubles would not do: 10.5 + 0.1 has to print as 10.6, with 17 digits after the point asked for.
 *
 *     value = (-1)^negative * mantissa * 2^exponent      mantissa < 2^64, exponent >= -16445
 *
 * Invariants
 *  1. Parsing, adding and printing round once, to the nearest, ties to even, as the processor does.
 *  2. What is above the largest number is `Infinity`, told apart by `infinite`.
 *
 * Source: Redis 7.0, `util.c` (`string2ld`, `ld2string`); C11, 7.22.1.3.
 */

export interface LongDouble {
  readonly negative: boolean;
  readonly mantissa: bigint;
  readonly exponent: number;
  readonly infinite: boolean;
}

export const LONG_DOUBLE_ZERO: LongDouble = {
  negative: false,
  mantissa: 0n,
  exponent: 0,
  infinite: false,
};

const MANTISSA_BITS = 64;
const MANTISSA_END = 1n << 64n;
const EXPONENT_MIN = -16445;
/** The first exponent of a full mantissa that is too large: 2^16384 is. */
const EXPONENT_END = 16384 - MANTISSA_BITS + 1;
/** Decimal exponents beyond these are infinite, or zero, whatever the digits of a bounded text. */
const DECIMAL_EXPONENT_MAX = 20_000;
/** Redis reads numbers into a buffer of this length. */
const TEXT_BYTES_MAX = 5 * 1024;
/** Digits behind the point that are printed. */
const DIGITS = 17;
const SCALE = 10n ** BigInt(DIGITS);

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i;
const HEXADECIMAL = /^([+-]?)0x([0-9a-f]*)(?:\.([0-9a-f]*))?(?:p([+-]?\d+))?$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

/** The number in `bytes[from..to]`, or `undefined` where it is none: text, NaN, too large or small. */
export function parseLongDouble(
  bytes: Uint8Array,
  from: number,
  to: number,
): LongDouble | undefined {
  if (to === from || to - from >= TEXT_BYTES_MAX) return undefined;
  const text = Buffer.from(bytes.subarray(from, to)).toString('latin1');
  const infinite = INFINITE.exec(text);
  if (infinite !== null)
    return { ...LONG_DOUBLE_ZERO, negative: infinite[1] === '-', infinite: true };
  const decimal = DECIMAL.exec(text);
  if (decimal !== null) return parsed(decimal, 10n, 10n, 1);
  const hexadecimal = HEXADECIMAL.exec(text);
  return hexadecimal === null ? undefined : parsed(hexadecimal, 16n, 2n, 4);
}

/** `power` is what the exponent counts in, of which a digit behind the point takes `perDigit`. */
function parsed(
  [, sign, whole = '', fraction = '', exponentText = '0']: readonly string[],
  base: 10n | 16n,
  power: bigint,
  perDigit: number,
): LongDouble | undefined {
  const digits = whole + fraction;
  if (digits === '') return undefined;
  const significant = BigInt((base === 16n ? '0x' : '') + digits);
  const negative = sign === '-';
  if (significant === 0n) return { ...LONG_DOUBLE_ZERO, negative };
  const exponent = Number(exponentText) - fraction.length * perDigit;
  if (Math.abs(exponent) > DECIMAL_EXPONENT_MAX) return undefined;
  const scale = power ** BigInt(Math.abs(exponent));
  const value =
    exponent >= 0
      ? rounded(negative, significant * scale, 1n)
      : rounded(negative, significant, scale);
  return value.infinite || value.mantissa === 0n ? undefined : value;
}

export function addLongDoubles(a: LongDouble, b: LongDouble): LongDouble | undefined {
  if (a.infinite && b.infinite) return a.negative === b.negative ? a : undefined;
  if (a.infinite || b.infinite) return a.infinite ? a : b;
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = aligned(a, exponent) + aligned(b, exponent);
  const magnitude = sum < 0n ? -sum : sum;
  return exponent >= 0
    ? rounded(sum < 0n, magnitude << BigInt(exponent), 1n)
    : rounded(sum < 0n, magnitude, 1n << BigInt(-exponent));
}

function aligned({ negative, mantissa, exponent }: LongDouble, to: number): bigint {
  const shifted = mantissa << BigInt(exponent - to);
  return negative ? -shifted : shifted;
}

/** As Redis prints it: 17 digits behind the point, without the zeros at their end. */
export function longDoubleText({ negative, mantissa, exponent }: LongDouble): string {
  const scaled =
    exponent >= 0
      ? (mantissa * SCALE) << BigInt(exponent)
      : nearest(mantissa * SCALE, 1n << BigInt(-exponent));
  const digits = scaled.toString().padStart(DIGITS + 1, '0');
  const text = `${digits.slice(0, -DIGITS)}.${digits.slice(-DIGITS)}`.replace(/\.?0+$/, '');
  return negative && text !== '0' ? `-${text}` : text;
}

/** The nearest number to numerator / denominator; both are positive, or the first is 0. */
function rounded(negative: boolean, numerator: bigint, denominator: bigint): LongDouble {
  if (numerator === 0n) return { ...LONG_DOUBLE_ZERO, negative };
  let exponent = bitLength(numerator) - bitLength(denominator) - MANTISSA_BITS;
  // The quotient has one bit more or less than that: settled by a look at it.
  if (quotient(numerator, denominator, exponent) >= MANTISSA_END) exponent++;
  if (exponent < EXPONENT_MIN) exponent = EXPONENT_MIN;
  let mantissa =
    exponent >= 0
      ? nearest(numerator, denominator << BigInt(exponent))
      : nearest(numerator << BigInt(-exponent), denominator);
  if (mantissa === MANTISSA_END) {
    mantissa >>= 1n;
    exponent++;
  }
  const infinite = exponent >= EXPONENT_END;
  return { negative, mantissa, exponent, infinite };
}

function quotient(numerator: bigint, denominator: bigint, exponent: number): bigint {
  return exponent >= 0
    ? numerator / (denominator << BigInt(exponent))
    : (numerator << BigInt(-exponent)) / denominator;
}

/** The quotient to the nearest integer, ties to even. */
function nearest(numerator: bigint, denominator: bigint): bigint {
  const whole = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  const up = twice > denominator || (twice === denominator && (whole & 1n) === 1n);
  return up ? whole + 1n : whole;
}

function bitLength(value: bigint): number {
  const text = value.toString(16);
  return (text.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(text[0], 16)));
}

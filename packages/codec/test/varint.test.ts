import {
  FormatError,
  putUvarint,
  UVARINT_BYTES_MAX,
  UvarintReader,
  uvarintBytes,
} from '@nendb/codec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seeds } from './seeds.js';

const edges = [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x7fffffff, 0x80000000, 0xffffffff, 2 ** 32];
for (let bits = 7; bits <= 49; bits += 7) edges.push(2 ** bits - 1, 2 ** bits, 2 ** bits + 1);
edges.push(Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER);

/** The definition, on BigInt. */
function encodeByDefinition(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

function encode(value: number): number[] {
  const target = new Uint8Array(UVARINT_BYTES_MAX);
  return [...target.subarray(0, putUvarint(target, 0, value))];
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof FormatError) return error.code;
    throw error;
  }
  return 'no error';
}

function decode(bytes: readonly number[]): number {
  const reader = new UvarintReader();
  reader.reset(Uint8Array.from(bytes));
  return reader.next();
}

describe('uvarint', () => {
  it('encodes the edges as the definition does, and says their size', () => {
    for (const value of edges) {
      expect(encode(value)).toEqual(encodeByDefinition(value));
      expect(uvarintBytes(value)).toBe(encodeByDefinition(value).length);
      expect(decode(encode(value))).toBe(value);
    }
    expect(uvarintBytes(Number.MAX_SAFE_INTEGER)).toBe(UVARINT_BYTES_MAX);
  });

  it.each(seeds)('reads back any run of values (%s)', (_name, seed) => {
    const value = fc.oneof(fc.maxSafeNat(), fc.nat(), fc.nat(300), fc.constantFrom(...edges));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 20 }), fc.nat(5), (values, from) => {
        const target = new Uint8Array(from + values.length * UVARINT_BYTES_MAX);
        let end = from;
        for (const each of values) end = putUvarint(target, end, each);
        const reader = new UvarintReader();
        reader.reset(target, from, end);
        expect(values.map(() => reader.next())).toEqual(values);
        expect(reader.offset).toBe(end);
        expect(codeOf(() => reader.next())).toBe('FORMAT_TRUNCATED');
      }),
      { seed, numRuns: 200 },
    );
  });

  it.each(seeds)(
    'takes any bytes as the one encoding of a value, or refuses them (%s)',
    (_name, seed) => {
      const byte = fc.oneof(fc.nat(255), fc.constantFrom(0x80, 0xff, 0));
      fc.assert(
        fc.property(fc.array(byte, { maxLength: 10 }), (bytes) => {
          let value: number;
          const reader = new UvarintReader();
          reader.reset(Uint8Array.from(bytes));
          try {
            value = reader.next();
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
            expect(reader.offset).toBe(0);
            return;
          }
          expect(encode(value)).toEqual(bytes.slice(0, reader.offset));
        }),
        { seed, numRuns: 400 },
      );
    },
  );

  it('refuses what no writer writes: padded, too long, above 2^53 - 1, cut short', () => {
    expect(codeOf(() => decode([0x80, 0x00]))).toBe('FORMAT_BAD_VALUE');
    expect(codeOf(() => decode([0xff, 0x80, 0x00]))).toBe('FORMAT_BAD_VALUE');
    expect(codeOf(() => decode(Array(9).fill(0x81)))).toBe('FORMAT_BAD_VALUE');
    expect(codeOf(() => decode([...Array(8).fill(0xff), 0x01]))).toBe('FORMAT_BAD_VALUE');
    expect(codeOf(() => decode([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]))).toBe(
      'FORMAT_BAD_VALUE', // 2^53
    );
    expect(codeOf(() => decode([0x80, 0x80]))).toBe('FORMAT_TRUNCATED');
    expect(codeOf(() => decode([]))).toBe('FORMAT_TRUNCATED');
  });

  it('never reads behind its end', () => {
    const reader = new UvarintReader();
    reader.reset(Uint8Array.from([0x80, 0x01]), 0, 1);
    expect(codeOf(() => reader.next())).toBe('FORMAT_TRUNCATED');
    expect(() => reader.reset(new Uint8Array(4), 0, 5)).toThrow(RangeError);
    expect(() => reader.reset(new Uint8Array(4), 3, 2)).toThrow(RangeError);
  });

  it('refuses to encode what is not an integer from 0 to 2^53 - 1', () => {
    const target = new Uint8Array(16);
    for (const bad of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => putUvarint(target, 0, bad)).toThrow(RangeError);
      expect(() => uvarintBytes(bad)).toThrow(RangeError);
    }
    expect(target.every((byte) => byte === 0)).toBe(true);
  });

  it('refuses a target without room instead of dropping bytes silently', () => {
    const pool = new Uint8Array(16);
    expect(() => putUvarint(pool.subarray(0, 2), 1, 300)).toThrow(/expected room/);
    expect([...pool.subarray(2)].every((byte) => byte === 0)).toBe(true);
  });
});

import { crc32 as native } from 'node:zlib';
import { CRC_NATIVE_BYTES_MIN, crc32 } from '@nendb/codec';
import crcTable from 'crc-32';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seeds } from './seeds.js';

/** The definition: one bit at a time, polynomial 0xEDB88320, reflected. */
function crcByDefinition(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

const text = (value: string) => new TextEncoder().encode(value);

describe('crc32', () => {
  it('gives the published check values', () => {
    expect(crc32(new Uint8Array(0))).toBe(0);
    expect(crc32(text('a'))).toBe(0xe8b7be43);
    expect(crc32(text('123456789'))).toBe(0xcbf43926);
    expect(crc32(text('The quick brown fox jumps over the lazy dog'))).toBe(0x414fa339);
    expect(crc32(new Uint8Array(32))).toBe(0x190a55ad);
    expect(crc32(new Uint8Array(32).fill(0xff))).toBe(0xff6cab0b);
    expect(crc32(new Uint8Array(1 << 20))).toBe(crcByDefinition(new Uint8Array(1 << 20)));
  });

  it('agrees with both implementations at every length around the crossover and every alignment', () => {
    const pool = new Uint8Array(2 * CRC_NATIVE_BYTES_MIN + 16);
    for (let i = 0; i < pool.length; i++) pool[i] = (i * 167 + (i >>> 3)) & 0xff;
    for (let length = 0; length <= 2 * CRC_NATIVE_BYTES_MIN; length++) {
      const bytes = pool.subarray(length % 16, (length % 16) + length);
      const expected = crcByDefinition(bytes);
      expect([crc32(bytes), native(bytes), crcTable.buf(bytes) >>> 0]).toEqual([
        expected,
        expected,
        expected,
      ]);
    }
  });

  it.each(seeds)('chains by its seed however the bytes are cut (%s)', (_name, seed) => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 3 * CRC_NATIVE_BYTES_MIN }),
        fc.array(fc.nat(3 * CRC_NATIVE_BYTES_MIN), { maxLength: 4 }),
        fc.integer({ min: 0, max: 0xffffffff }),
        (bytes, cuts, start) => {
          const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length];
          at.sort((a, b) => a - b);
          let chained = start;
          for (let i = 1; i < at.length; i++)
            chained = crc32(bytes.subarray(at[i - 1], at[i]), chained);
          expect(chained).toBe(crcByDefinition(bytes, start));
          expect(crc32(bytes, start)).toBe(chained);
        },
      ),
      { seed, numRuns: 150 },
    );
  });

  it('reads memory shared between threads', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(1000)).fill(7);
    expect(crc32(shared)).toBe(crcByDefinition(shared));
    expect(crc32(shared.subarray(0, 20))).toBe(crcByDefinition(shared.subarray(0, 20)));
  });
});

import { deflateRawSync } from 'node:zlib';
import {
  COMPRESS_BYTES_MIN,
  COMPRESSIONS,
  type Compression,
  compress,
  compressionId,
  compressionOf,
  decompress,
} from '@nendb/codec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf, refusal } from './refusal.js';
import { seeds } from './seeds.js';

const DEFLATE = 1;

/** Bytes that look random: they do not shrink. */
function noise(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** Text that shrinks to a fraction. */
function text(length: number): Uint8Array {
  const line = new TextEncoder().encode('{"user":1234,"name":"somebody","visits":[1,2,3]}\n');
  return Uint8Array.from({ length }, (_, i) => line[i % line.length] ^ ((i >> 9) & 3));
}

describe('numbers on disk', () => {
  it('R6: are what they have always been', () => {
    expect(COMPRESSIONS.map((name) => [name, compressionId(name)])).toEqual([
      ['none', 0],
      ['deflate', 1],
    ]);
    for (const name of COMPRESSIONS) expect(compressionOf(compressionId(name))).toBe(name);
  });

  it('R6: that are unknown are called too new', () => {
    for (const id of [2, 3, 255, -1, 0.5, Number.NaN]) {
      const error = refusal(() => decompress(text(10), id, 100));
      expect(error.code).toBe('FORMAT_TOO_NEW');
      expect(error.message).toBe(
        `expected a compression of 0 (none), 1 (deflate), got ${id}: use a newer release`,
      );
    }
  });

  it('names that are none are refused', () => {
    for (const name of ['zip', '', '__proto__', 'toString', 'Deflate']) {
      expect(() => compress(text(1000), name as Compression)).toThrow(RangeError);
      expect(() => compressionId(name as Compression)).toThrow(/one|compression of none, deflate/);
    }
  });
});

describe('deflate', () => {
  it('reads the streams of RFC 1951: stored, fixed codes, several blocks', () => {
    const stored = Buffer.from('010500faff68656c6c6f', 'hex');
    const fixed = Buffer.from('cb48cdc9c90700', 'hex');
    const both = Buffer.from('000500faff68656c6c6f010500faff68656c6c6f', 'hex');
    const hello = new TextEncoder().encode('hello');
    expect(decompress(stored, DEFLATE, 5)).toEqual(hello);
    expect(decompress(fixed, DEFLATE, 5)).toEqual(hello);
    expect(decompress(both, DEFLATE, 10)).toEqual(new TextEncoder().encode('hellohello'));
    expect(decompress(Buffer.from('0300', 'hex'), DEFLATE, 1)).toEqual(new Uint8Array(0));
  });

  it.each(seeds)(
    'gives back any bytes, and is used only where it saves an eighth (%s)',
    (_n, seed) => {
      const bytes = fc.oneof(
        fc.uint8Array({ maxLength: 600 }),
        fc.tuple(fc.nat(3000), fc.nat(3000)).map(([a, b]) => Buffer.concat([text(a), noise(b)])),
        fc.tuple(fc.nat(20_000), fc.nat(255)).map(([n, byte]) => new Uint8Array(n).fill(byte)),
      );
      fc.assert(
        fc.property(bytes, (plain) => {
          const before = Uint8Array.from(plain);
          const compressed = compress(plain, 'deflate');
          expect(Buffer.compare(plain, before)).toBe(0);
          if (compressed === undefined) {
            const whole = deflateRawSync(plain, { level: 1 });
            expect(
              plain.length < COMPRESS_BYTES_MIN || whole.length > plain.length - plain.length / 8,
            ).toBe(true);
            return;
          }
          expect(compressed.length).toBeLessThanOrEqual(plain.length - plain.length / 8);
          expect(Buffer.compare(decompress(compressed, DEFLATE, plain.length), before)).toBe(0);
        }),
        { seed, numRuns: 60 },
      );
    },
  );

  it('does not pay for short bytes, for noise, and under the name none', () => {
    expect(compress(new Uint8Array(COMPRESS_BYTES_MIN - 1), 'deflate')).toBeUndefined();
    expect(compress(new Uint8Array(COMPRESS_BYTES_MIN), 'deflate')?.length).toBeLessThan(20);
    expect(compress(noise(100_000), 'deflate')).toBeUndefined();
    expect(compress(text(100_000), 'none')).toBeUndefined();
    expect(compress(new Uint8Array(0), 'deflate')).toBeUndefined();
  });

  it('saves an eighth or nothing, to the byte', () => {
    const sizes = new Set<boolean>();
    for (let zeros = 100; zeros < 400; zeros += 2) {
      const plain = Buffer.concat([noise(1000), new Uint8Array(zeros)]);
      const whole = deflateRawSync(plain, { level: 1 }).length;
      const pays = (plain.length - whole) * 8 >= plain.length;
      expect(compress(plain, 'deflate') !== undefined, `${zeros} zeros`).toBe(pays);
      sizes.add(pays);
    }
    expect(sizes.size).toBe(2);
  });
});

describe('damage', () => {
  const plain = text(700);
  const stream = compress(plain, 'deflate') ?? new Uint8Array(0);

  it('every truncation is refused', () => {
    expect(stream.length).toBeGreaterThan(50);
    for (let length = 0; length < stream.length; length++) {
      const code = codeOf(() => decompress(stream.subarray(0, length), DEFLATE, 700));
      expect(code, `cut to ${length}`).toBe('FORMAT_TRUNCATED');
    }
  });

  it('anything behind the end of the stream is refused', () => {
    for (const more of [new Uint8Array(1), noise(40), stream]) {
      const error = refusal(() => decompress(Buffer.concat([stream, more]), DEFLATE, 2000));
      expect(error.code).toBe('FORMAT_BAD_VALUE');
      expect(error.message).toContain(`one that ends after ${stream.length}`);
    }
  });

  it('any flipped bit gives other bytes or a typed refusal, never more than was asked for', () => {
    let refused = 0;
    for (let bit = 0; bit < stream.length * 8; bit++) {
      const damaged = Uint8Array.from(stream);
      damaged[bit >> 3] ^= 1 << (bit & 7);
      try {
        expect(decompress(damaged, DEFLATE, 700).length).toBeLessThanOrEqual(700);
      } catch (error) {
        expect((error as { code: string }).code, `bit ${bit}`).toMatch(
          /^FORMAT_(TRUNCATED|BAD_VALUE)$/,
        );
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(stream.length);
  });
});

describe('the bound on the way back', () => {
  it('holds to the byte', () => {
    const stream = compress(text(5000), 'deflate') ?? new Uint8Array(0);
    expect(decompress(stream, DEFLATE, 5000)).toEqual(text(5000));
    for (const bytesMax of [1, 63, 64, 4999]) {
      const error = refusal(() => decompress(stream, DEFLATE, bytesMax));
      expect(error.code).toBe('FORMAT_BAD_VALUE');
      expect(error.message).toContain(`at most ${bytesMax} bytes when decompressed`);
    }
    expect(decompress(text(10), 0, 10)).toEqual(text(10));
    expect(codeOf(() => decompress(text(11), 0, 10))).toBe('FORMAT_BAD_VALUE');
  });

  it('stops a bomb long before it has gone off', () => {
    const bomb = deflateRawSync(new Uint8Array(32 << 20), { level: 1 });
    expect(bomb.length).toBeLessThan(200_000);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 3; i++) {
      expect(codeOf(() => decompress(bomb, DEFLATE, 1 << 20))).toBe('FORMAT_BAD_VALUE');
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(12 << 20);
  });

  it('has to be a bound', () => {
    for (const bytesMax of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => decompress(text(10), 0, bytesMax)).toThrow(/bytesMax as an integer from 1/);
    }
  });
});

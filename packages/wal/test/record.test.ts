/** Records: what is encoded comes back; whatever else is decoded is refused with a typed error. */
import { type Compression, FormatError } from '@nendb/codec';
import { Record, type WalRecord } from '@nendb/wal';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { propertySeeds } from './seeds.js';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
/** Values of both kinds: what compresses, and what does not. */
const value = fc.oneof(
  bytes(400),
  fc.tuple(fc.nat(255), fc.nat(3000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
);
const put = fc
  .record({
    key: bytes(200),
    value,
    expireAtMs: fc.option(fc.maxSafeNat(), { nil: undefined }),
    compress: fc.constantFrom<Compression>('none', 'deflate'),
  })
  .map(({ key, value: text, expireAtMs, compress }) =>
    Record.put(key, text, { expireAtMs, compress }),
  );
const record: fc.Arbitrary<WalRecord> = fc.oneof(
  put,
  bytes(200).map((key) => Record.delete(key)),
);

/** What a record means, whatever way it is stored. */
function meaning(of: WalRecord) {
  const key = Buffer.from(of.key).toString('hex');
  if (of.type === 'delete') return { type: of.type, key };
  const { type, expireAtMs } = of;
  return { type, key, value: Buffer.from(of.value).toString('hex'), expireAtMs };
}

describe('a record', () => {
  test.each(propertySeeds('record'))(
    'comes back as it was, and encodes the same (seed %i)',
    (seed) => {
      fc.assert(
        fc.property(record, (sent) => {
          const encoded = Record.encode(sent);
          const found = Record.decode(encoded);
          expect(meaning(found)).toEqual(meaning(sent));
          expect(Buffer.compare(Record.encode(found), encoded)).toBe(0);
        }),
        { seed, numRuns: 300 },
      );
    },
  );

  test.each(propertySeeds('record bytes'))(
    'that is cut, changed or made up is refused by code, or is another one (seed %i)',
    (seed) => {
      const damaged = fc.oneof(
        bytes(60),
        fc.tuple(put, fc.nat(), fc.nat(255)).map(([sent, at, byte]) => {
          const encoded = Record.encode(sent);
          encoded[at % encoded.length] = byte;
          return encoded;
        }),
        fc.tuple(put, fc.nat()).map(([sent, length]) => {
          const encoded = Record.encode(sent);
          return encoded.subarray(0, length % encoded.length);
        }),
      );
      fc.assert(
        fc.property(damaged, (input) => {
          try {
            const found = Record.decode(input, { valueBytesMax: 4096 });
            expect(meaning(Record.decode(Record.encode(found)))).toEqual(meaning(found));
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        }),
        { seed, numRuns: 500 },
      );
    },
  );

  test('is compressed only where that makes it shorter', () => {
    const text = 'abcdefgh'.repeat(100);
    const plain = Record.encode(Record.put('k', text));
    const small = Record.encode(Record.put('k', text, { compress: 'deflate' }));
    expect(small.length).toBeLessThan(plain.length / 4);
    expect(Record.decode(small)).toMatchObject({ compress: 'deflate' });
    const short = Record.encode(Record.put('k', 'v', { compress: 'deflate' }));
    expect(short).toEqual(Record.encode(Record.put('k', 'v')));
    expect(Record.decode(short)).toMatchObject({ compress: 'none' });
  });

  test('says nothing about how long its value may be', () => {
    const bomb = Record.encode(Record.put('k', new Uint8Array(1 << 20), { compress: 'deflate' }));
    expect(bomb.length).toBeLessThan(8192);
    expect(() => Record.decode(bomb, { valueBytesMax: 65_536 })).toThrow(
      /at most 65536 bytes, got 1048576/,
    );
    const plain = Record.encode(Record.put('k', 'four'));
    expect(() => Record.decode(plain, { valueBytesMax: 3 })).toThrow(/at most 3 bytes, got 4/);
  });

  test('that claims another plain length than its stream has is refused', () => {
    const encoded = Record.encode(Record.put('', new Uint8Array(200), { compress: 'deflate' }));
    for (const length of [199, 201]) {
      const lying = encoded.slice();
      lying.set([(length & 0x7f) | 0x80, length >> 7], 3);
      expect(() => Record.decode(lying)).toThrow(FormatError);
    }
  });

  test.each([
    [[], 'FORMAT_TRUNCATED'],
    [[1], 'FORMAT_TRUNCATED'],
    [[2, 5, 1], 'FORMAT_TRUNCATED'],
    [[0x11, 0, 1, 2, 3], 'FORMAT_TRUNCATED'],
    [[2, 0, 0], 'FORMAT_BAD_VALUE'],
    [[0x11, 0, 0, 0, 0, 0, 0, 0, 0, 1], 'FORMAT_BAD_VALUE'],
    [[0x21, 0], 'FORMAT_TRUNCATED'],
    [[0x21, 0, 9, 200, 1, 0], 'FORMAT_TOO_NEW'],
    [[0x21, 0, 0, 200, 1, 0], 'FORMAT_BAD_VALUE'],
    [[3, 0], 'FORMAT_TOO_NEW'],
    [[0x12, 0], 'FORMAT_TOO_NEW'],
    [[0x41, 0], 'FORMAT_TOO_NEW'],
  ])('of the bytes %j is refused with %s', (input, code) => {
    expect(() => Record.decode(new Uint8Array(input))).toThrow(expect.objectContaining({ code }));
  });

  test('refuses an expiry time that is no time', () => {
    for (const expireAtMs of [-1, 1.5, Number.NaN, 2 ** 53]) {
      expect(() => Record.put('k', 'v', { expireAtMs })).toThrow(
        expect.objectContaining({ code: 'WAL_BAD_OPTION' }),
      );
    }
  });
});

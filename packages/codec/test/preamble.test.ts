import {
  crc32,
  FormatError,
  NO_FEATURES,
  PREAMBLE_BYTES,
  type Preamble,
  putPreamble,
  readPreamble,
} from '@nendb/codec';
import { describe, expect, it } from 'vitest';

const databaseUuid = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
const known = { magic: 'NENTEST1', version: 3, ...NO_FEATURES };

function encode(changes: Partial<Preamble> = {}): Uint8Array {
  const bytes = new Uint8Array(PREAMBLE_BYTES);
  putPreamble(bytes, 0, {
    magic: 'NENTEST1',
    version: 1,
    ...NO_FEATURES,
    databaseUuid,
    ...changes,
  });
  return bytes;
}

function refusal(run: () => unknown): FormatError {
  try {
    run();
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

describe('preamble', () => {
  it('R6: has the bytes that the format draws', () => {
    const bytes = encode({ version: 2, compat: 0x80000001, readOnlyCompat: 2, incompat: 4 });
    const view = new DataView(bytes.buffer);
    expect(Buffer.from(bytes.subarray(0, 8)).toString('latin1')).toBe('NENTEST1');
    expect([8, 12, 16, 20, 40].map((at) => view.getUint32(at, true))).toEqual([
      2, 0x80000001, 2, 4, 0,
    ]);
    expect(bytes.subarray(24, 40)).toEqual(databaseUuid);
    expect(view.getUint32(44, true)).toBe(crc32(bytes.subarray(0, 44)));
  });

  it('reads back what was written, wherever it stands in a buffer', () => {
    const target = new Uint8Array(100).fill(0xee);
    const written = { magic: 'NENTEST1', version: 3, compat: 1, readOnlyCompat: 0, incompat: 0 };
    expect(putPreamble(target, 13, { ...written, databaseUuid })).toBe(13 + PREAMBLE_BYTES);
    expect(readPreamble(target.subarray(13), known)).toEqual({ ...written, databaseUuid });
    expect(target.subarray(0, 13).every((byte) => byte === 0xee)).toBe(true);
    expect(target.subarray(13 + PREAMBLE_BYTES).every((byte) => byte === 0xee)).toBe(true);
  });

  it('refuses every flipped bit', () => {
    const bytes = encode();
    for (let bit = 0; bit < PREAMBLE_BYTES * 8; bit++) {
      bytes[bit >> 3] ^= 1 << (bit & 7);
      const expected = bit < 64 ? 'FORMAT_BAD_MAGIC' : 'FORMAT_BAD_CHECKSUM';
      expect(refusal(() => readPreamble(bytes, known)).code).toBe(expected);
      bytes[bit >> 3] ^= 1 << (bit & 7);
    }
    expect(readPreamble(bytes, known).version).toBe(1);
  });

  it('refuses every truncation and a page of zeros', () => {
    for (let length = 0; length < PREAMBLE_BYTES; length++) {
      expect(refusal(() => readPreamble(encode().subarray(0, length), known)).code).toBe(
        'FORMAT_TRUNCATED',
      );
    }
    expect(refusal(() => readPreamble(new Uint8Array(4096), known)).code).toBe('FORMAT_BAD_MAGIC');
  });

  it('R6: reads an older version, refuses a newer one and says what to do', () => {
    for (const version of [1, 2, 3]) {
      expect(readPreamble(encode({ version }), known).version).toBe(version);
    }
    const error = refusal(() => readPreamble(encode({ version: 4 }), known));
    expect(error.code).toBe('FORMAT_TOO_NEW');
    expect(error.message).toMatch(/expected version 3 or older of NENTEST1, got 4: use a newer/);
  });

  it('R6: ignores unknown compat bits', () => {
    const compat = 0xffffffff;
    expect(readPreamble(encode({ compat }), { ...known, forWriting: true }).compat).toBe(compat);
  });

  it('R6: unknown readOnlyCompat bits allow reading and refuse writing', () => {
    const bytes = encode({ readOnlyCompat: 0b101 });
    expect(readPreamble(bytes, known).readOnlyCompat).toBe(0b101);
    const writer = { ...known, readOnlyCompat: 0b001, forWriting: true };
    const error = refusal(() => readPreamble(bytes, writer));
    expect(error.code).toBe('FORMAT_TOO_NEW');
    expect(error.message).toContain('unknown 0x00000004');
    expect(readPreamble(bytes, { ...writer, readOnlyCompat: 0b111 }).readOnlyCompat).toBe(0b101);
  });

  it('R6: unknown incompat bits refuse the file, known ones do not', () => {
    for (let bit = 0; bit < 32; bit++) {
      const incompat = (1 << bit) >>> 0;
      expect(refusal(() => readPreamble(encode({ incompat }), known)).code).toBe('FORMAT_TOO_NEW');
      expect(readPreamble(encode({ incompat }), { ...known, incompat }).incompat).toBe(incompat);
    }
  });

  it('calls another kind of file that, and not corrupt', () => {
    const error = refusal(() => readPreamble(encode({ magic: 'NENOTHER' }), known));
    expect(error.code).toBe('FORMAT_BAD_MAGIC');
    expect(error.message).toContain('"NENOTHER"');
  });

  it('refuses what no writer writes, even under a good checksum', () => {
    const resealed = (at: number, value: number): Uint8Array => {
      const bytes = encode();
      const view = new DataView(bytes.buffer);
      view.setUint32(at, value, true);
      view.setUint32(44, crc32(bytes.subarray(0, 44)), true);
      return bytes;
    };
    expect(refusal(() => readPreamble(resealed(40, 1), known)).code).toBe('FORMAT_BAD_VALUE');
    expect(refusal(() => readPreamble(resealed(8, 0), known)).code).toBe('FORMAT_BAD_VALUE');
  });

  it('refuses to write a bad magic, version, uuid or place', () => {
    expect(() => encode({ magic: 'SHORT' })).toThrow(/8 printable ASCII/);
    expect(() => encode({ magic: 'NEN TEST' })).toThrow(/8 printable ASCII/);
    expect(() => encode({ version: 0 })).toThrow(/version from 1/);
    expect(() => encode({ version: 2 ** 32 })).toThrow(RangeError);
    expect(() => encode({ databaseUuid: new Uint8Array(15) })).toThrow(/16 bytes, got 15/);
    const pool = new Uint8Array(200);
    const preamble = { magic: 'NENTEST1', version: 1, ...NO_FEATURES, databaseUuid };
    expect(() => putPreamble(pool.subarray(0, 60), 20, preamble)).toThrow(/expected room/);
    expect(pool.every((byte) => byte === 0)).toBe(true);
  });
});

import { createCipheriv, createHmac } from 'node:crypto';
import { deriveFileKey, FileCipher, TAG_BYTES } from '@nendb/codec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf, refusal } from './refusal.js';
import { seeds } from './seeds.js';

const bytes = (length: number, first: number) =>
  Uint8Array.from({ length }, (_, i) => (first + i) & 0xff);
const key = bytes(32, 0x40);
const fileId = bytes(16, 0x10);
const salt = bytes(32, 0x80);
const plaintext = new TextEncoder().encode('nothing to see here');

const cipher = (of: Partial<{ key: Uint8Array; fileId: Uint8Array; keyId: number }> = {}) =>
  new FileCipher({ key, fileId, keyId: 7, ...of });

/** Computed by an AES-256-GCM written from the standard, tables and all, that shares nothing with this one. */
const GOLDEN = 'afd4f526c8dbf39894f2df967f09ece451e6e412f9920ae2a9e558b4a75e122946cf2d';

/** The cipher as its header draws it, from the platform's parts alone. */
function sealByDocument(block: bigint, type: number, plain: Uint8Array, more: Uint8Array): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64LE(block, 0);
  const associated = Buffer.alloc(36);
  associated.set(fileId, 0);
  associated.writeUInt32LE(7, 16);
  associated.writeUInt32LE(type, 20);
  associated.writeBigUInt64LE(block, 24);
  associated.writeUInt32LE(plain.length, 32);
  const gcm = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
  gcm.setAAD(Buffer.concat([associated, more]));
  return Buffer.concat([gcm.update(plain), gcm.final(), gcm.getAuthTag()]);
}

describe('the key of a file', () => {
  it('is HKDF-SHA256 of data key, salt and purpose, by RFC 5869', () => {
    const info = 'nendb snapshot';
    const extracted = createHmac('sha256', salt).update(key).digest();
    const expanded = createHmac('sha256', extracted).update(`${info}\u0001`).digest();
    expect(Buffer.from(deriveFileKey(key, salt, info)).equals(expanded)).toBe(true);
  });

  it('differs with each of the three', () => {
    const keys = [
      deriveFileKey(key, salt, 'a'),
      deriveFileKey(key, salt, 'b'),
      deriveFileKey(key, bytes(32, 0x81), 'a'),
      deriveFileKey(bytes(32, 0x41), salt, 'a'),
    ].map((each) => Buffer.from(each).toString('hex'));
    expect(new Set(keys).size).toBe(4);
  });

  it('is refused from parts of another length', () => {
    expect(codeOf(() => deriveFileKey(key.subarray(1), salt, ''))).toBe('CRYPTO_BAD_OPTION');
    expect(refusal(() => deriveFileKey(key, salt.subarray(0, 16), '')).message).toBe(
      'expected a file salt of 32 bytes (Uint8Array), got 16 bytes',
    );
  });
});

describe('a sealed block', () => {
  it('R6: has the bytes that the format draws', () => {
    const head = bytes(20, 3);
    const sealing = cipher();
    const blocks = [0, 1, 0xffffffff, 2 ** 32, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER];
    for (const block of blocks) {
      const sealed = sealing.seal(block, 0x102, plaintext, head);
      expect(sealed.length).toBe(plaintext.length + TAG_BYTES);
      expect(sealByDocument(BigInt(block), 0x102, plaintext, head).equals(sealed)).toBe(true);
    }
    const bare = cipher().seal(9, 0, new Uint8Array(0));
    expect(sealByDocument(9n, 0, new Uint8Array(0), new Uint8Array(0)).equals(bare)).toBe(true);
  });

  it('R6: is this, for ever', () => {
    const sealed = cipher().seal(3, 1, plaintext, bytes(4, 0xf0));
    expect(Buffer.from(sealed).toString('hex')).toBe(GOLDEN);
  });

  it('shows nothing of its contents', () => {
    const sealing = cipher();
    const seen = new Set<string>();
    for (let block = 0; block < 100; block++) {
      const sealed = Buffer.from(sealing.seal(block, 1, new Uint8Array(32)));
      seen.add(sealed.toString('hex', 0, 32));
      expect(sealed.includes(Buffer.alloc(4))).toBe(false);
    }
    expect(seen.size).toBe(100);
  });

  it('opens at its place alone: file, key, block, type, header', () => {
    const head = bytes(20, 3);
    const sealed = cipher().seal(5, 2, plaintext, head);
    expect(cipher().open(5, 2, sealed, head)).toEqual(plaintext);
    const wrong: [string, () => unknown][] = [
      ['block', () => cipher().open(6, 2, sealed, head)],
      ['high block', () => cipher().open(5 + 2 ** 32, 2, sealed, head)],
      ['type', () => cipher().open(5, 3, sealed, head)],
      ['file', () => cipher({ fileId: bytes(16, 0x11) }).open(5, 2, sealed, head)],
      ['key id', () => cipher({ keyId: 8 }).open(5, 2, sealed, head)],
      ['key', () => cipher({ key: bytes(32, 0x41) }).open(5, 2, sealed, head)],
      ['header', () => cipher().open(5, 2, sealed, bytes(20, 4))],
      ['header cut', () => cipher().open(5, 2, sealed, head.subarray(1))],
      ['no header', () => cipher().open(5, 2, sealed)],
    ];
    for (const [what, run] of wrong) expect(codeOf(run), what).toBe('CRYPTO_BAD_TAG');
    expect(refusal(wrong[0][1]).message).toMatch(
      /block 6 of type 2 .* key is wrong, or .*tampered/,
    );
  });

  it('is refused with any bit flipped, at any truncation, with anything appended', () => {
    const sealed = cipher().seal(5, 2, plaintext);
    const opening = cipher();
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Uint8Array.from(sealed);
      changed[bit >> 3] ^= 1 << (bit & 7);
      expect(
        codeOf(() => opening.open(5, 2, changed)),
        `bit ${bit}`,
      ).toBe('CRYPTO_BAD_TAG');
    }
    for (let length = 0; length < sealed.length; length++) {
      const expected = length < TAG_BYTES ? 'FORMAT_TRUNCATED' : 'CRYPTO_BAD_TAG';
      expect(codeOf(() => opening.open(5, 2, sealed.subarray(0, length)))).toBe(expected);
    }
    const longer = Buffer.concat([sealed, new Uint8Array(1)]);
    expect(codeOf(() => opening.open(5, 2, longer))).toBe('CRYPTO_BAD_TAG');
    expect(opening.open(5, 2, sealed)).toEqual(plaintext);
  });

  it.each(seeds)(
    'comes back from any run of growing numbers, each at its own only (%s)',
    (_n, seed) => {
      const step = fc.record({
        gap: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 2 ** 40 })),
        type: fc.nat(3),
        plain: fc.uint8Array({ maxLength: 80 }),
      });
      fc.assert(
        fc.property(fc.array(step, { minLength: 2, maxLength: 8 }), (steps) => {
          const sealing = cipher();
          let block = -1;
          const sealed = steps.map(({ gap, type, plain }) => {
            block += gap;
            return { block, type, plain, bytes: sealing.seal(block, type, plain) };
          });
          const opening = cipher();
          for (const a of sealed) {
            for (const b of sealed) {
              if (a === b) expect(opening.open(a.block, a.type, b.bytes)).toEqual(b.plain);
              else
                expect(codeOf(() => opening.open(a.block, a.type, b.bytes))).toBe('CRYPTO_BAD_TAG');
            }
          }
        }),
        { seed, numRuns: 25 },
      );
    },
  );
});

describe('nonces', () => {
  it('are never used twice: numbers that do not grow are refused', () => {
    const sealing = cipher();
    sealing.seal(10, 1, plaintext);
    for (const block of [10, 9, 0]) {
      const error = refusal(() => sealing.seal(block, 2, plaintext));
      expect(error.code).toBe('CRYPTO_NONCE_REUSE');
      expect(error.message).toContain('expected a block above 10');
    }
    expect(sealing.seal(11, 1, plaintext).length).toBe(plaintext.length + TAG_BYTES);
  });

  it('R14: a cipher derived anew, with a salt of its own, has other ciphertext for the same block', () => {
    const dataKey = { id: 1, key };
    const sealed = [salt, bytes(32, 0x90)].map((of) =>
      FileCipher.derive({ dataKey, salt: of, info: 'x', fileId }).seal(0, 1, plaintext),
    );
    expect(sealed[0]).not.toEqual(sealed[1]);
    const again = FileCipher.derive({ dataKey, salt, info: 'x', fileId });
    expect(again.keyId).toBe(1);
    expect(again.open(0, 1, sealed[0])).toEqual(plaintext);
  });
});

describe('options', () => {
  it('that cannot be are refused', () => {
    const wrong: (() => unknown)[] = [
      () => cipher({ key: bytes(16, 0) }),
      () => cipher({ fileId: bytes(15, 0) }),
      () => cipher({ keyId: -1 }),
      () => cipher({ keyId: 2 ** 32 }),
      () => cipher({ keyId: 0.5 }),
      () => cipher().seal(-1, 0, plaintext),
      () => cipher().seal(2 ** 53, 0, plaintext),
      () => cipher().seal(1.5, 0, plaintext),
      () => cipher().seal(0, 2 ** 32, plaintext),
      () => cipher().open(0, -1, new Uint8Array(16)),
    ];
    for (const run of wrong) expect(codeOf(run)).toBe('CRYPTO_BAD_OPTION');
  });

  it('a key is copied: what becomes of the buffer does not matter', () => {
    const own = Uint8Array.from(key);
    const sealing = cipher({ key: own });
    own.fill(0);
    expect(cipher().open(0, 1, sealing.seal(0, 1, plaintext))).toEqual(plaintext);
  });

  it('a cipher that was disposed of refuses everything', () => {
    const sealed = cipher().seal(0, 1, plaintext);
    const gone = cipher();
    gone.dispose();
    expect(codeOf(() => gone.seal(0, 1, plaintext))).toBe('CRYPTO_DISPOSED');
    expect(codeOf(() => gone.open(0, 1, sealed))).toBe('CRYPTO_DISPOSED');
  });
});

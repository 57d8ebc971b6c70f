import { createCipheriv, createHmac } from 'node:crypto';
import {
  crc32,
  dataKeysOf,
  deriveFileKey,
  type Encryption,
  KEYRING_KEYS_MAX,
  Keyring,
  PLAIN_KEY_ID,
} from '@nendb/codec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf, refusal } from './refusal.js';
import { seeds } from './seeds.js';

const HEAD_BYTES = 100;
const ENTRY_BYTES = 72;
const masterKey = new Uint8Array(32).fill(0xa1);
const otherKey = new Uint8Array(32).fill(0xa2);
const databaseUuid = Uint8Array.from({ length: 16 }, (_, i) => 0x60 + i);

/** Random bytes that are the same in every run, and a record of what was given out. */
class Dice {
  readonly given: Uint8Array[] = [];
  #state: number;
  constructor(seed = 1) {
    this.#state = seed;
  }
  fill(target: Uint8Array): void {
    for (let i = 0; i < target.length; i++) {
      this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
      target[i] = this.#state >>> 24;
    }
    this.given.push(Uint8Array.from(target));
  }
}

function ringOf(keys: number, random = new Dice()): Keyring {
  const ring = Keyring.create(masterKey, random, { createdAtMs: 1000, databaseUuid });
  for (let i = 1; i < keys; i++) ring.add(random, 1000 + i);
  return ring;
}

/** All keys in the clear, by id. */
function keysOf(ring: Keyring): Record<number, string> {
  return Object.fromEntries(
    ring.entries.map(({ id }) => [id, Buffer.from(ring.key(id)).toString('hex')]),
  );
}

/** `bytes` with good checksums again, as somebody who tampers would leave them. */
function resealed(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(crc32(copy.subarray(0, 44)), 44);
  copy.writeUInt32LE(crc32(copy.subarray(0, copy.length - 4)), copy.length - 4);
  return copy;
}

describe('a keyring', () => {
  it('gives back its keys', () => {
    const ring = ringOf(3);
    const again = Keyring.decode(ring.encode(), masterKey);
    expect(again.databaseUuid).toEqual(databaseUuid);
    expect(again.entries).toEqual([
      { id: 1, createdAtMs: 1000 },
      { id: 2, createdAtMs: 1001 },
      { id: 3, createdAtMs: 1002 },
    ]);
    expect(keysOf(again)).toEqual(keysOf(ring));
    expect(again.active).toEqual({ id: 3, key: ring.key(3) });
    expect(again.encode()).toEqual(ring.encode());
  });

  it('has one key when it is made, and a new active one with each that is added', () => {
    const random = new Dice();
    const ring = Keyring.create(masterKey, random, { createdAtMs: 5 });
    expect(ring.databaseUuid).toEqual(new Uint8Array(16));
    expect(ring.active.id).toBe(1);
    const first = Uint8Array.from(ring.key(1));
    const added = ring.add(random, 6);
    expect(ring.active).toEqual(added);
    expect(added.id).toBe(2);
    expect(ring.key(1)).toEqual(first);
    expect(added.key).not.toEqual(first);
  });

  it('goes on counting where it left off', () => {
    const ring = Keyring.decode(ringOf(2).encode(), masterKey);
    expect(ring.add(new Dice(5), 9).id).toBe(3);
    expect(keysOf(Keyring.decode(ring.encode(), masterKey))).toEqual(keysOf(ring));
  });

  it('R6: has the bytes that its document draws', () => {
    const random = new Dice();
    const ring = ringOf(2, random);
    const [salt, key1, nonce1, key2, nonce2] = random.given;
    const derive = (purpose: string) => deriveFileKey(masterKey, salt, `nendb keyring ${purpose}`);
    const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
    const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
    const entry = (id: number, createdAtMs: number, key: Uint8Array, nonce: Uint8Array) => {
      const gcm = createCipheriv('aes-256-gcm', derive('wrap'), nonce, { authTagLength: 16 });
      gcm.setAAD(Buffer.concat([u32(id), u64(createdAtMs), databaseUuid]));
      const wrapped = Buffer.concat([gcm.update(key), gcm.final()]);
      return Buffer.concat([u32(id), u64(createdAtMs), nonce, wrapped, gcm.getAuthTag()]);
    };
    const start = [Buffer.from('NENKEYRG'), u32(1), u32(0), u32(0), u32(0), databaseUuid, u32(0)];
    const preamble = Buffer.concat(start);
    const authenticated = Buffer.concat([
      ...[preamble, u32(crc32(preamble)), salt, derive('check').subarray(0, 16), u32(2)],
      ...[entry(1, 1000, key1, nonce1), entry(2, 1001, key2, nonce2)],
    ]);
    const mac = createHmac('sha256', derive('mac')).update(authenticated).digest();
    const body = Buffer.concat([authenticated, mac]);
    expect(Buffer.concat([body, u32(crc32(body))]).equals(ring.encode())).toBe(true);
    expect(ring.encode().length).toBe(208 + 72);
  });

  it('shows no key in its bytes', () => {
    const ring = ringOf(4);
    const encoded = Buffer.from(ring.encode());
    for (const { id } of ring.entries)
      expect(encoded.includes(Buffer.from(ring.key(id)))).toBe(false);
    expect(encoded.includes(Buffer.from(masterKey.subarray(0, 8)))).toBe(false);
  });

  it.each(seeds)(
    'stays whole through any run of additions, rewraps and reloads (%s)',
    (_n, seed) => {
      const step = fc.constantFrom('add', 'rewrap', 'reload', 'encode');
      fc.assert(
        fc.property(fc.array(step, { maxLength: 12 }), fc.nat(), (steps, dice) => {
          const random = new Dice(dice);
          let master: Uint8Array = masterKey;
          let ring = Keyring.create(master, random, { createdAtMs: 1 });
          const known = keysOf(ring);
          for (const each of steps) {
            if (each === 'add') {
              const { id, key } = ring.add(random, 2);
              known[id] = Buffer.from(key).toString('hex');
            } else if (each === 'rewrap') {
              master = new Uint8Array(32);
              random.fill(master);
              ring.rewrap(master, random);
            } else if (each === 'reload') ring = Keyring.decode(ring.encode(), master);
            else expect(ring.encode()).toEqual(ring.encode());
            expect(keysOf(ring)).toEqual(known);
            expect(ring.active.id).toBe(Object.keys(known).length);
          }
        }),
        { seed, numRuns: 25 },
      );
    },
  );

  it('has a limit', () => {
    const ring = ringOf(KEYRING_KEYS_MAX);
    expect(refusal(() => ring.add(new Dice(), 1)).message).toMatch(
      /at most 4096 keys, got one more/,
    );
    const again = Keyring.decode(ring.encode(), masterKey);
    expect(again.active.id).toBe(KEYRING_KEYS_MAX);
    expect(again.key(1)).toEqual(ring.key(1));
  });
});

describe('another master key', () => {
  it('is told from damage', () => {
    const encoded = ringOf(2).encode();
    const error = refusal(() => Keyring.decode(encoded, otherKey));
    expect(error.code).toBe('CRYPTO_WRONG_KEY');
    expect(error.message).toContain('not damaged');
    const damaged = Uint8Array.from(encoded);
    damaged[150] ^= 1;
    expect(codeOf(() => Keyring.decode(damaged, otherKey))).toBe('FORMAT_BAD_CHECKSUM');
    expect(codeOf(() => Keyring.decode(damaged, masterKey))).toBe('FORMAT_BAD_CHECKSUM');
  });

  it('takes over by wrapping the same keys anew', () => {
    const ring = ringOf(3);
    const before = ring.encode();
    const keys = keysOf(ring);
    ring.rewrap(otherKey, new Dice(9));
    const after = ring.encode();
    expect(keysOf(Keyring.decode(after, otherKey))).toEqual(keys);
    expect(codeOf(() => Keyring.decode(after, masterKey))).toBe('CRYPTO_WRONG_KEY');
    expect(keysOf(Keyring.decode(before, masterKey))).toEqual(keys);
    for (let from = HEAD_BYTES; from < after.length - 36; from += ENTRY_BYTES) {
      const wrapped = (bytes: Uint8Array) => bytes.subarray(from + 12, from + ENTRY_BYTES);
      expect(wrapped(after)).not.toEqual(wrapped(before));
    }
    ring.add(new Dice(10), 7);
    expect(Keyring.decode(ring.encode(), otherKey).active).toEqual(ring.active);
  });
});

describe('damage', () => {
  it('any flipped bit is refused', () => {
    const encoded = ringOf(2).encode();
    for (let bit = 0; bit < encoded.length * 8; bit++) {
      encoded[bit >> 3] ^= 1 << (bit & 7);
      const expected = bit < 64 ? 'FORMAT_BAD_MAGIC' : 'FORMAT_BAD_CHECKSUM';
      expect(
        codeOf(() => Keyring.decode(encoded, masterKey)),
        `bit ${bit}`,
      ).toBe(expected);
      encoded[bit >> 3] ^= 1 << (bit & 7);
    }
    expect(Keyring.decode(encoded, masterKey).active.id).toBe(2);
  });

  it('every truncation is refused, and anything appended', () => {
    const encoded = ringOf(2).encode();
    for (let length = 0; length < encoded.length; length++) {
      const code = codeOf(() => Keyring.decode(encoded.subarray(0, length), masterKey));
      expect(code, `cut to ${length}`).toMatch(/^FORMAT_(TRUNCATED|BAD_CHECKSUM)$/);
    }
    for (const more of [1, 4, ENTRY_BYTES]) {
      const longer = Buffer.concat([encoded, new Uint8Array(more)]);
      expect(codeOf(() => Keyring.decode(longer, masterKey))).toBe('FORMAT_BAD_CHECKSUM');
    }
  });

  it('R6: a newer version is called that', () => {
    const encoded = Buffer.from(ringOf(1).encode());
    encoded.writeUInt32LE(2, 8);
    expect(codeOf(() => Keyring.decode(resealed(encoded), masterKey))).toBe('FORMAT_TOO_NEW');
  });
});

describe('tampering under good checksums', () => {
  it('is refused in every byte', () => {
    const encoded = ringOf(2).encode();
    const codes = new Map<string, number>();
    for (let at = 8; at < encoded.length - 4; at++) {
      // The preamble's own checksum is made good again, whatever was put there.
      if (at >= 44 && at < 48) continue;
      const changed = Uint8Array.from(encoded);
      changed[at] ^= 0x10;
      const code = codeOf(() => Keyring.decode(resealed(changed), masterKey));
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (at >= 48 && at < 96) expect(code).toBe('CRYPTO_WRONG_KEY');
      if (at >= HEAD_BYTES + 12 && at < HEAD_BYTES + ENTRY_BYTES)
        expect(code).toBe('CRYPTO_BAD_TAG');
    }
    expect(codes.get('CRYPTO_BAD_TAG')).toBeGreaterThan(150);
  });

  it('is refused for keys left out, put in another order, or taken from an older ring', () => {
    const random = new Dice();
    const ring = ringOf(3, random);
    const encoded = ring.encode();
    const entry = (bytes: Uint8Array, i: number) =>
      bytes.subarray(HEAD_BYTES + i * ENTRY_BYTES, HEAD_BYTES + (i + 1) * ENTRY_BYTES);
    const build = (...entries: Uint8Array[]) => {
      const head = Buffer.from(encoded.subarray(0, HEAD_BYTES));
      head.writeUInt32LE(entries.length, 96);
      return resealed(Buffer.concat([head, ...entries, encoded.subarray(-36)]));
    };
    const [a, b, c] = [0, 1, 2].map((i) => entry(encoded, i));
    expect(keysOf(Keyring.decode(build(a, b, c), masterKey))).toEqual(keysOf(ring));
    expect(codeOf(() => Keyring.decode(build(a, b), masterKey))).toBe('CRYPTO_BAD_TAG');
    expect(codeOf(() => Keyring.decode(build(b, c), masterKey))).toBe('CRYPTO_BAD_TAG');
    expect(codeOf(() => Keyring.decode(build(b, a, c), masterKey))).toBe('FORMAT_BAD_VALUE');
    expect(codeOf(() => Keyring.decode(build(a, b, b), masterKey))).toBe('FORMAT_BAD_VALUE');
    const wrong = Buffer.from(build(a, b, c));
    for (const count of [0, 2, 4, 0xffffffff]) {
      wrong.writeUInt32LE(count, 96);
      expect(codeOf(() => Keyring.decode(resealed(wrong), masterKey))).toBe('FORMAT_BAD_VALUE');
    }
    ring.rewrap(masterKey, random);
    const older = Buffer.concat([ring.encode().subarray(0, HEAD_BYTES), a, b, c]);
    const grafted = resealed(Buffer.concat([older, ring.encode().subarray(-36)]));
    expect(codeOf(() => Keyring.decode(grafted, masterKey))).toBe('CRYPTO_BAD_TAG');
  });
});

describe('keys', () => {
  it('that are not there are named', () => {
    const ring = ringOf(2);
    const error = refusal(() => ring.key(9));
    expect(error.code).toBe('CRYPTO_UNKNOWN_KEY');
    expect(error.message).toContain('one of the keys 1, 2 of this keyring, got 9');
    expect(refusal(() => ring.key(PLAIN_KEY_ID)).message).toContain('with a single key');
  });

  it('are zeroed when the ring is disposed of, which then refuses everything', () => {
    const ring = ringOf(2);
    const borrowed = [ring.key(1), ring.active.key];
    ring.dispose();
    for (const key of borrowed) expect(key).toEqual(new Uint8Array(32));
    const uses = [
      () => ring.active,
      () => ring.key(1),
      () => ring.encode(),
      () => ring.add(new Dice(), 1),
      () => ring.rewrap(masterKey, new Dice()),
    ];
    for (const use of uses) expect(codeOf(use)).toBe('CRYPTO_DISPOSED');
  });

  it('of another length are refused, and other options that cannot be', () => {
    const short = new Uint8Array(31);
    const origin = { createdAtMs: 1 };
    const wrong: (() => unknown)[] = [
      () => Keyring.create(short, new Dice(), origin),
      () => Keyring.create(masterKey, new Dice(), { createdAtMs: -1 }),
      () => Keyring.create(masterKey, new Dice(), { ...origin, databaseUuid: short }),
      () => Keyring.decode(ringOf(1).encode(), short),
      () => ringOf(1).add(new Dice(), Number.NaN),
      () => ringOf(1).rewrap(short, new Dice()),
    ];
    for (const run of wrong) expect(codeOf(run)).toBe('CRYPTO_BAD_OPTION');
  });
});

describe('the encryption option', () => {
  it('as one key is a ring of one, whose id no keyring has', () => {
    const keys = dataKeysOf({ key: masterKey });
    expect(keys.active).toEqual({ id: PLAIN_KEY_ID, key: masterKey });
    expect(keys.key(PLAIN_KEY_ID)).toBe(masterKey);
    expect(refusal(() => keys.key(1)).message).toContain('give the keyring');
  });

  it('as a keyring follows it', () => {
    const ring = ringOf(1);
    const keys = dataKeysOf({ keyring: ring });
    expect(keys.active.id).toBe(1);
    ring.add(new Dice(3), 5);
    expect(keys.active.id).toBe(2);
    expect(keys.key(1)).toBe(ring.key(1));
  });

  it('is refused as anything else', () => {
    for (const wrong of [undefined, null, {}, { key: 'secret' }, { key: new Uint8Array(16) }]) {
      expect(codeOf(() => dataKeysOf(wrong as unknown as Encryption))).toBe('CRYPTO_BAD_OPTION');
    }
    const bytes = { keyring: ringOf(1).encode() } as unknown as Encryption;
    expect(refusal(() => dataKeysOf(bytes)).message).toContain('see Keyring.decode');
  });
});

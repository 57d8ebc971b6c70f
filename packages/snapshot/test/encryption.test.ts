import { crc32, type Encryption, Keyring } from '@nendb/codec';
import { Snapshot, type SnapshotWriteOptions } from '@nendb/snapshot';
import type { Vfs } from '@nendb/vfs';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { BLOCK_HEADER_BYTES, HEAD_BYTES_MAX } from '../src/format.js';
import { BLOCK_BYTES_MAX } from '../src/limits.js';
import {
  BAK,
  bytesOf,
  codeOf,
  contents,
  DIR,
  header,
  loadedNumber,
  NEWEST,
  putFile,
  readFile,
  refusal,
  uuid,
  write,
} from './fixture.js';
import { encryption, key, noise, otherKey } from './modes.js';

const FOOTER_BYTES = 56;
const BLOCK_TAG_BYTES = 16;
const masterKey = new Uint8Array(32).fill(0x77);

async function machine(work: (sim: SimVfs) => Promise<void>): Promise<void> {
  const sim = new SimVfs({ record: false });
  await sim.run(() => work(sim));
  sim.assertClean();
}

/** Makes every checksum of an encrypted image good again, as somebody who tampers would. */
function resealed(image: Uint8Array): Buffer {
  const bytes = Buffer.from(image);
  const put = (at: number, from: number, seed: number) => {
    bytes.writeUInt32LE(crc32(bytes.subarray(from, at), seed), at);
    return bytes.readUInt32LE(at);
  };
  put(44, 0, 0);
  let chain = put(148, 96, put(92, 0, 0));
  const seed = crc32(bytes.subarray(48, 64));
  const footerAt = bytes.length - FOOTER_BYTES;
  for (let at = HEAD_BYTES_MAX; at < footerAt; ) {
    const end = at + BLOCK_HEADER_BYTES + (bytes.readUInt32LE(at + 4) & 0xffffff);
    bytes.writeUInt32LE(crc32(bytes.subarray(at + BLOCK_HEADER_BYTES, end)), at + 8);
    put(at + 12, at, seed);
    chain = crc32(bytes.subarray(at + 12, at + 16), chain);
    at = end;
  }
  bytes.writeUInt32LE(chain, footerAt + 28);
  put(bytes.length - 4, footerAt, seed);
  return bytes;
}

/** What loading the newest image comes to; a fall-back to the `.bak` is never right here. */
async function loading(vfs: Vfs, of: Encryption | undefined = encryption): Promise<string> {
  try {
    const image = await Snapshot.load(DIR, { vfs, uuid, ...(of && { encryption: of }) });
    return image?.source ?? 'nothing';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('an encrypted image', () => {
  it('comes back with its key, and says which one', () =>
    machine(async (sim) => {
      const data = noise(700_000);
      const info = await write(sim, 1, { chunks: [data], encryption });
      expect(info.keyId).toBe(0);
      const image = await Snapshot.load(DIR, { vfs: sim, uuid, encryption });
      expect(image?.info).toEqual(info);
      expect((await bytesOf(image!)).equals(data)).toBe(true);
      expect(info.fileBytes).toBe((await readFile(sim, NEWEST)).length);
      expect(info.payloadBytes).toBe(data.length);
    }));

  it('shows nothing of its contents, and no two are alike', () =>
    machine(async (sim) => {
      const data = Buffer.alloc(4096, 'a secret that is easy to find ');
      await write(sim, 1, { chunks: [data], encryption });
      const first = Buffer.from(await readFile(sim, NEWEST));
      await write(sim, 1, { chunks: [data], encryption });
      const second = Buffer.from(await readFile(sim, NEWEST));
      for (const bytes of [first, second]) {
        expect(bytes.includes('secret')).toBe(false);
        expect(bytes.includes(Buffer.from(key))).toBe(false);
      }
      expect(first.subarray(100, 132).equals(second.subarray(100, 132))).toBe(false);
      const body = (bytes: Buffer) => bytes.subarray(HEAD_BYTES_MAX + 16, HEAD_BYTES_MAX + 4112);
      expect(body(first).equals(body(second))).toBe(false);
    }));

  it('keeps to the limit of a block, at every length around it', () =>
    machine(async (sim) => {
      const most = BLOCK_BYTES_MAX - BLOCK_HEADER_BYTES - BLOCK_TAG_BYTES;
      for (const length of [0, 1, most - 1, most, most + 1]) {
        await write(sim, 1, { chunks: [contents(1, length)], encryption });
        expect(await loadedNumber(sim, length, { encryption })).toBe(1);
      }
    }));

  it('is listed, inspected and verified without a key, and verified with one', () =>
    machine(async (sim) => {
      await write(sim, 1, { encryption });
      const info = await write(sim, 2, { encryption });
      expect((await Snapshot.list(DIR, { vfs: sim }))[0]).toEqual(info);
      const states = async (of?: Encryption) => {
        const options = { vfs: sim, ...(of && { encryption: of }) };
        const looks = [await Snapshot.inspect(DIR, options), await Snapshot.verify(DIR, options)];
        return looks.flatMap((reports) => reports.map(({ state }) => state));
      };
      expect(await states()).toEqual(Array(4).fill('valid'));
      expect(await states(encryption)).toEqual(Array(4).fill('valid'));
      expect(await states({ key: otherKey })).toEqual(Array(4).fill('wrong-key'));
    }));
});

describe('a key that does not fit', () => {
  it('is told from damage, and the older image is not used instead', () =>
    machine(async (sim) => {
      await write(sim, 1, { encryption: { key: otherKey } });
      await write(sim, 2, { encryption });
      const error = await refusal(Snapshot.load(DIR, { vfs: sim, encryption: { key: otherKey } }));
      expect(error.code).toBe('SNAPSHOT_WRONG_KEY');
      expect(error.message).toMatch(
        /^nendb\.snapshot is not for this key at offset 0: .* tampered with$/,
      );
      const bytes = await readFile(sim, NEWEST);
      bytes[200] ^= 1;
      await putFile(sim, NEWEST, bytes);
      expect(await loading(sim)).toBe('SNAPSHOT_WRONG_KEY');
      expect(await loading(sim, { key: otherKey })).toBe('SNAPSHOT_WRONG_KEY');
    }));

  it('does not keep the next image from being written', () =>
    machine(async (sim) => {
      await write(sim, 1, { encryption: { key: otherKey } });
      await write(sim, 2, { encryption });
      expect(await loading(sim)).toBe('newest');
      expect((await Snapshot.list(DIR, { vfs: sim })).map(({ header }) => header.lsn)).toEqual([
        20, 10,
      ]);
    }));

  it('R5: plaintext in place of ciphertext is refused, and the reverse', () =>
    machine(async (sim) => {
      await write(sim, 1, { encryption });
      const sealed = await readFile(sim, NEWEST);
      await write(sim, 2);
      const clear = await refusal(Snapshot.load(DIR, { vfs: sim, encryption }));
      expect(clear.code).toBe('SNAPSHOT_NOT_ENCRYPTED');
      expect(clear.message).toContain('expected an encrypted image, got one in the clear');
      expect(
        (await Snapshot.verify(DIR, { vfs: sim, encryption })).map(({ state }) => state),
      ).toEqual(['not-encrypted', 'valid']);
      await putFile(sim, NEWEST, sealed);
      const none = await refusal(Snapshot.load(DIR, { vfs: sim }));
      expect(none.code).toBe('SNAPSHOT_NO_KEY');
      expect(none.message).toContain('encrypted with key 0: give `encryption`');
      await sim.unlink(NEWEST);
      await putFile(sim, BAK, sealed);
      expect(await loading(sim)).toBe('bak');
      await putFile(sim, BAK, sealed.subarray(0, 40));
      expect(await loading(sim)).toBe('SNAPSHOT_CORRUPT');
    }));
});

describe('tampering under good checksums', () => {
  /** One block in the middle of three, and the places that matter. */
  async function tampered(
    change: (bytes: Buffer, blockAt: number[]) => Uint8Array | undefined,
  ): Promise<string> {
    let outcome = '';
    await machine(async (sim) => {
      const size = BLOCK_BYTES_MAX - 32;
      await write(sim, 1, { encryption });
      await write(sim, 2, { chunks: [noise(2 * size + 100)], encryption, compression: 'deflate' });
      const bytes = Buffer.from(await readFile(sim, NEWEST));
      expect(resealed(bytes).equals(bytes)).toBe(true);
      const blocks = [0, 1, 2].map((i) => HEAD_BYTES_MAX + i * BLOCK_BYTES_MAX);
      await putFile(sim, NEWEST, resealed(change(bytes, blocks) ?? bytes));
      outcome = await loading(sim);
      // A look that has no key finds nothing to say against it.
      if (outcome === 'SNAPSHOT_WRONG_KEY') {
        expect((await Snapshot.verify(DIR, { vfs: sim })).map(({ state }) => state)).toEqual([
          'valid',
          'valid',
        ]);
      }
    });
    return outcome;
  }

  it.each<[string, (bytes: Buffer, blockAt: number[]) => Uint8Array | undefined]>([
    ['the LSN', (bytes) => void bytes.writeUInt32LE(19, 64)],
    ['the epoch', (bytes) => void bytes.writeUInt32LE(9, 72)],
    ['the time', (bytes) => void bytes.writeUInt32LE(9, 80)],
    ['the image uuid', (bytes) => void bytes.writeUInt32LE(9, 48)],
    ['a feature bit that is ignored', (bytes) => void bytes.writeUInt32LE(1, 12)],
    ['the salt', (bytes) => void bytes.writeUInt32LE(9, 100)],
    ['the key id', (bytes) => void bytes.writeUInt32LE(1, 96)],
    ['the tag of the head', (bytes) => void bytes.writeUInt32LE(9, 132)],
    ['a byte of a block', (bytes, [, b]) => void bytes.writeUInt8(bytes[b + 20] ^ 1, b + 20)],
    ['the tag of a block', (bytes, [, , c]) => void bytes.writeUInt8(bytes[c - 1] ^ 1, c - 1)],
    ['the compression of a block', (bytes, [a]) => void bytes.writeUInt8(1, a + 7)],
    [
      'the tag of the footer',
      (bytes) => void bytes.writeUInt8(bytes.at(-8)! ^ 1, bytes.length - 8),
    ],
    [
      'two blocks that changed places',
      (bytes, [a, b, c]) => {
        const swapped = Buffer.from(bytes);
        bytes.copy(swapped, a, b, c);
        bytes.copy(swapped, b, a, b);
        swapped.writeUInt32LE(0, a);
        swapped.writeUInt32LE(1, b);
        return swapped;
      },
    ],
    [
      'a block left out',
      (bytes, [, , c]) => {
        const end = bytes.length - FOOTER_BYTES;
        const cut = Buffer.concat([bytes.subarray(0, c), bytes.subarray(end)]);
        const footerAt = cut.length - FOOTER_BYTES;
        cut.writeUInt32LE(2, footerAt + 24);
        cut.writeUInt32LE(cut.length, footerAt + 16);
        cut.writeUInt32LE(2 * (BLOCK_BYTES_MAX - 32), footerAt + 8);
        return cut;
      },
    ],
  ])('%s is a wrong key, never damage, and no reason to load the .bak', async (_what, change) => {
    expect(await tampered(change)).toBe('SNAPSHOT_WRONG_KEY');
  });

  it('between loading and streaming is told from damage too', () =>
    machine(async (sim) => {
      await write(sim, 1, { encryption });
      const image = await Snapshot.load(DIR, { vfs: sim, encryption });
      const bytes = await readFile(sim, NEWEST);
      bytes[HEAD_BYTES_MAX + 20] ^= 1;
      await putFile(sim, NEWEST, resealed(bytes));
      expect(await codeOf(bytesOf(image!))).toBe('SNAPSHOT_WRONG_KEY');
      const again = await Snapshot.load(DIR, { vfs: sim, encryption }).catch(() => undefined);
      expect(again).toBeUndefined();
    }));
});

describe('a keyring', () => {
  it('R4: images of every key stay loadable as keys rotate and the master key changes', () =>
    machine(async (sim) => {
      let ring = Keyring.create(masterKey, sim.random, { createdAtMs: 1 });
      const ids: (number | undefined)[] = [];
      for (let n = 1; n <= 4; n++) {
        if (n > 1) ring.add(sim.random, n);
        ids.push((await write(sim, n, { encryption: { keyring: ring }, keep: 3 })).keyId);
      }
      expect(ids).toEqual([1, 2, 3, 4]);
      ring.rewrap(otherKey, sim.random);
      ring = Keyring.decode(ring.encode(), otherKey);
      const reports = await Snapshot.verify(DIR, { vfs: sim, encryption: { keyring: ring } });
      expect(reports.map(({ state, info }) => [state, info?.keyId])).toEqual([
        ['valid', 4],
        ['valid', 3],
        ['valid', 2],
        ['valid', 1],
      ]);
      expect(await loadedNumber(sim, undefined, { encryption: { keyring: ring } })).toBe(4);
    }));

  it('that lacks the key is a wrong key, by name', () =>
    machine(async (sim) => {
      const ring = Keyring.create(masterKey, sim.random, { createdAtMs: 1 });
      const older = Keyring.decode(ring.encode(), masterKey);
      ring.add(sim.random, 2);
      await write(sim, 1, { encryption: { keyring: ring } });
      const error = await refusal(Snapshot.load(DIR, { vfs: sim, encryption: { keyring: older } }));
      expect(error.code).toBe('SNAPSHOT_WRONG_KEY');
      expect(error.message).toContain('one of the keys 1 of this keyring, got 2');
      expect(await loading(sim, encryption)).toBe('SNAPSHOT_WRONG_KEY');
    }));
});

describe('options', () => {
  it('that cannot be are refused before anything is written', () =>
    machine(async (sim) => {
      const gone = Keyring.create(masterKey, sim.random, { createdAtMs: 1 });
      gone.dispose();
      const wrong: unknown[] = [
        {},
        { key: 'password' },
        { key: new Uint8Array(16) },
        { keyring: gone },
      ];
      for (const of of wrong) {
        const options = { encryption: of } as Pick<SnapshotWriteOptions, 'encryption'>;
        const error = await refusal(write(sim, 1, options));
        expect(error.code).toBe('SNAPSHOT_BAD_OPTION');
        expect(error.message).toMatch(/^encryption: expected /);
        expect(await codeOf(Snapshot.load(DIR, { vfs: sim, ...options }))).toBe(
          'SNAPSHOT_BAD_OPTION',
        );
        expect(await codeOf(Snapshot.verify(DIR, { vfs: sim, ...options }))).toBe(
          'SNAPSHOT_BAD_OPTION',
        );
      }
      expect(await loadedNumber(sim)).toBe(0);
    }));

  it('a key is the caller’s own: it is neither kept nor zeroed', () =>
    machine(async (sim) => {
      const own = Uint8Array.from(otherKey);
      await write(sim, 1, { encryption: { key: own } });
      expect(own).toEqual(otherKey);
      const image = await Snapshot.load(DIR, { vfs: sim, encryption: { key: own } });
      expect(image?.header).toEqual(header(1));
    }));
});

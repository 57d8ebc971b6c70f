import { createCipheriv, hkdfSync } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { crc32 } from '@nendb/codec';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { BLOCK_PAYLOAD_BYTES_MAX } from '../src/format.js';
import { contents, header, NEWEST, readFile, uuid, write } from './fixture.js';
import { key, MODES, noise, records } from './modes.js';

/** What the document leaves to the writer: random bytes, and what compression made of a block. */
interface Given {
  imageUuid: Uint8Array;
  blocks: readonly Uint8Array[];
  /** Stored bytes of each block before sealing; `blocks` themselves where it is left out. */
  packed?: readonly { compression: number; bytes: Uint8Array }[];
  compressed?: boolean;
  lock?: { keyId: number; salt: Uint8Array; key: Uint8Array };
}

/** A second encoder, written from docs/formats/snapshot.md alone. */
function encodeByDocument({ imageUuid, blocks, packed, compressed, lock }: Given): Buffer {
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const u64 = (value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    return bytes;
  };
  const sealed = (seed: number, ...parts: Uint8Array[]) => {
    const bytes = Buffer.concat(parts);
    const crc = crc32(bytes, seed);
    return { crc, bytes: Buffer.concat([bytes, u32(crc)]) };
  };
  const { lsn, epoch, databaseTimeMs } = header(1);
  /** AES-256-GCM as the document says; ciphertext, then tag. */
  const gcm = (part: number, type: number, plain: Uint8Array, more: Uint8Array): Uint8Array => {
    if (lock === undefined) return plain;
    const key = hkdfSync('sha256', lock.key, lock.salt, 'nendb snapshot', 32);
    const nonce = Buffer.concat([u64(part), u32(0)]);
    const cipher = createCipheriv('aes-256-gcm', Buffer.from(key), nonce, { authTagLength: 16 });
    const place = [imageUuid, u32(lock.keyId), u32(type), u64(part), u32(plain.length)];
    cipher.setAAD(Buffer.concat([...place, more]));
    return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  };
  const nothing = new Uint8Array(0);
  const features = u32((compressed ? 1 : 0) | (lock ? 2 : 0));
  const preamble = sealed(
    0,
    Buffer.from('NENDBSNP'),
    u32(1),
    u32(0),
    u32(0),
    features,
    uuid,
    u32(0),
  );
  const head = sealed(
    0,
    ...[preamble.bytes, imageUuid, u64(lsn), u64(epoch), u64(databaseTimeMs), u32(0)],
  );
  const parts: Uint8Array[] = [head.bytes];
  let chain = head.crc;
  if (lock !== undefined) {
    const clear = Buffer.concat([head.bytes, u32(lock.keyId), lock.salt]);
    const rest = [u32(lock.keyId), lock.salt, gcm(0, 1, nothing, clear)];
    const end = sealed(head.crc, ...rest);
    parts.push(end.bytes);
    chain = end.crc;
  }
  blocks.forEach((payload, index) => {
    const { compression, bytes } = packed?.[index] ?? { compression: 0, bytes: payload };
    const stored = gcm(index + 1, 2 | (compression << 8), bytes, nothing);
    const length = u32(stored.length | (compression << 24));
    const front = sealed(crc32(imageUuid), u32(index), length, u32(crc32(stored)));
    parts.push(front.bytes, stored);
    chain = crc32(u32(front.crc), chain);
  });
  const payloadBytes = blocks.reduce((sum, { length }) => sum + length, 0);
  const fileBytes = Buffer.concat(parts).length + (lock ? 56 : 40);
  const counts = [u64(payloadBytes), u64(fileBytes), u32(blocks.length), u32(chain), u32(0)];
  const clear = Buffer.concat([Buffer.from('NENDBEND'), ...counts]);
  parts.push(sealed(crc32(imageUuid), clear, gcm(blocks.length + 1, 3, nothing, clear)).bytes);
  return Buffer.concat(parts);
}

describe('the format', () => {
  it.each([0, 1, 40, BLOCK_PAYLOAD_BYTES_MAX, 2 * BLOCK_PAYLOAD_BYTES_MAX + 3])(
    'R6: has the bytes that its document draws, with %i of payload',
    async (bytes) => {
      const sim = new SimVfs({ record: false });
      const file = await sim.run(async () => {
        await write(sim, 1, { chunks: [contents(1, bytes)] });
        return readFile(sim, NEWEST);
      });
      const blocks: Uint8Array[] = [];
      for (let from = 0; from < bytes; from += 262_128) {
        blocks.push(contents(1, bytes).subarray(from, from + 262_128));
      }
      expect(encodeByDocument({ imageUuid: file.slice(48, 64), blocks }).equals(file)).toBe(true);
    },
  );

  it.each(Object.entries(MODES))(
    'R6: has the bytes that its document draws, %s',
    async (_n, mode) => {
      const sim = new SimVfs({ record: false });
      const encrypted = mode.read.encryption !== undefined;
      const compressed = mode.write.compression === 'deflate';
      const most = encrypted ? 262_112 : 262_128;
      const blocks = [noise(most), records(1, most), noise(100)];
      const file = await sim.run(async () => {
        await write(sim, 1, { chunks: blocks, ...mode.write });
        return readFile(sim, NEWEST);
      });
      const deflated = { compression: 1, bytes: deflateRawSync(blocks[1], { level: 1 }) };
      const given: Given = {
        imageUuid: file.slice(48, 64),
        blocks,
        ...(compressed && {
          compressed,
          packed: [
            { compression: 0, bytes: blocks[0] },
            deflated,
            { compression: 0, bytes: blocks[2] },
          ],
        }),
        ...(encrypted && { lock: { keyId: 0, salt: file.slice(100, 132), key } }),
      };
      expect(encodeByDocument(given).equals(file)).toBe(true);
    },
  );

  it('gives every image a uuid of its own', async () => {
    const sim = new SimVfs({ record: false });
    const seen = await sim.run(async () => {
      const uuids: string[] = [];
      for (let n = 1; n <= 5; n++) {
        await write(sim, n);
        uuids.push(Buffer.from((await readFile(sim, NEWEST)).slice(48, 64)).toString('hex'));
      }
      return uuids;
    });
    expect(new Set(seen).size).toBe(5);
  });
});

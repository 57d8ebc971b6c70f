import { crc32 } from '@nendb/codec';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { BLOCK_PAYLOAD_BYTES_MAX } from '../src/format.js';
import { contents, header, NEWEST, readFile, uuid, write } from './fixture.js';

/** A second encoder, written from docs/formats/snapshot.md alone. */
function encodeByDocument(imageUuid: Uint8Array, blocks: readonly Uint8Array[]): Buffer {
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
  const preamble = sealed(0, Buffer.from('NENDBSNP'), u32(1), u32(0), u32(0), u32(0), uuid, u32(0));
  const head = sealed(
    0,
    ...[preamble.bytes, imageUuid, u64(lsn), u64(epoch), u64(databaseTimeMs), u32(0)],
  );
  const parts: Uint8Array[] = [head.bytes];
  let chain = head.crc;
  blocks.forEach((payload, index) => {
    const front = sealed(crc32(imageUuid), u32(index), u32(payload.length), u32(crc32(payload)));
    parts.push(front.bytes, payload);
    chain = crc32(u32(front.crc), chain);
  });
  const payloadBytes = blocks.reduce((sum, { length }) => sum + length, 0);
  const fileBytes = Buffer.concat(parts).length + 40;
  const counts = [u64(payloadBytes), u64(fileBytes), u32(blocks.length), u32(chain), u32(0)];
  parts.push(sealed(crc32(imageUuid), Buffer.from('NENDBEND'), ...counts).bytes);
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
      expect(encodeByDocument(file.slice(48, 64), blocks).equals(file)).toBe(true);
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

import { deflateRawSync } from 'node:zlib';
import { crc32 } from '@nendb/codec';
import { Snapshot, type SnapshotWriteOptions } from '@nendb/snapshot';
import { SimVfs } from '@nendb/vfs/sim';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BLOCK_PAYLOAD_BYTES_MAX,
  blockPayloadBytesMax,
  FOOTER_BYTES,
  HEAD_BYTES,
  imageBytes,
} from '../src/format.js';
import { FREE_BYTES_RESERVE } from '../src/limits.js';
import {
  bytesOf,
  codeOf,
  contents,
  DIR,
  NEWEST,
  putFile,
  readFile,
  refusal,
  uuid,
  write,
} from './fixture.js';
import { MODES, noise, records } from './modes.js';
import { seeds } from './seeds.js';

const deflate = { compression: 'deflate' } as const;

async function machine(work: (sim: SimVfs) => Promise<void>): Promise<void> {
  const sim = new SimVfs({ record: false });
  await sim.run(() => work(sim));
  sim.assertClean();
}

describe('a compressed image', () => {
  it('takes a fraction of the disk and gives back every byte', () =>
    machine(async (sim) => {
      const data = records(1, 3_000_000);
      const info = await write(sim, 1, { chunks: [data], ...deflate });
      expect(info).toMatchObject({ compressed: true, payloadBytes: data.length });
      expect(info.fileBytes).toBeLessThan(data.length / 20);
      const image = await Snapshot.load(DIR, { vfs: sim, uuid });
      expect(image?.info).toEqual(info);
      expect((await bytesOf(image!)).equals(data)).toBe(true);
    }));

  it('stores a block as it is where compression does not pay, under no compression', () =>
    machine(async (sim) => {
      const blocks = [
        noise(BLOCK_PAYLOAD_BYTES_MAX),
        records(1, BLOCK_PAYLOAD_BYTES_MAX),
        noise(500),
      ];
      const info = await write(sim, 1, { chunks: blocks, ...deflate });
      const bytes = Buffer.from(await readFile(sim, NEWEST));
      const kinds: [compression: number, length: number][] = [];
      for (let at = HEAD_BYTES; at < bytes.length - FOOTER_BYTES; ) {
        const length = bytes.readUInt32LE(at + 4) & 0xffffff;
        kinds.push([bytes.readUInt8(at + 7), length]);
        at += 16 + length;
      }
      expect(kinds).toEqual([
        [0, BLOCK_PAYLOAD_BYTES_MAX],
        [1, kinds[1][1]],
        [0, 500],
      ]);
      expect(kinds[1][1]).toBeLessThan(BLOCK_PAYLOAD_BYTES_MAX / 8);
      expect(
        bytes.subarray(HEAD_BYTES + 16, HEAD_BYTES + 16 + blocks[0].length).equals(blocks[0]),
      ).toBe(true);
      expect(info.fileBytes).toBe(bytes.length);
    }));

  it('never takes more room than one in the clear', () =>
    machine(async (sim) => {
      const info = await write(sim, 1, { chunks: [noise(600_000)], ...deflate });
      expect(info.fileBytes).toBe(imageBytes(600_000));
    }));

  it('is read with one read for many small blocks', () =>
    machine(async (sim) => {
      const blocks = 40;
      const data = records(1, blocks * BLOCK_PAYLOAD_BYTES_MAX);
      await write(sim, 1, { chunks: [data], ...deflate });
      const image = await Snapshot.load(DIR, { vfs: sim });
      const before = sim.counts.read ?? 0;
      let chunks = 0;
      for await (const chunk of image!.chunks) {
        expect(chunk.length).toBe(BLOCK_PAYLOAD_BYTES_MAX);
        chunks++;
      }
      expect(chunks).toBe(blocks);
      expect((sim.counts.read ?? 0) - before).toBeLessThan(10);
    }));

  it.each(seeds)('holds any chunks, in every mode (%s)', async (_name, seed) => {
    const edge = BLOCK_PAYLOAD_BYTES_MAX;
    const size = fc.oneof(
      fc.nat(300),
      fc.constantFrom(0, edge - 17, edge - 16, edge - 1, edge, edge + 1),
    );
    const part = fc.tuple(size, fc.boolean());
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 4 }),
        fc.constantFrom(...Object.values(MODES)),
        async (parts, mode) => {
          const chunks = parts.map(([bytes, shrinks], i) =>
            shrinks ? records(i, bytes) : noise(bytes, i + 1),
          );
          const sim = new SimVfs({ record: false, seed });
          await sim.run(async () => {
            const info = await write(sim, 1, { chunks, ...mode.write });
            const image = await Snapshot.load(DIR, { vfs: sim, uuid, ...mode.read });
            expect(image?.info).toEqual(info);
            expect(Buffer.concat(chunks).equals(await bytesOf(image!))).toBe(true);
            const most = imageBytes(info.payloadBytes, mode.read.encryption !== undefined);
            expect(info.fileBytes).toBeLessThanOrEqual(most);
          });
        },
      ),
      { seed, numRuns: 10 },
    );
  });

  it('needs free space as the newest one did', () =>
    machine(async (sim) => {
      const data = records(1, 20 * BLOCK_PAYLOAD_BYTES_MAX);
      const info = await write(sim, 1, { chunks: [data], ...deflate });
      sim.faults.diskBytesMax = 2 * info.fileBytes + FREE_BYTES_RESERVE + 10_000;
      expect(await codeOf(write(sim, 2, { chunks: [data] }))).toBe('SNAPSHOT_NO_SPACE');
      await write(sim, 2, { chunks: [data], ...deflate });
    }));

  it.each(['zip', 'toString', 5, null])('refuses the compression %s', (compression) =>
    machine(async (sim) => {
      const options = { compression } as Partial<SnapshotWriteOptions>;
      const error = await refusal(write(sim, 1, options));
      expect(error.code).toBe('SNAPSHOT_BAD_OPTION');
      expect(error.message).toContain('compression as one of none, deflate');
    }),
  );
});

describe('claims of compression under good checksums', () => {
  /** An image of one block with these stored bytes. */
  function forge(
    stored: Uint8Array,
    { compression = 1, features = 1, payloadBytes = 1000 } = {},
  ): Buffer {
    const bytes = Buffer.alloc(HEAD_BYTES + 16 + stored.length + FOOTER_BYTES);
    const seal = (at: number, from: number, seed: number) => {
      const crc = crc32(bytes.subarray(from, at), seed);
      bytes.writeUInt32LE(crc, at);
      return crc;
    };
    bytes.write('NENDBSNP', 0, 'latin1');
    bytes.writeUInt32LE(1, 8);
    bytes.writeUInt32LE(features, 20);
    bytes.set(uuid, 24);
    seal(44, 0, 0);
    bytes.writeUInt32LE(90, 64);
    const headCrc = seal(92, 0, 0);
    const seed = crc32(new Uint8Array(16));
    bytes.writeUInt32LE(stored.length, HEAD_BYTES + 4);
    bytes.writeUInt8(compression, HEAD_BYTES + 7);
    bytes.writeUInt32LE(crc32(stored), HEAD_BYTES + 8);
    bytes.set(stored, HEAD_BYTES + 16);
    seal(HEAD_BYTES + 12, HEAD_BYTES, seed);
    const at = bytes.length - FOOTER_BYTES;
    bytes.write('NENDBEND', at, 'latin1');
    bytes.writeUInt32LE(payloadBytes, at + 8);
    bytes.writeUInt32LE(bytes.length, at + 16);
    bytes.writeUInt32LE(1, at + 24);
    bytes.writeUInt32LE(crc32(bytes.subarray(HEAD_BYTES + 12, HEAD_BYTES + 16), headCrc), at + 28);
    seal(bytes.length - 4, at, seed);
    return bytes;
  }

  const stream = (bytes: number) => deflateRawSync(new Uint8Array(bytes), { level: 1 });

  async function outcome(image: Uint8Array): Promise<string> {
    let found = '';
    await machine(async (sim) => {
      await sim.mkdir(DIR);
      await putFile(sim, NEWEST, image);
      const [report] = await Snapshot.verify(DIR, { vfs: sim });
      found =
        report.state === 'valid'
          ? 'valid'
          : `${report.state} at ${report.offset}: ${report.reason}`;
    });
    return found;
  }

  it('are believed where a writer could have made them', async () => {
    expect(await outcome(forge(stream(1000)))).toBe('valid');
    const most = blockPayloadBytesMax(false);
    expect(await outcome(forge(stream(most), { payloadBytes: most }))).toBe('valid');
  });

  it.each<[string, Buffer, RegExp]>([
    [
      'a block that inflates beyond the limit',
      forge(stream(BLOCK_PAYLOAD_BYTES_MAX + 1), { payloadBytes: BLOCK_PAYLOAD_BYTES_MAX }),
      /^damaged at 96: expected at most 262128 bytes/,
    ],
    [
      'a bomb',
      forge(stream(16 << 20), { payloadBytes: BLOCK_PAYLOAD_BYTES_MAX }),
      /^damaged at 96: expected at most 262128 bytes/,
    ],
    ['a stream that is none', forge(noise(1000, 3)), /^damaged at 96: expected a/],
    [
      'a stream with more behind it',
      forge(Buffer.concat([stream(1000), noise(9)])),
      /^damaged at 96: .*ends after/,
    ],
    [
      'another length in the footer',
      forge(stream(1001)),
      /^damaged at \d+: expected 1000 bytes of payload, got 1001/,
    ],
    ['raw bytes under a compressed number', forge(contents(1, 1000)), /^damaged at 96/],
    [
      'an unknown compression',
      forge(stream(1000), { compression: 2 }),
      /^too-new at 96: .*use a newer release/,
    ],
    [
      'compression in an image that has none',
      forge(stream(1000), { features: 0, payloadBytes: stream(1000).length }),
      /^damaged at 96: expected block 0 of an image without compression/,
    ],
    [
      'payload that no blocks can hold',
      forge(stream(1000), { payloadBytes: 262_129 }),
      /^damaged at \d+: expected a file of/,
    ],
    [
      'less payload than is stored',
      forge(noise(999), { compression: 0, payloadBytes: 998 }),
      /^damaged at \d+: expected a file of/,
    ],
    ['an unknown feature', forge(stream(1000), { features: 5 }), /^too-new at 0/],
  ])('are refused: %s', async (_what, image, expected) => {
    expect(await outcome(image)).toMatch(expected);
  });
});

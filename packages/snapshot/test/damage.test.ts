import { crc32, dataKeysOf } from '@nendb/codec';
import { Snapshot } from '@nendb/snapshot';
import type { Vfs } from '@nendb/vfs';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import {
  BLOCK_HEADER_BYTES,
  BLOCK_PAYLOAD_BYTES_MAX,
  FOOTER_BYTES,
  footerBytes,
  HEAD_BYTES,
} from '../src/format.js';
import { type Access, ImageFault, ImageScanner } from '../src/image-scanner.js';
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
import { MODES, type Mode, records } from './modes.js';

/** A machine with image 1 as `.bak` and image 2 as the newest. */
async function twoImages(
  work: (vfs: Vfs, newest: Uint8Array) => Promise<void>,
  mode: Mode['write'] = {},
): Promise<void> {
  const sim = new SimVfs({ record: false });
  await sim.run(async () => {
    for (const n of [1, 2]) {
      const chunks = [mode.compression ? records(n, 150) : contents(n)];
      await write(sim, n, { chunks, ...mode });
    }
    await work(sim, await readFile(sim, NEWEST));
  });
  sim.assertClean();
}

/** Puts `bytes` where the newest image was, and expects them to be refused. */
async function expectDetected(
  vfs: Vfs,
  bytes: Uint8Array,
  what: string,
  offset?: number,
  mode: Mode = MODES['in the clear'],
): Promise<void> {
  await putFile(vfs, NEWEST, bytes);
  const image = await Snapshot.load(DIR, { vfs, uuid, ...mode.read });
  expect(image?.source, what).toBe('bak');
  expect(image?.reason, what).toMatch(/^nendb\.snapshot is damaged at offset \d+: expected /);
  if (offset !== undefined) expect(image?.reason, what).toContain(`at offset ${offset}:`);
  const expected = mode.write.compression ? records(1, 150) : contents(1);
  expect(expected.equals(await bytesOf(image!)), what).toBe(true);
}

/** What a look at `image`, from its first byte to its last, comes to. */
function stateOf(image: Uint8Array, access: Access): string {
  const scanner = new ImageScanner(image.length, access);
  try {
    for (let want = scanner.want(); want !== undefined; want = scanner.want()) {
      scanner.check(image.subarray(want.position, want.position + want.length));
    }
    return 'valid';
  } catch (error) {
    if (error instanceof ImageFault) return error.state;
    throw error;
  }
}

const head = (bytes: Uint8Array) => bytes.subarray(0, HEAD_BYTES);
const footer = (bytes: Uint8Array) => bytes.subarray(bytes.length - FOOTER_BYTES);

describe.each(Object.entries(MODES))('a damaged newest image, %s', (_name, mode) => {
  it('any flipped bit and any truncation is damage, with the key and without', () =>
    twoImages(async (_vfs, newest) => {
      const keys = mode.read.encryption && dataKeysOf(mode.read.encryption);
      const looks: Access[] = [{ payload: false }, { payload: true, ...(keys && { keys }) }];
      for (const access of looks) {
        expect(stateOf(newest, access)).toBe('valid');
        for (let bit = 0; bit < newest.length * 8; bit++) {
          newest[bit >> 3] ^= 1 << (bit & 7);
          expect(stateOf(newest, access), `bit ${bit}`).toBe('damaged');
          newest[bit >> 3] ^= 1 << (bit & 7);
        }
        for (let length = 0; length < newest.length; length++) {
          expect(stateOf(newest.subarray(0, length), access), `cut to ${length}`).toBe('damaged');
        }
      }
    }, mode.write));

  it('R4: a flipped bit in any byte is detected, and the .bak is loaded instead', () =>
    twoImages(async (vfs, newest) => {
      for (let at = 0; at < newest.length; at++) {
        const bit = at * 8 + (at % 8);
        const bytes = Uint8Array.from(newest);
        bytes[at] ^= 1 << (bit & 7);
        await expectDetected(vfs, bytes, `bit ${bit}`, undefined, mode);
      }
      await putFile(vfs, NEWEST, newest);
      const image = await Snapshot.load(DIR, { vfs, uuid, ...mode.read });
      expect(image?.source).toBe('newest');
    }, mode.write));

  it('is detected wherever it is cut, and with anything appended', () =>
    twoImages(async (vfs, newest) => {
      for (let length = 0; length < newest.length; length += 5) {
        const cut = newest.subarray(0, length);
        await expectDetected(vfs, cut, `cut to ${length}`, undefined, mode);
      }
      for (const more of [1, FOOTER_BYTES, 512]) {
        const bytes = Buffer.concat([newest, Buffer.alloc(more)]);
        await expectDetected(vfs, bytes, `${more} zeros appended`, undefined, mode);
      }
      const footers = newest.subarray(-footerBytes(mode.read.encryption !== undefined));
      const twice = Buffer.concat([newest, footers]);
      await expectDetected(vfs, twice, 'two footers', undefined, mode);
    }, mode.write));
});

describe('a damaged newest image', () => {
  it('is detected as zeros and as noise of any size', () =>
    twoImages(async (vfs, newest) => {
      for (const length of [1, HEAD_BYTES, newest.length, 4096]) {
        const noise = Uint8Array.from({ length }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24);
        await expectDetected(vfs, new Uint8Array(length), `${length} zeros`);
        await expectDetected(vfs, noise, `${length} bytes of noise`);
      }
    }));
});

describe('blocks out of place', () => {
  const SIZE = 3 * BLOCK_PAYLOAD_BYTES_MAX;
  const BLOCK = BLOCK_HEADER_BYTES + BLOCK_PAYLOAD_BYTES_MAX;
  const block = (bytes: Uint8Array, index: number) =>
    bytes.subarray(HEAD_BYTES + index * BLOCK, HEAD_BYTES + (index + 1) * BLOCK);

  it('are detected: swapped, repeated, missing, or of an image with the same contents', async () => {
    const first = await only(1);
    const sim = new SimVfs({ record: false });
    await sim.run(async () => {
      await write(sim, 1);
      await write(sim, 2, { chunks: [contents(2, SIZE)] });
      const twin = await readFile(sim, NEWEST);
      await write(sim, 2, { chunks: [contents(2, SIZE)] });
      const image = await readFile(sim, NEWEST);
      await putFile(sim, BAK, first);
      const [a, b, c] = [0, 1, 2].map((index) => block(image, index));
      const build = (...parts: Uint8Array[]) =>
        Buffer.concat([head(image), ...parts, footer(image)]);
      expect(build(a, b, c).equals(image)).toBe(true);
      await expectDetected(sim, build(b, a, c), 'swapped', HEAD_BYTES);
      await expectDetected(sim, build(a, a, c), 'repeated', HEAD_BYTES + BLOCK);
      await expectDetected(sim, build(a, c), 'missing');
      await expectDetected(sim, build(a, b, c, c), 'one too many');
      await expectDetected(sim, build(a, block(twin, 1), c), 'of a twin image', HEAD_BYTES + BLOCK);
      const torn = Buffer.concat([head(twin), a, b, c, footer(image)]);
      await expectDetected(sim, torn, 'under the head of a twin image');
      const grafted = Buffer.concat([head(image), a, b, c, footer(twin)]);
      await expectDetected(sim, grafted, 'with the footer of a twin image');
    });
    sim.assertClean();
  });

  /** The bytes of image `n` alone. */
  async function only(n: number): Promise<Uint8Array> {
    const sim = new SimVfs({ record: false, seed: n });
    return sim.run(async () => {
      await write(sim, n);
      return readFile(sim, NEWEST);
    });
  }
});

describe('claims under a good checksum', () => {
  /** Changes a field of the first block's header and makes its checksum good again. */
  function claim(image: Uint8Array, at: number, value: number): Uint8Array {
    const bytes = Buffer.from(image);
    bytes.writeUInt32LE(value, HEAD_BYTES + at);
    const imageUuid = bytes.subarray(48, 64);
    const covered = bytes.subarray(HEAD_BYTES, HEAD_BYTES + 12);
    bytes.writeUInt32LE(crc32(covered, crc32(imageUuid)), HEAD_BYTES + 12);
    return bytes;
  }

  it('are bounded before anything is allocated from them', () =>
    twoImages(async (vfs, newest) => {
      for (const length of [0, 41, BLOCK_PAYLOAD_BYTES_MAX + 1, 0x7fffffff, 0xffffffff]) {
        await expectDetected(vfs, claim(newest, 4, length), `length ${length}`);
      }
      await expectDetected(vfs, claim(newest, 0, 1), 'index 1', HEAD_BYTES);
      await expectDetected(vfs, claim(newest, 8, 0), 'another payload checksum');
    }));

  it('are refused in the head and in the footer', () =>
    twoImages(async (vfs, newest) => {
      const sealHead = (at: number, value: bigint) => {
        const bytes = Buffer.from(newest);
        bytes.writeBigUInt64LE(value, at);
        bytes.writeUInt32LE(crc32(bytes.subarray(0, 92)), 92);
        return bytes;
      };
      for (const at of [64, 72, 80]) {
        await expectDetected(vfs, sealHead(at, 2n ** 53n), `2^53 at ${at}`);
      }
      const bytes = sealHead(64, 7n);
      await expectDetected(vfs, bytes, 'another head over the same blocks');
      for (const [at, value] of [
        [8, 41],
        [16, newest.length + 1],
        [24, 2],
        [28, 0],
        [32, 1],
      ]) {
        const changed = Buffer.from(newest);
        const start = newest.length - FOOTER_BYTES;
        changed.writeUInt32LE(value, start + at);
        const covered = changed.subarray(start, start + 36);
        changed.writeUInt32LE(crc32(covered, crc32(changed.subarray(48, 64))), start + 36);
        await expectDetected(vfs, changed, `${value} at ${at} of the footer`);
      }
    }));
});

describe('no valid image', () => {
  it('names file and offset of each damaged one', () =>
    twoImages(async (vfs, newest) => {
      const noHead = Uint8Array.from(newest);
      noHead[0] ^= 1;
      const noBlock = Uint8Array.from(newest);
      noBlock[HEAD_BYTES + 20] ^= 1;
      await putFile(vfs, NEWEST, noBlock);
      await putFile(vfs, BAK, noHead);
      const error = await refusal(Snapshot.load(DIR, { vfs }));
      expect(error.code).toBe('SNAPSHOT_CORRUPT');
      expect(error.message).toContain('nendb.snapshot is damaged at offset 96: expected payload');
      expect(error.message).toContain('nendb.snapshot.bak is damaged at offset 0: expected magic');
      await vfs.unlink(NEWEST);
      const alone = await refusal(Snapshot.load(DIR, { vfs }));
      expect(alone.code).toBe('SNAPSHOT_CORRUPT');
      expect(alone.message).toContain('nendb.snapshot is missing; nendb.snapshot.bak is damaged');
    }));

  it('is not "corrupt" where the file system refuses to read', async () => {
    const sim = new SimVfs({ record: false });
    await sim.run(async () => {
      await write(sim, 1);
      sim.faults.failAt({ op: 'read', nth: 1, error: 'EIO', sticky: true });
      const error = await refusal(Snapshot.load(DIR, { vfs: sim }));
      expect(error.code).toBe('SNAPSHOT_IO');
      expect(error.message).toContain('nendb.snapshot is unreadable: EIO');
      expect(await codeOf(Snapshot.list(DIR, { vfs: sim }))).toBe('SNAPSHOT_IO');
      expect(await Snapshot.verify(DIR, { vfs: sim })).toMatchObject([{ state: 'unreadable' }]);
      sim.faults.clear();
      expect(await loadedNumber(sim)).toBe(1);
    });
    sim.assertClean();
  });
});

describe('damage between loading and streaming', () => {
  it('is detected block by block', () =>
    twoImages(async (vfs, newest) => {
      const image = await Snapshot.load(DIR, { vfs });
      const bytes = Uint8Array.from(newest);
      bytes[HEAD_BYTES + BLOCK_HEADER_BYTES] ^= 1;
      await putFile(vfs, NEWEST, bytes);
      const error = await refusal(bytesOf(image!));
      expect(error.code).toBe('SNAPSHOT_CORRUPT');
      expect(error.message).toMatch(/^nendb\.snapshot was sound .* offset 96/);
    }));

  it('is told from another image in its place', () =>
    twoImages(async (vfs) => {
      const replaced = await Snapshot.load(DIR, { vfs });
      await write(vfs, 3);
      expect(await codeOf(bytesOf(replaced!))).toBe('SNAPSHOT_CHANGED');
      const removed = await Snapshot.load(DIR, { vfs });
      await vfs.unlink(NEWEST);
      expect(await codeOf(bytesOf(removed!))).toBe('SNAPSHOT_CHANGED');
    }));

  it('a stream is read once, and can be left early', () =>
    twoImages(async (vfs) => {
      const image = await Snapshot.load(DIR, { vfs });
      for await (const chunk of image!.chunks) {
        expect(chunk).toEqual(Uint8Array.from(contents(2)));
        break;
      }
      expect(() => image!.chunks[Symbol.asyncIterator]()).toThrow(/read once/);
      expect(image!.header).toEqual(header(2));
    }));
});

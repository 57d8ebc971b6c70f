/** A region in a file: what is there, what is refused, and what a failing disk does to it. */
import { PmemError, Region } from '@nendb/pmem';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';
import { HEADER_BYTES, PREAMBLE } from '../../src/format.js';

const BYTES = 256 * 1024;
const PATH = '/db/region';
const code = (expected: string) => expect.objectContaining({ code: expected });

function open(vfs: SimVfs, options: object = {}): Promise<Region> {
  return Region.open({ backend: 'file', path: PATH, bytesMax: BYTES, vfs, ...options });
}

/** Runs `body` on a machine that has a closed region. */
async function withRegion(body: (vfs: SimVfs) => Promise<void>): Promise<void> {
  const vfs = new SimVfs({ seed: 5 });
  await vfs.run(async () => {
    const region = await open(vfs);
    region.alloc(100_000, { into: region.rootWord(0) });
    await region.close();
    await body(vfs);
  });
  vfs.assertClean();
}

async function patch(vfs: SimVfs, offset: number, bytes: readonly number[]): Promise<void> {
  const file = await vfs.open(PATH, 'write');
  await file.writeAt(Uint8Array.from(bytes), offset);
  await file.close();
}

describe('opening', () => {
  test('R6: an unknown feature or version is refused as newer', () =>
    withRegion(async (vfs) => {
      const file = await vfs.open(PATH, 'read');
      const header = Buffer.alloc(PREAMBLE.bytes);
      await file.readAt(header, 0);
      await file.close();
      const { crc32 } = await import('node:zlib');
      for (const [offset, value] of [
        [PREAMBLE.version, 2],
        [PREAMBLE.incompat, 1],
        [PREAMBLE.readOnlyCompat, 0x8000_0000],
      ]) {
        const changed = Buffer.from(header);
        changed.writeUInt32LE(value, offset);
        changed.writeUInt32LE(crc32(changed.subarray(0, PREAMBLE.crc)), PREAMBLE.crc);
        await patch(vfs, 0, [...changed]);
        await expect(open(vfs)).rejects.toEqual(code('PMEM_TOO_NEW'));
      }
      const compatible = Buffer.from(header);
      compatible.writeUInt32LE(1, PREAMBLE.compat);
      compatible.writeUInt32LE(crc32(compatible.subarray(0, PREAMBLE.crc)), PREAMBLE.crc);
      await patch(vfs, 0, [...compatible]);
      await (await open(vfs)).close();
    }));

  test('every damaged byte of the preamble is found, and nothing is made in its place', () =>
    withRegion(async (vfs) => {
      for (let offset = 0; offset < PREAMBLE.bytes; offset++) {
        const file = await vfs.open(PATH, 'read');
        const byte = new Uint8Array(1);
        await file.readAt(byte, offset);
        await file.close();
        await patch(vfs, offset, [byte[0] ^ 0x41]);
        await expect(open(vfs), `byte ${offset}`).rejects.toEqual(code('PMEM_CORRUPT'));
        await patch(vfs, offset, [byte[0]]);
      }
      await patch(
        vfs,
        0,
        Array.from({ length: HEADER_BYTES }, () => 0),
      );
      await expect(open(vfs)).rejects.toEqual(code('PMEM_CORRUPT'));
    }));

  test('a file that is shorter than its blocks is refused', () =>
    withRegion(async (vfs) => {
      const file = await vfs.open(PATH, 'write');
      await file.truncate(50_000);
      await file.close();
      await expect(open(vfs)).rejects.toEqual(code('PMEM_CORRUPT'));
      await vfs.unlink(PATH);
      await expect(open(vfs, { create: false })).rejects.toEqual(code('PMEM_MISSING'));
    }));

  test('another size is refused; without one the region says its own', () =>
    withRegion(async (vfs) => {
      await expect(open(vfs, { bytesMax: BYTES * 2 })).rejects.toEqual(code('PMEM_BAD_OPTION'));
      const region = await open(vfs, { bytesMax: undefined });
      expect(region.bytesMax).toBe(BYTES);
      await region.close();
      const anew = await open(vfs, { bytesMax: BYTES * 2, create: 'replace' });
      expect(anew).toMatchObject({ bytesMax: BYTES * 2, opening: { how: 'created' } });
      await anew.close();
    }));

  test('where there is nothing, and nothing is to be made, is refused', async () => {
    const vfs = new SimVfs({ seed: 1 });
    await vfs.run(async () => {
      await expect(open(vfs, { create: false })).rejects.toEqual(code('PMEM_MISSING'));
      await expect(open(vfs, { bytesMax: undefined })).rejects.toEqual(code('PMEM_BAD_OPTION'));
      await expect(open(vfs, { bytesMax: 100 })).rejects.toEqual(code('PMEM_BAD_OPTION'));
      await expect(open(vfs, { backend: 'tape' })).rejects.toEqual(code('PMEM_BAD_OPTION'));
      await expect(open(vfs, { path: undefined })).rejects.toEqual(code('PMEM_BAD_OPTION'));
    });
    vfs.assertClean();
  });

  test('leftovers of makings that were cut off are removed', () =>
    withRegion(async (vfs) => {
      await (await vfs.open(`${PATH}.0011223344556677.tmp`, 'create')).close();
      await (await open(vfs)).close();
      expect((await vfs.readdir('/db')).sort()).toEqual(['region', 'region.lock']);
    }));
});

describe('a disk that fails', () => {
  test('at a sync: the region takes nothing more, and opens again as it was', () =>
    withRegion(async (vfs) => {
      const region = await open(vfs);
      vfs.faults.failAt({ op: 'sync', nth: 1, error: 'EIO' });
      expect(() => region.alloc(64, { into: region.rootWord(1) })).toThrow(code('PMEM_IO'));
      expect(() => region.alloc(64)).toThrow(code('PMEM_POISONED'));
      expect(() => region.free(region.root(0), 100_000)).toThrow(code('PMEM_POISONED'));
      expect(() => region.setRoot(2, 0)).toThrow(code('PMEM_POISONED'));
      await expect(region.close()).rejects.toEqual(code('PMEM_POISONED'));
      vfs.faults.clear();
      const again = await open(vfs);
      expect(again.opening.how).toBe('recovered');
      expect(again.verify()).toMatchObject({ ok: true, pendingBlocks: 0 });
      expect(again.stats.blocks).toBe(again.root(1) === 0 ? 1 : 2);
      await again.close();
    }));

  test('at a write: the same', () =>
    withRegion(async (vfs) => {
      const region = await open(vfs);
      vfs.faults.failAt({ op: 'write', nth: 1, error: 'EIO' });
      expect(() => region.setRoot(2, 4096)).toThrow(code('PMEM_IO'));
      expect(() => region.drain()).toThrow(code('PMEM_POISONED'));
      await expect(region.close()).rejects.toEqual(code('PMEM_POISONED'));
      vfs.faults.clear();
      await (await open(vfs)).close();
    }));

  test('in writes that are short: nothing is missing', async () => {
    const vfs = new SimVfs({ seed: 2 });
    await vfs.run(async () => {
      vfs.faults.limitEachWrite(1000);
      vfs.faults.limitEachRead(700);
      const region = await open(vfs);
      const offset = region.alloc(50_000, { into: region.rootWord(0) });
      region.windows[0].copyIn(offset, new Uint8Array(50_000).fill(9), 0, 50_000);
      region.persist(offset, 50_000);
      await region.close();
      const again = await open(vfs);
      const content = again.windows[0].u8.subarray(offset, offset + 50_000);
      expect(content.every((byte) => byte === 9)).toBe(true);
      await again.close();
    });
  });
});

describe('a full disk', () => {
  test('refuses the region where not even its header fits', async () => {
    const vfs = new SimVfs({ seed: 3 });
    await vfs.run(async () => {
      vfs.faults.diskBytesMax = 2000;
      await expect(open(vfs)).rejects.toEqual(code('PMEM_EXHAUSTED'));
      vfs.faults.diskBytesMax = 10 * BYTES;
      await (await open(vfs)).close();
    });
  });

  test('refuses the allocation; what is there stays usable', async () => {
    const vfs = new SimVfs({ seed: 4 });
    await vfs.run(async () => {
      const region = await open(vfs, { bytesMax: 64 * 1024 * 1024 });
      const first = region.alloc(1_000_000, { into: region.rootWord(0) });
      vfs.faults.diskBytesMax = 17 * 1024 * 1024;
      let failure: unknown;
      const held: number[] = [];
      try {
        for (;;) held.push(region.alloc(1_000_000));
      } catch (error) {
        failure = error;
      }
      expect(failure).toBeInstanceOf(PmemError);
      expect(failure).toEqual(code('PMEM_EXHAUSTED'));
      expect((failure as PmemError).message).toMatch(/ENOSPC/);
      region.free(held[2], 1_000_000);
      expect(region.alloc(1_000_000)).toBe(held[2]);
      expect(region.verify().problems).toEqual([]);
      vfs.faults.diskBytesMax = 200 * 1024 * 1024;
      region.alloc(20_000_000);
      expect(region.root(0)).toBe(first);
      await region.close();
    });
  });
});

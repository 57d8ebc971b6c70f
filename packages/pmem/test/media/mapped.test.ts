/** What can go wrong with a mapped file, and is an error or nothing at all, never a signal. */
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Region } from '@nendb/pmem';
import { SimVfs } from '@nendb/vfs/sim';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LIFE, WINDOWS_LINE } from '../../src/format.js';
import { WINDOW_BYTES_MAX } from '../../src/limits.js';
import {
  type Koffi,
  loadNative,
  MAP_SHARED,
  Native,
  NativeError,
} from '../../src/media/mapped/native.js';
import { mapFile } from '../../src/media/mapped/open-mapped.js';

const BYTES = 1024 * 1024;
let dir = '';
let path = '';

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'nendb-pmem-map-'));
  path = join(dir, 'region');
});

afterEach(() => rmSync(dir, { recursive: true }));

const open = (options: object = {}) =>
  Region.open({ backend: 'mmap', path, bytesMax: BYTES, ...options });
const code = (expected: string) => expect.objectContaining({ code: expected });

/** Writes words into the closed file. */
function patch(offset: number, bytes: Uint8Array): void {
  const content = readFileSync(path);
  content.set(bytes, offset);
  writeFileSync(path, content);
}

/** As if the machine had stopped while the region was in use, on the boot named `boot`. */
function leaveInUse(boot: string): void {
  const life = Buffer.alloc(64);
  life.writeUInt32LE(0x4445_5355, 0);
  life.write(boot, LIFE.boot - LIFE.state, 'latin1');
  const name = life.subarray(LIFE.boot - LIFE.state, LIFE.boot - LIFE.state + LIFE.bootBytes);
  life.writeUInt32LE(crc32(name), LIFE.bootCrc - LIFE.state);
  patch(LIFE.state, life);
}

describe('a mapped region', () => {
  test('is the file: a store is in it before any flush', async () => {
    const region = await open();
    expect(region.caps).toEqual({ durable: 'process', granularityBytes: 4096, shared: true });
    expect(region.flushes).toBe(false);
    const offset = region.alloc(4096);
    region.windows[0].copyIn(offset, Buffer.from('hello'), 0, 5);
    expect(readFileSync(path).toString('latin1', offset, offset + 5)).toBe('hello');
    await region.close();
  });

  test('takes room on the disk in steps, ahead of its blocks', async () => {
    const region = await open({ bytesMax: 256 * 1024 * 1024 });
    const before = statSync(path).blocks * 512;
    expect(statSync(path).size).toBe(256 * 1024 * 1024);
    expect(before).toBeLessThan(40 * 1024 * 1024);
    for (let i = 0; i < 60; i++) region.alloc(1024 * 1024);
    expect(statSync(path).blocks * 512).toBeGreaterThanOrEqual(60 * 1024 * 1024);
    await region.close();
  });

  test('on a full disk refuses the allocation, and goes on with what it has', async () => {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    let room = 32 * 1024 * 1024;
    class Full extends Native {
      override allocate(fd: number, from: number, bytes: number): void {
        room -= bytes;
        if (room < 0) throw new NativeError('posix_fallocate', 'ENOSPC');
        super.allocate(fd, from, bytes);
      }
    }
    const options = { backend: 'mmap', path, bytesMax: 128 * 1024 * 1024 } as const;
    const how = { backend: 'mmap', flags: MAP_SHARED } as const;
    const region = Region.on(await mapFile(new Full(koffi), options, how), {});
    const held: number[] = [];
    expect(() => {
      for (;;) held.push(region.alloc(1024 * 1024));
    }).toThrow(code('PMEM_EXHAUSTED'));
    expect(held.length).toBe(31);
    expect(region.verify().problems).toEqual([]);
    region.free(held[3], 1024 * 1024);
    expect(region.alloc(1024 * 1024)).toBe(held[3]);
    await region.close();
  });

  test('whose file was copied with holes gets its space back before anything is stored', async () => {
    const region = await open({ bytesMax: 64 * 1024 * 1024 });
    const offset = region.alloc(30 * 1024 * 1024, { into: region.rootWord(0) });
    await region.close();
    const holes = join(dir, 'holes');
    writeFileSync(holes, readFileSync(path).subarray(0, offset));
    truncateSync(holes, 64 * 1024 * 1024);
    expect(statSync(holes).blocks * 512).toBeLessThan(1024 * 1024);
    const copy = await open({ path: holes, bytesMax: undefined });
    expect(statSync(holes).blocks * 512).toBeGreaterThanOrEqual(30 * 1024 * 1024);
    expect(copy.verify().ok).toBe(true);
    await copy.close();
  });

  test('that has its space does not take it again', async () => {
    const region = await open({ bytesMax: 64 * 1024 * 1024 });
    region.alloc(30 * 1024 * 1024, { into: region.rootWord(0) });
    await region.close();
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    let allocated = 0;
    class Counting extends Native {
      override allocate(fd: number, from: number, bytes: number): void {
        allocated += bytes;
        super.allocate(fd, from, bytes);
      }
    }
    const how = { backend: 'mmap', flags: MAP_SHARED } as const;
    const again = Region.on(await mapFile(new Counting(koffi), { backend: 'mmap', path }, how), {});
    expect(allocated).toBe(0);
    again.alloc(1024 * 1024);
    expect(allocated).toBeGreaterThan(1000);
    await again.close();
  });

  test('falls back to memory of its thread alone where the shared kind is refused', async () => {
    const found = globalThis as { WebAssembly?: unknown };
    const real = found.WebAssembly;
    class Memory {
      constructor() {
        throw new RangeError('could not allocate memory');
      }
    }
    try {
      for (const wasm of [undefined, { Memory }]) {
        found.WebAssembly = wasm;
        const region = await open();
        expect(region.caps.shared).toBe(false);
        const offset = region.alloc(64);
        region.windows[0].store32(offset / 4, 5);
        expect(readFileSync(path).readInt32LE(offset)).toBe(5);
        await region.close();
      }
    } finally {
      found.WebAssembly = real;
    }
  });

  test('used after its close reads zeros and stores into nothing', async () => {
    const region = await open();
    const offset = region.alloc(64, { into: region.rootWord(0) });
    const [window] = region.windows;
    window.store32(offset / 4, 7);
    await region.close();
    const content = readFileSync(path);
    expect(window.u32[offset / 4]).toBe(0);
    window.store32(offset / 4, 8);
    window.zero(0, BYTES);
    expect(readFileSync(path).equals(content)).toBe(true);
    const again = await open({ create: false });
    expect(again.windows[0].u32[again.root(0) / 4]).toBe(7);
    await again.close();
  });

  test('has one writer', async () => {
    const region = await open();
    await expect(open()).rejects.toEqual(code('VFS_LOCKED'));
    await expect(Region.open({ backend: 'file', path })).rejects.toEqual(code('VFS_LOCKED'));
    await region.close();
    await (await open()).close();
  });

  test('larger than a window has several, and an allocation lies in one of them', async () => {
    const region = await open({ bytesMax: 2 * WINDOW_BYTES_MAX + 8192 });
    expect(region.windows.map(({ bytes }) => bytes)).toEqual([
      WINDOW_BYTES_MAX,
      WINDOW_BYTES_MAX,
      8192,
    ]);
    const small = region.alloc(4000, { into: region.rootWord(0) });
    expect(region.caps.shared).toBe(true);
    await region.close();
    const again = await open({ bytesMax: undefined });
    expect(again.root(0)).toBe(small);
    expect(again.bytesMax).toBe(2 * WINDOW_BYTES_MAX + 8192);
    await again.close();
  });

  test('left in use on this boot is trusted, on another one it is not', async () => {
    const region = await open();
    const offset = region.alloc(64, { into: region.rootWord(0) });
    copyFileSync(path, join(dir, 'copy'));
    await region.close();
    const copy = await open({ path: join(dir, 'copy') });
    expect(copy.opening).toEqual({ how: 'recovered', redone: false, returnedBlocks: 0 });
    expect(copy.root(0)).toBe(offset);
    await copy.close();
    leaveInUse('another-boot');
    await expect(open()).rejects.toEqual(code('PMEM_UNTRUSTED'));
    await expect(open({ create: false })).rejects.toEqual(code('PMEM_UNTRUSTED'));
    const anew = await open({ create: 'replace' });
    expect(anew.opening.how).toBe('created');
    expect(anew.root(0)).toBe(0);
    await anew.close();
  });

  test('R17: its dirty mark is on the disk before the first store, all else before the clean one', async () => {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    const written: { file: Buffer; bytes: number }[] = [];
    class Watched extends Native {
      override sync(address: number, bytes: number): void {
        super.sync(address, bytes);
        written.push({ file: readFileSync(path), bytes });
      }
    }
    const state = ({ file }: { file: Buffer }) =>
      file.toString('latin1', LIFE.state, LIFE.state + 4);
    const options = { backend: 'mmap', path, bytesMax: BYTES } as const;
    const how = { backend: 'mmap', flags: MAP_SHARED } as const;
    const region = Region.on(await mapFile(new Watched(koffi), options, how), {});
    expect(written.map(state)).toEqual(['USED']);
    const offset = region.alloc(20_000, { into: region.rootWord(0) });
    expect(written).toHaveLength(1);
    await region.close();
    expect(written.map(state).slice(1)).toEqual(['USED', 'USED', 'CLEN']);
    expect(written[2].bytes).toBeGreaterThanOrEqual(offset + 20_000);
  });

  test('is not left locked or mapped by an open that failed', async () => {
    await (await open()).close();
    leaveInUse('another-boot');
    for (let i = 0; i < 3; i++) await expect(open()).rejects.toEqual(code('PMEM_UNTRUSTED'));
    await (await open({ create: 'replace' })).close();
  });

  test('whose file was cut short is grown with zeros, and the damage is found', async () => {
    const region = await open();
    region.alloc(300_000, { into: region.rootWord(0) });
    region.alloc(300_000, { into: region.rootWord(1) });
    await region.close();
    truncateSync(path, 8192);
    const again = await open();
    expect(again.verify().ok).toBe(false);
    await again.close();
  });

  test('that says more blocks than it has room for is refused', async () => {
    await (await open()).close();
    patch(WINDOWS_LINE * 64, Buffer.from([0xff, 0xff, 0xff, 0x0f]));
    await expect(open()).rejects.toEqual(code('PMEM_CORRUPT'));
  });
});

describe('persistent memory', () => {
  test('is refused where the kernel does not vouch for it', async () => {
    const persister = { flush: () => undefined, drain: () => undefined };
    const flags = 0x3 | 0x80000;
    const options = { backend: 'libpmem', path, bytesMax: BYTES } as const;
    const opened = mapFile(loadNative(), options, { backend: 'libpmem', flags, persister });
    await expect(opened).rejects.toThrow(/MAP_SYNC was refused: .*(EOPNOTSUPP|ENOTSUP|EINVAL)/);
    await expect(opened).rejects.toEqual(code('PMEM_BACKEND_UNAVAILABLE'));
  });

  test('needs its library, or a file system that is persistent memory; the error says which', async () => {
    const opened = Region.open({ backend: 'libpmem', path, bytesMax: BYTES });
    await expect(opened).rejects.toEqual(code('PMEM_BACKEND_UNAVAILABLE'));
    await expect(opened).rejects.toThrow(/install it|MAP_SYNC was refused/);
  });

  test('is flushed by address', async () => {
    const calls: [number, number][] = [];
    let drains = 0;
    const persister = {
      flush: (address: number, bytes: number) => calls.push([address, bytes]),
      drain: () => drains++,
    };
    const options = { backend: 'libpmem', path, bytesMax: BYTES } as const;
    const how = { backend: 'libpmem', flags: MAP_SHARED, persister } as const;
    const medium = await mapFile(loadNative(), options, how);
    const region = Region.on(medium, {});
    expect(region.caps).toMatchObject({ durable: 'power', granularityBytes: 64 });
    const offset = region.alloc(256);
    calls.splice(0);
    drains = 0;
    region.persist(offset + 64, 100);
    expect(calls).toEqual([[medium.addressOf(0) + offset + 64, 100]]);
    expect(drains).toBe(1);
    await region.close();
  });
});

describe('mapping needs', () => {
  test('koffi, and the error says what to install', () => {
    const missing = () => {
      throw new Error("Cannot find module 'koffi'");
    };
    expect(() => loadNative(missing)).toThrow(code('PMEM_BACKEND_UNAVAILABLE'));
    expect(() => loadNative(missing)).toThrow(/npm install koffi/);
  });

  test('a path', async () => {
    await expect(open({ path: undefined })).rejects.toEqual(code('PMEM_BAD_OPTION'));
  });

  test('a real file', async () => {
    const vfs = new SimVfs({ seed: 1 });
    const opened = vfs.run(() => open({ vfs, path: '/db/region' }));
    await expect(opened).rejects.toEqual(code('PMEM_BACKEND_UNAVAILABLE'));
  });
});

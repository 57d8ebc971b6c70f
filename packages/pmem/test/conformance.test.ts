/** Every backend is the same region. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Backend, Region, type RegionOptions } from '@nendb/pmem';
import { CONFORMANCE_BYTES, regionConformance } from '@nendb/pmem/conformance';
import { openSim, SimPmem } from '@nendb/pmem/sim';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, test } from 'vitest';
import type { MappedMedium } from '../src/media/mapped/mapped-medium.js';
import { loadNative, MAP_SHARED } from '../src/media/mapped/native.js';
import { mapFile } from '../src/media/mapped/open-mapped.js';
import { shmDirectory } from './machine.js';

function onDisk(parent: string, open: (options: RegionOptions) => Promise<Region>) {
  return (backend: Backend) => {
    const dir = mkdtempSync(join(parent, 'nendb-pmem-'));
    const options = { backend, path: join(dir, 'region') };
    return {
      make: () => open({ ...options, bytesMax: CONFORMANCE_BYTES }),
      reopen: () => open({ ...options, create: false }),
      crash: () => {
        // The page cache is what a killed process leaves.
        copyFileSync(options.path, join(dir, 'copy'));
        return open({ ...options, path: join(dir, 'copy'), create: false });
      },
      dispose: async () => rmSync(dir, { recursive: true }),
    };
  };
}

describe('heap', () => {
  regionConformance({
    test,
    makeSubject: () => ({ make: async () => Region.heap(CONFORMANCE_BYTES) }),
  });
});

describe('file', () => {
  const subject = onDisk(tmpdir(), (options) => Region.open(options));
  regionConformance({ test, makeSubject: () => subject('file') });
});

describe('mmap on a disk', () => {
  const subject = onDisk(tmpdir(), (options) => Region.open(options));
  regionConformance({ test, makeSubject: () => subject('mmap') });
});

describe.skipIf(shmDirectory === undefined)('mmap in memory', () => {
  const subject = onDisk(shmDirectory ?? '', (options) => Region.open(options));
  regionConformance({ test, makeSubject: () => subject('mmap') });
});

describe('mmap where threads cannot share it', () => {
  const open = async (options: RegionOptions) => {
    const how = { backend: 'mmap', flags: MAP_SHARED, shared: false } as const;
    const medium = await mapFile(loadNative(), options, how);
    return Region.on(medium, { where: options.path });
  };
  const subject = onDisk(tmpdir(), open);
  regionConformance({ test, makeSubject: () => subject('mmap') });
});

describe('mapped persistent memory', () => {
  const open = async (options: RegionOptions) => {
    const native = loadNative();
    const persister = { flush: () => undefined, drain: () => undefined };
    const how = { backend: 'libpmem', flags: MAP_SHARED, persister } as const;
    const medium: MappedMedium = await mapFile(native, options, how);
    return Region.on(medium, { where: options.path });
  };
  const subject = onDisk(tmpdir(), open);
  regionConformance({ test, makeSubject: () => subject('libpmem') });
});

describe('sim', () => {
  regionConformance({
    test,
    makeSubject: () => {
      let sim = new SimPmem({ bytesMax: CONFORMANCE_BYTES });
      const reopen = async (image: Uint8Array) => {
        const opened = openSim({ bytesMax: CONFORMANCE_BYTES, image });
        sim = opened.sim;
        return opened.region;
      };
      return {
        make: async () => Region.on(sim, {}),
        reopen: () => reopen(sim.crashPoint().image('none').bytes),
        crash: () => reopen(sim.crashPoint().image('none').bytes),
      };
    },
  });
});

describe('file on a simulated disk', () => {
  regionConformance({
    test,
    makeSubject: () => {
      const vfs = new SimVfs({ seed: 1 });
      const at = { backend: 'file', path: '/db/region', vfs } as const;
      return {
        run: (body) => vfs.run(body),
        make: () => Region.open({ ...at, bytesMax: CONFORMANCE_BYTES }),
        reopen: () => Region.open({ ...at, create: false }),
      };
    },
  });
});

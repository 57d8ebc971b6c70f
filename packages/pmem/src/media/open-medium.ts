/** Which medium an open asks for. Those that need more than memory are loaded when asked for. */
import type { Vfs } from '@nendb/vfs';
import { PmemError } from '../errors.js';
import { regionBytes } from '../region-header.js';
import type { Backend } from '../types.js';
import { FileMedium } from './file.js';
import { HeapMedium } from './heap.js';
import type { Medium } from './medium.js';

export interface RegionOptions {
  backend: Backend;
  /** Size, in bytes; whole pages of it are used. May be left out where the region exists. */
  bytesMax?: number;
  /** The file, for `file`, `mmap` and `libpmem`; its lock is beside it, under `<path>.lock`. */
  path?: string;
  /**
   * `true` (default): make the region where it is missing. `false`: it must exist. `'replace'`: make
   * an empty one, whatever is there.
   */
  create?: boolean | 'replace';
  /** Files and randomness; the real machine by default. */
  vfs?: Vfs;
}

export async function openMedium(options: RegionOptions): Promise<Medium> {
  switch (options.backend) {
    case 'heap':
      return new HeapMedium(neededBytes(options));
    case 'file':
      return FileMedium.open(options);
    case 'mmap':
      return (await import('./mapped/open-mapped.js')).openMapped(options);
    case 'libpmem':
      return (await import('./mapped/open-mapped.js')).openLibpmem(options);
    case 'sim': {
      const { SimPmem } = await import('../sim/sim-pmem.js');
      return new SimPmem({ bytesMax: neededBytes(options) });
    }
    default:
      throw new PmemError(
        'PMEM_BAD_OPTION',
        `expected the backend heap, file, mmap, libpmem or sim, got ${String(options.backend)}`,
      );
  }
}

function neededBytes({ backend, bytesMax }: RegionOptions): number {
  if (bytesMax !== undefined) return regionBytes(bytesMax);
  throw new PmemError(
    'PMEM_BAD_OPTION',
    `expected bytesMax for backend ${backend}, got none: say how large`,
  );
}

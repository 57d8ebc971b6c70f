/**
 * The two backends over mapped files.
 *
 * `mmap` is the page cache: it survives the process, on any file system. `libpmem` is persistent memory: the
 * kernel must grant MAP_SYNC (it does on a DAX file system, and refuses elsewhere with EOPNOTSUPP),
 * and libpmem must know how to flush it. Then, and only then, `durable` is 'power'.
 */
import { PmemError } from '../../errors.js';
import type { RegionOptions } from '../open-medium.js';
import { openRegionFile } from '../region-file.js';
import { MappedMedium, type MappedOptions, type Persister, unavailable } from './mapped-medium.js';
import { loadNative, MAP_SHARED, MAP_SHARED_VALIDATE, MAP_SYNC, type Native } from './native.js';

const LIBPMEM = 'libpmem.so.1';

/** Rejects with `PMEM_BACKEND_UNAVAILABLE` and the errors of the file; see `Region.open`. */
export async function openMapped(options: RegionOptions): Promise<MappedMedium> {
  const native = loadNative();
  return mapFile(native, options, { backend: 'mmap', flags: MAP_SHARED });
}

export async function openLibpmem(options: RegionOptions): Promise<MappedMedium> {
  const native = loadNative();
  const library = loadLibpmem(native);
  const mapped = { backend: 'libpmem', flags: MAP_SHARED_VALIDATE | MAP_SYNC } as const;
  const medium = await mapFile(native, options, { ...mapped, persister: library });
  for (const [window, { bytes }] of medium.windows.entries()) {
    if (library.isPmem(medium.addressOf(window), bytes)) continue;
    await medium.close();
    throw unavailable(`libpmem says that ${options.path} is not on persistent memory`);
  }
  return medium;
}

/** Opens and maps the file that `options` name, the way `mapped` says. */
export async function mapFile(
  native: Native,
  options: RegionOptions,
  mapped: MappedOptions,
): Promise<MappedMedium> {
  const source = await openRegionFile(options);
  try {
    return new MappedMedium(native, source, mapped);
  } catch (error) {
    await source.file.close();
    await source.lock.release();
    if (error instanceof PmemError || mapped.persister === undefined) throw error;
    throw unavailable(
      `${options.path} is not on persistent memory (MAP_SYNC was refused: ${String(error)})`,
      error,
    );
  }
}

interface Libpmem extends Persister {
  isPmem(address: number, bytes: number): boolean;
}

function loadLibpmem(native: Native): Libpmem {
  let library: ReturnType<Native['koffi']['load']>;
  try {
    library = native.koffi.load(LIBPMEM);
  } catch (cause) {
    throw new PmemError(
      'PMEM_BACKEND_UNAVAILABLE',
      `expected ${LIBPMEM} for the backend libpmem, and could not load it: install it (Debian: apt-get install libpmem1), or use the backend mmap`,
      { cause },
    );
  }
  const func = <T>(definition: string): T => library.func(definition) as T;
  const isPmem = func<(address: number, bytes: number) => number>(
    'int pmem_is_pmem(int64_t address, size_t bytes)',
  );
  return {
    isPmem: (address, bytes) => isPmem(address, bytes) === 1,
    flush: func('void pmem_flush(int64_t address, size_t bytes)'),
    drain: func('void pmem_drain()'),
  };
}

/**
 * The file of a region: its lock, its making, and what it says before any of it is memory.
 *
 *     make    <path>.<random>.tmp: header ─▶ size ─▶ fsync ─▶ rename ─▶ fsync of the directory
 *
 * Invariants
 *  1. A file under its own name has a whole header.
 *  2. One process at a time has the lock, which is beside the file: replacing the file keeps it.
 */
import {
  dirname,
  errorCode,
  makeDirectory,
  nodeVfs,
  REPLACE_SUFFIX,
  readFullySync,
  replaceFile,
  type Vfs,
  type VfsFile,
  type VfsLock,
} from '@nendb/vfs';
import { PmemError } from '../errors.js';
import { HEADER_BYTES } from '../format.js';
import { emptyHeader, readPreamble, regionBytes } from '../region-header.js';
import type { RegionOptions } from './open-medium.js';

export interface RegionFile {
  readonly path: string;
  readonly vfs: Vfs;
  readonly lock: VfsLock;
  readonly file: VfsFile;
  readonly bytesMax: number;
  readonly created: boolean;
}

/** Locks and opens the file that `options` name, making it where it is missing and wanted. */
export async function openRegionFile(options: RegionOptions): Promise<RegionFile> {
  const { path, create = true, vfs = nodeVfs } = options;
  if (path === undefined) {
    throw new PmemError(
      'PMEM_BAD_OPTION',
      `expected a path for backend ${options.backend}, got none: say which file holds the region`,
    );
  }
  const wanted = options.bytesMax === undefined ? undefined : regionBytes(options.bytesMax);
  if (create !== false) await makeDirectory(vfs, dirname(path));
  const lock = await takeLock(vfs, path);
  try {
    await removeLeftovers(vfs, path);
    const created = create === 'replace' || (await vfs.stat(path)) === undefined;
    if (created) await make(vfs, path, wanted, create);
    const file = await vfs.open(path, 'write');
    try {
      const bytesMax = readSize(file, wanted);
      return { path, vfs, lock, file, bytesMax, created };
    } catch (error) {
      await file.close();
      throw error;
    }
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function takeLock(vfs: Vfs, path: string): Promise<VfsLock> {
  try {
    return await vfs.lock(`${path}.lock`);
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') throw missing(path, cause);
    throw cause;
  }
}

async function make(
  vfs: Vfs,
  path: string,
  bytesMax: number | undefined,
  create: boolean | 'replace',
): Promise<void> {
  if (create === false) throw missing(path);
  if (bytesMax === undefined) {
    throw new PmemError(
      'PMEM_BAD_OPTION',
      `expected bytesMax for the new region ${path}, got none`,
    );
  }
  try {
    await replaceFile(vfs, path, emptyHeader(bytesMax, vfs.random.uuid()));
  } catch (cause) {
    throw fullDisk(path, HEADER_BYTES, cause);
  }
}

/** Temporary files of makings that a crash cut off: nobody else makes any while the lock is held. */
async function removeLeftovers(vfs: Vfs, path: string): Promise<void> {
  const dir = dirname(path);
  const name = path.slice(path.lastIndexOf('/') + 1);
  for (const entry of await vfs.readdir(dir)) {
    if (entry.startsWith(`${name}.`) && entry.endsWith(REPLACE_SUFFIX)) {
      await vfs.unlink(`${dir}/${entry}`);
    }
  }
}

function readSize(file: VfsFile, wanted: number | undefined): number {
  const header = new Uint8Array(HEADER_BYTES);
  const came = readFullySync(file, header, 0);
  const preamble = readPreamble(header, file.path);
  if (came < HEADER_BYTES || preamble === undefined) {
    throw new PmemError(
      'PMEM_CORRUPT',
      `expected a region's header of ${HEADER_BYTES} bytes in ${file.path}, got ${came} bytes${preamble === undefined ? ' without a magic' : ''}: restore the file, or open it with create: 'replace'`,
    );
  }
  if (wanted !== undefined && wanted !== preamble.bytesMax) {
    throw new PmemError(
      'PMEM_BAD_OPTION',
      `expected ${file.path} to have bytesMax ${wanted}, got ${preamble.bytesMax}: leave bytesMax out, or make the region anew with create: 'replace'`,
    );
  }
  return preamble.bytesMax;
}

function missing(path: string, cause?: unknown): PmemError {
  return new PmemError(
    'PMEM_MISSING',
    `expected a region in ${path}, got no file: check the path, or let it be created`,
    { cause },
  );
}

/** `PMEM_EXHAUSTED` where `cause` says that the disk is full, else `PMEM_IO`. */
export function fullDisk(path: string, bytes: number, cause: unknown): PmemError {
  const errno = errorCode(cause) ?? String(cause);
  const full = errno === 'ENOSPC' || errno === 'EDQUOT';
  return new PmemError(
    full ? 'PMEM_EXHAUSTED' : 'PMEM_IO',
    `expected room for ${bytes} bytes in ${path}, got ${errno}: ${full ? 'free some disk space' : 'check the disk'}`,
    { cause },
  );
}

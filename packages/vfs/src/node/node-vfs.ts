/**
 * The real machine: files by descriptor, kernel locks, the system's clock and randomness.
 *
 * Concurrency: stateless; one instance (`nodeVfs`) serves everybody, worker threads make their own.
 */
import fs, { promises as fsPromises } from 'node:fs';
import { errorCode } from '../errors.js';
import type { LockState, OpenMode, Vfs, VfsFile, VfsLock, VfsStat } from '../vfs.js';
import { withPath } from './errno.js';
import { nodeExecutor } from './node-executor.js';
import { NodeFile } from './node-file.js';
import { lookAtLock, takeLock } from './node-lock.js';
import { nodeClock, nodeRandom, nodeTimers } from './time-and-chance.js';

const FILE_MODE = 0o640;
const DIRECTORY_MODE = 0o750;

const OPEN_FLAGS: Record<OpenMode, number> = {
  read: fs.constants.O_RDONLY,
  write: fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL,
};

export interface NodeVfsOptions {
  /** The `flock` program, looked up on the PATH. Where it is missing, locks are judged by pid. */
  flockProgram?: string;
}

export class NodeVfs implements Vfs {
  readonly clock = nodeClock;
  readonly timers = nodeTimers;
  readonly random = nodeRandom;
  readonly executor = nodeExecutor;
  readonly #flockProgram: string;

  constructor(options: NodeVfsOptions = {}) {
    this.#flockProgram = options.flockProgram ?? 'flock';
  }

  async open(path: string, mode: OpenMode): Promise<VfsFile> {
    return new Promise((resolve, reject) => {
      fs.open(path, OPEN_FLAGS[mode], FILE_MODE, (error, descriptor) =>
        error ? reject(error) : resolve(new NodeFile(path, descriptor)),
      );
    });
  }

  openSync(path: string, mode: OpenMode): VfsFile {
    return new NodeFile(path, fs.openSync(path, OPEN_FLAGS[mode], FILE_MODE));
  }

  rename(from: string, to: string): Promise<void> {
    return fsPromises.rename(from, to);
  }

  renameSync(from: string, to: string): void {
    fs.renameSync(from, to);
  }

  unlink(path: string): Promise<void> {
    return fsPromises.unlink(path);
  }

  unlinkSync(path: string): void {
    fs.unlinkSync(path);
  }

  async mkdir(path: string): Promise<void> {
    await fsPromises.mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
  }

  mkdirSync(path: string): void {
    fs.mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE });
  }

  readdir(path: string): Promise<string[]> {
    return fsPromises.readdir(path);
  }

  readdirSync(path: string): string[] {
    return fs.readdirSync(path);
  }

  async stat(path: string): Promise<VfsStat | undefined> {
    try {
      return toStat(await fsPromises.stat(path));
    } catch (error) {
      return nothingThere(error);
    }
  }

  statSync(path: string): VfsStat | undefined {
    try {
      return toStat(fs.statSync(path));
    } catch (error) {
      return nothingThere(error);
    }
  }

  async syncDir(path: string): Promise<void> {
    const handle = await fsPromises.open(path, DIRECTORY_FLAGS);
    try {
      await handle.sync();
    } catch (error) {
      throw withPath(error, path);
    } finally {
      await handle.close();
    }
  }

  syncDirSync(path: string): void {
    const descriptor = fs.openSync(path, DIRECTORY_FLAGS);
    try {
      fs.fsyncSync(descriptor);
    } catch (error) {
      throw withPath(error, path);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  async freeBytes(path: string): Promise<number> {
    const { bavail, bsize } = await fsPromises.statfs(path);
    return bavail * bsize;
  }

  freeBytesSync(path: string): number {
    const { bavail, bsize } = fs.statfsSync(path);
    return bavail * bsize;
  }

  lock(path: string): Promise<VfsLock> {
    return takeLock(path, this.#flockProgram);
  }

  async inspectLock(path: string): Promise<LockState> {
    return lookAtLock(path, this.#flockProgram);
  }
}

const DIRECTORY_FLAGS = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY;

function toStat(stats: fs.Stats): VfsStat {
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other';
  return { kind, size: stats.size, modifiedMs: stats.mtimeMs };
}

function nothingThere(error: unknown): undefined {
  const code = errorCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
  throw error;
}

/** The real machine, for everybody who needs no other. */
export const nodeVfs: Vfs = new NodeVfs();

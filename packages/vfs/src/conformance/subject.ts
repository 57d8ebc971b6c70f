/** What is tested, and how its two halves are called alike. */
import type { OpenMode, Vfs, VfsFile, VfsStat } from '../vfs.js';

export interface ConformanceSubject {
  vfs: Vfs;
  /** A fresh, empty directory that the case may fill. */
  dir: string;
  /** Runs a case. A simulator takes its steps here; a real machine just calls. */
  run<T>(body: () => Promise<T>): Promise<T>;
  /** Called after the case, also when it failed. */
  dispose?(): Promise<void>;
}

export interface ConformanceOptions {
  /** Registers a case with the test framework at hand. */
  test(name: string, body: () => Promise<void>): void;
  makeVfs(): ConformanceSubject | Promise<ConformanceSubject>;
}

export interface ConformanceCase {
  name: string;
  body(subject: ConformanceSubject): Promise<void>;
}

/** One half of a `Vfs`, with every call awaited. */
export interface Half {
  readonly name: 'asynchronous' | 'synchronous';
  open(path: string, mode: OpenMode): Promise<HalfFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  mkdir(path: string): Promise<void>;
  readdir(path: string): Promise<string[]>;
  stat(path: string): Promise<VfsStat | undefined>;
  syncDir(path: string): Promise<void>;
  freeBytes(path: string): Promise<number>;
}

export interface HalfFile {
  readAt(target: Uint8Array, position: number): Promise<number>;
  writeAt(source: Uint8Array, position: number): Promise<number>;
  truncate(length: number): Promise<void>;
  sync(options?: { dataOnly?: boolean }): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** The same case for either half of the interface. */
export function forBothHalves(
  name: string,
  body: (half: Half, dir: string) => Promise<void>,
): ConformanceCase[] {
  return [asynchronousHalf, synchronousHalf].map((makeHalf) => ({
    name: `${name} (${makeHalf === asynchronousHalf ? 'asynchronous' : 'synchronous'})`,
    body: ({ vfs, dir }) => body(makeHalf(vfs), dir),
  }));
}

function asynchronousHalf(vfs: Vfs): Half {
  return {
    name: 'asynchronous',
    open: (path, mode) => vfs.open(path, mode),
    rename: (from, to) => vfs.rename(from, to),
    unlink: (path) => vfs.unlink(path),
    mkdir: (path) => vfs.mkdir(path),
    readdir: (path) => vfs.readdir(path),
    stat: (path) => vfs.stat(path),
    syncDir: (path) => vfs.syncDir(path),
    freeBytes: (path) => vfs.freeBytes(path),
  };
}

function synchronousHalf(vfs: Vfs): Half {
  return {
    name: 'synchronous',
    open: async (path, mode) => synchronousFile(vfs.openSync(path, mode)),
    rename: async (from, to) => vfs.renameSync(from, to),
    unlink: async (path) => vfs.unlinkSync(path),
    mkdir: async (path) => vfs.mkdirSync(path),
    readdir: async (path) => vfs.readdirSync(path),
    stat: async (path) => vfs.statSync(path),
    syncDir: async (path) => vfs.syncDirSync(path),
    freeBytes: async (path) => vfs.freeBytesSync(path),
  };
}

function synchronousFile(file: VfsFile): HalfFile {
  return {
    readAt: async (target, position) => file.readAtSync(target, position),
    writeAt: async (source, position) => file.writeAtSync(source, position),
    truncate: async (length) => file.truncateSync(length),
    sync: async (options) => file.syncSync(options),
    size: async () => file.sizeSync(),
    close: async () => file.closeSync(),
  };
}

/**
 * A `Vfs` that reads the real files and keeps every change in memory: recovery can be tried on a
 * directory without touching it.
 *
 *     read      what was changed here, else the real file
 *     write     a copy of the real file in memory (`COPY_BYTES_MAX`; a log writes to no large old file)
 *     names     the real ones, less those removed or renamed here, and those made here
 *
 * Invariants
 *  1. No call of the base that could change anything is ever made: only `open` for reading, `stat`,
 *     `readdir`, `freeBytes`, `inspectLock`.
 *  2. There is no lock to take: who tries gets `EROFS`.
 *
 * One thread; all state is in memory and goes with the object.
 */
import {
  dirname,
  joinPath,
  type LockState,
  type OpenMode,
  type Vfs,
  type VfsFile,
  type VfsLock,
  type VfsStat,
  vfsError,
} from '@nendb/vfs';
import { COPY_BYTES_MAX } from '../limits.js';
import { MemoryContent, MemoryFile } from './memory-file.js';

export class DryRunVfs implements Vfs {
  readonly clock: Vfs['clock'];
  readonly timers: Vfs['timers'];
  readonly random: Vfs['random'];
  readonly executor: Vfs['executor'];
  readonly #base: Vfs;
  readonly #files = new Map<string, MemoryContent>();
  readonly #directories = new Set<string>();
  readonly #removed = new Set<string>();

  constructor(base: Vfs) {
    this.#base = base;
    this.clock = base.clock;
    this.timers = base.timers;
    this.random = base.random;
    this.executor = base.executor;
  }

  async open(path: string, mode: OpenMode): Promise<VfsFile> {
    return this.openSync(path, mode);
  }

  openSync(path: string, mode: OpenMode): VfsFile {
    const name = joinPath(path);
    if (mode === 'create') {
      if (this.statSync(name) !== undefined) {
        throw vfsError('EEXIST', 'open', path, 'expected no file of this name, got one');
      }
      const content = new MemoryContent();
      this.#files.set(name, content);
      return new MemoryFile(path, content);
    }
    const changed = this.#files.get(name);
    if (changed !== undefined) return new MemoryFile(path, changed);
    this.#assertThere(name, 'open');
    return mode === 'read' ? this.#base.openSync(path, 'read') : this.#openCopy(path, name);
  }

  async rename(from: string, to: string): Promise<void> {
    this.renameSync(from, to);
  }

  renameSync(from: string, to: string): void {
    const source = joinPath(from);
    const content = this.#files.get(source) ?? this.#copyOf(source);
    this.#remove(source);
    this.#files.set(joinPath(to), content);
  }

  async unlink(path: string): Promise<void> {
    this.unlinkSync(path);
  }

  unlinkSync(path: string): void {
    const name = joinPath(path);
    if (this.statSync(name) === undefined) throw missing('unlink', path);
    this.#remove(name);
  }

  async mkdir(path: string): Promise<void> {
    this.mkdirSync(path);
  }

  mkdirSync(path: string): void {
    for (let name = joinPath(path); this.statSync(name) === undefined; name = dirname(name)) {
      this.#directories.add(name);
    }
    if (this.statSync(path)?.kind === 'directory') return;
    throw vfsError('EEXIST', 'mkdir', path, 'expected no file of this name, got one');
  }

  async readdir(path: string): Promise<string[]> {
    return this.readdirSync(path);
  }

  readdirSync(path: string): string[] {
    const directory = joinPath(path);
    const isReal = this.#base.statSync(directory) !== undefined;
    if (!isReal && !this.#directories.has(directory)) throw missing('readdir', path);
    const names = new Set(isReal ? this.#base.readdirSync(directory) : []);
    const prefix = `${directory}/`;
    for (const name of this.#removed) names.delete(name.slice(prefix.length));
    for (const made of [...this.#files.keys(), ...this.#directories]) {
      const rest = made.startsWith(prefix) ? made.slice(prefix.length) : '';
      if (rest !== '' && !rest.includes('/')) names.add(rest);
    }
    return [...names];
  }

  async stat(path: string): Promise<VfsStat | undefined> {
    return this.statSync(path);
  }

  statSync(path: string): VfsStat | undefined {
    const name = joinPath(path);
    const content = this.#files.get(name);
    if (content !== undefined) {
      return { kind: 'file', size: content.size, modifiedMs: this.clock.wallMs() };
    }
    if (this.#directories.has(name)) {
      return { kind: 'directory', size: 0, modifiedMs: this.clock.wallMs() };
    }
    return this.#removed.has(name) ? undefined : this.#base.statSync(name);
  }

  async syncDir(path: string): Promise<void> {
    this.syncDirSync(path);
  }

  syncDirSync(path: string): void {
    if (this.statSync(path) === undefined) throw missing('fsync', path);
  }

  freeBytes(path: string): Promise<number> {
    return this.#base.freeBytes(path);
  }

  freeBytesSync(path: string): number {
    return this.#base.freeBytesSync(path);
  }

  async lock(path: string): Promise<VfsLock> {
    throw vfsError('EROFS', 'flock', path, 'expected a dry run to take no lock, got a request');
  }

  inspectLock(path: string): Promise<LockState> {
    return this.#base.inspectLock(path);
  }

  #openCopy(path: string, name: string): VfsFile {
    const content = this.#copyOf(name);
    this.#files.set(name, content);
    return new MemoryFile(path, content);
  }

  #copyOf(name: string): MemoryContent {
    this.#assertThere(name, 'open');
    const file = this.#base.openSync(name, 'read');
    try {
      const size = file.sizeSync();
      if (size > COPY_BYTES_MAX) {
        const got = `one of ${size} bytes`;
        throw vfsError(
          'EFBIG',
          'open',
          name,
          `expected a file below ${COPY_BYTES_MAX}, got ${got}`,
        );
      }
      const bytes = Buffer.alloc(size);
      return new MemoryContent(bytes.subarray(0, file.readAtSync(bytes, 0)));
    } finally {
      file.closeSync();
    }
  }

  #assertThere(name: string, syscall: string): void {
    if (this.#removed.has(name)) throw missing(syscall, name);
  }

  #remove(name: string): void {
    this.#files.delete(name);
    this.#removed.add(name);
  }
}

function missing(syscall: string, path: string): Error {
  return vfsError('ENOENT', syscall, path, 'expected it to be there, got nothing');
}

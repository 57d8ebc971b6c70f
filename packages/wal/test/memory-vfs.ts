/**
 * Files in memory, and nothing else of a machine: for tests that open a log a hundred thousand times.
 *
 * Every call is done when it is made. Bytes that were given are never written to, and what changes
 * anything is counted, so that "nothing was changed" is cheap to see. Timers never fire.
 */
import { type OpenMode, type Vfs, type VfsFile, type VfsStat, vfsError } from '@nendb/vfs';
import { Prng } from '@nendb/vfs/sim';

const NEVER = { cancel: (): void => undefined };

/** The content of a file, whatever its name is. */
interface Content {
  bytes: Uint8Array;
  /** Whether `bytes` may be written to. */
  own: boolean;
}

export class MemoryVfs implements Vfs {
  /** Calls that changed something. */
  changes = 0;
  /** By path. */
  readonly #files = new Map<string, Content>();
  readonly #dice = new Prng(1, 1);
  #nowMs = 0;

  /** `files` by name, in the directory `dir`. */
  constructor(dir: string, files: Iterable<readonly [name: string, bytes: Uint8Array]>) {
    for (const [name, bytes] of files) this.#files.set(`${dir}/${name}`, { bytes, own: false });
  }

  readonly clock = { wallMs: () => 1_700_000_000_000, monotonicMs: () => this.#nowMs++ };
  readonly timers = { after: () => NEVER, turnEnd: () => undefined };
  readonly random = {
    fill: (target: Uint8Array): void => this.#dice.fill(target),
    uuid: (): Uint8Array => {
      const bytes = new Uint8Array(16);
      this.#dice.fill(bytes);
      return bytes;
    },
  };
  readonly executor = { start: () => Promise.reject(new Error('there are no threads')) };

  openSync(path: string, mode: OpenMode): VfsFile {
    if (mode === 'create') {
      this.changes++;
      this.#files.set(path, { bytes: new Uint8Array(0), own: true });
    }
    return new MemoryFile(this, path, this.#content(path, 'open'));
  }

  renameSync(from: string, to: string): void {
    this.changes++;
    this.#files.set(to, this.#content(from, 'rename'));
    this.#files.delete(from);
  }

  unlinkSync(path: string): void {
    this.changes++;
    this.#content(path, 'unlink');
    this.#files.delete(path);
  }

  readdirSync(path: string): string[] {
    const prefix = `${path}/`;
    const names: string[] = [];
    for (const each of this.#files.keys()) {
      if (each.startsWith(prefix)) names.push(each.slice(prefix.length));
    }
    return names;
  }

  /** What holds files is a directory. */
  statSync(path: string): VfsStat | undefined {
    const content = this.#files.get(path);
    if (content) return { kind: 'file', size: content.bytes.length, modifiedMs: 0 };
    if (this.readdirSync(path).length === 0) return undefined;
    return { kind: 'directory', size: 0, modifiedMs: 0 };
  }

  mkdirSync(): void {}
  syncDirSync(): void {}
  freeBytesSync = (): number => 2 ** 40;

  async open(path: string, mode: OpenMode): Promise<VfsFile> {
    return this.openSync(path, mode);
  }

  async rename(from: string, to: string): Promise<void> {
    this.renameSync(from, to);
  }

  async unlink(path: string): Promise<void> {
    this.unlinkSync(path);
  }

  async readdir(path: string): Promise<string[]> {
    return this.readdirSync(path);
  }

  async stat(path: string): Promise<VfsStat | undefined> {
    return this.statSync(path);
  }

  async mkdir(): Promise<void> {}
  async syncDir(): Promise<void> {}

  async freeBytes(): Promise<number> {
    return this.freeBytesSync();
  }

  async lock(path: string): Promise<never> {
    throw vfsError('ENOTSUP', 'lock', path, 'expected a log that is opened with lock: false');
  }

  async inspectLock(): Promise<{ held: boolean }> {
    return { held: false };
  }

  #content(path: string, call: string): Content {
    const content = this.#files.get(path);
    if (content) return content;
    throw vfsError('ENOENT', call, path, 'expected a file, got nothing');
  }
}

class MemoryFile implements VfsFile {
  readonly #vfs: MemoryVfs;
  readonly #content: Content;

  constructor(
    vfs: MemoryVfs,
    readonly path: string,
    content: Content,
  ) {
    this.#vfs = vfs;
    this.#content = content;
  }

  readAtSync(target: Uint8Array, position: number): number {
    const found = this.#content.bytes.subarray(position, position + target.length);
    target.set(found);
    return found.length;
  }

  writeAtSync(source: Uint8Array, position: number): number {
    const { bytes } = this.#resized(Math.max(this.sizeSync(), position + source.length));
    bytes.set(source, position);
    return source.length;
  }

  truncateSync(length: number): void {
    this.#resized(length);
  }

  sizeSync(): number {
    return this.#content.bytes.length;
  }

  syncSync(): void {}
  closeSync(): void {}

  async readAt(target: Uint8Array, position: number): Promise<number> {
    return this.readAtSync(target, position);
  }

  async writeAt(source: Uint8Array, position: number): Promise<number> {
    return this.writeAtSync(source, position);
  }

  async truncate(length: number): Promise<void> {
    this.truncateSync(length);
  }

  async size(): Promise<number> {
    return this.sizeSync();
  }

  async sync(): Promise<void> {}
  async close(): Promise<void> {}

  #resized(length: number): Content {
    const content = this.#content;
    this.#vfs.changes++;
    if (content.own && content.bytes.length === length) return content;
    const bytes = new Uint8Array(length);
    bytes.set(content.bytes.subarray(0, length));
    content.bytes = bytes;
    content.own = true;
    return content;
  }
}

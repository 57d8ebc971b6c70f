/**
 * A simulated machine whose asynchronous calls are done when they are made, by their synchronous twins.
 *
 * For openings in a sweep: they do one thing after the other, so that there is no order to choose, and a
 * turn of the event loop for each step would cost more than all that they do. Same operations, same
 * history, same images.
 */
import type { Vfs, VfsFile } from '@nendb/vfs';
import type { SimVfs } from '@nendb/vfs/sim';

export function promptly(sim: SimVfs): Vfs {
  const vfs: Vfs = {
    clock: sim.clock,
    timers: sim.timers,
    random: sim.random,
    executor: sim.executor,
    open: async (path, mode) => new PromptFile(sim.openSync(path, mode)),
    openSync: (path, mode) => new PromptFile(sim.openSync(path, mode)),
    rename: async (from, to) => sim.renameSync(from, to),
    renameSync: (from, to) => sim.renameSync(from, to),
    unlink: async (path) => sim.unlinkSync(path),
    unlinkSync: (path) => sim.unlinkSync(path),
    mkdir: async (path) => sim.mkdirSync(path),
    mkdirSync: (path) => sim.mkdirSync(path),
    readdir: async (path) => sim.readdirSync(path),
    readdirSync: (path) => sim.readdirSync(path),
    stat: async (path) => sim.statSync(path),
    statSync: (path) => sim.statSync(path),
    syncDir: async (path) => sim.syncDirSync(path),
    syncDirSync: (path) => sim.syncDirSync(path),
    freeBytes: async (path) => sim.freeBytesSync(path),
    freeBytesSync: (path) => sim.freeBytesSync(path),
    lock: (path) => sim.lock(path),
    inspectLock: (path) => sim.inspectLock(path),
  };
  return vfs;
}

class PromptFile implements VfsFile {
  readonly #file: VfsFile;

  constructor(file: VfsFile) {
    this.#file = file;
  }

  get path(): string {
    return this.#file.path;
  }

  async readAt(target: Uint8Array, position: number): Promise<number> {
    return this.#file.readAtSync(target, position);
  }

  readAtSync(target: Uint8Array, position: number): number {
    return this.#file.readAtSync(target, position);
  }

  async writeAt(source: Uint8Array, position: number): Promise<number> {
    return this.#file.writeAtSync(source, position);
  }

  writeAtSync(source: Uint8Array, position: number): number {
    return this.#file.writeAtSync(source, position);
  }

  async truncate(length: number): Promise<void> {
    this.#file.truncateSync(length);
  }

  truncateSync(length: number): void {
    this.#file.truncateSync(length);
  }

  async sync(options?: { dataOnly?: boolean }): Promise<void> {
    this.#file.syncSync(options);
  }

  syncSync(options?: { dataOnly?: boolean }): void {
    this.#file.syncSync(options);
  }

  async size(): Promise<number> {
    return this.#file.sizeSync();
  }

  sizeSync(): number {
    return this.#file.sizeSync();
  }

  async close(): Promise<void> {
    this.#file.closeSync();
  }

  closeSync(): void {
    this.#file.closeSync();
  }
}

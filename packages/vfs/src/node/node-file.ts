/**
 * An open file of the real file system, by descriptor number.
 *
 * Invariants
 *  1. A descriptor is used only while open: after `close` every call fails with `EBADF`, because
 *     the kernel may already have given the number to another file.
 *  2. `close` waits for the operations in flight; `closeSync` cannot, and refuses (`EBUSY`).
 *  3. Every error names the path.
 *
 * Concurrency: any number of asynchronous calls at once; they run on libuv's pool in no particular
 * order.
 */
import fs from 'node:fs';
import { vfsError } from '../errors.js';
import type { VfsFile } from '../vfs.js';
import { withPath } from './errno.js';

type Done<T> = (error: Error | null, value?: T) => void;

export class NodeFile implements VfsFile {
  #descriptor: number;
  #inFlight = 0;
  #closing = false;
  #idle: (() => void) | undefined;

  constructor(
    readonly path: string,
    descriptor: number,
  ) {
    this.#descriptor = descriptor;
  }

  async readAt(target: Uint8Array, position: number): Promise<number> {
    if (target.length === 0) return 0;
    return this.#start('read', (fd, settle) => readOn(fd, target, 0, position, settle));
  }

  readAtSync(target: Uint8Array, position: number): number {
    let done = 0;
    while (done < target.length) {
      const from = done;
      const count = this.#run('read', (fd) =>
        fs.readSync(fd, target, from, target.length - from, position + from),
      );
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  writeAt(source: Uint8Array, position: number): Promise<number> {
    return this.#start('write', (fd, settle) =>
      fs.write(fd, source, 0, source.length, position, settle),
    );
  }

  writeAtSync(source: Uint8Array, position: number): number {
    return this.#run('write', (fd) => fs.writeSync(fd, source, 0, source.length, position));
  }

  truncate(length: number): Promise<void> {
    return this.#start('ftruncate', (fd, settle) => fs.ftruncate(fd, length, settle));
  }

  truncateSync(length: number): void {
    this.#run('ftruncate', (fd) => fs.ftruncateSync(fd, length));
  }

  sync(options?: { dataOnly?: boolean }): Promise<void> {
    return options?.dataOnly
      ? this.#start('fdatasync', (fd, settle) => fs.fdatasync(fd, settle))
      : this.#start('fsync', (fd, settle) => fs.fsync(fd, settle));
  }

  syncSync(options?: { dataOnly?: boolean }): void {
    if (options?.dataOnly) this.#run('fdatasync', (fd) => fs.fdatasyncSync(fd));
    else this.#run('fsync', (fd) => fs.fsyncSync(fd));
  }

  async size(): Promise<number> {
    const stats = await this.#start<fs.Stats>('fstat', (fd, settle) => fs.fstat(fd, settle));
    return stats.size;
  }

  sizeSync(): number {
    return this.#run('fstat', (fd) => fs.fstatSync(fd)).size;
  }

  async close(): Promise<void> {
    const descriptor = this.#open('close');
    this.#closing = true;
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    this.#descriptor = -1;
    await new Promise<void>((resolve, reject) => {
      fs.close(descriptor, (error) => (error ? reject(withPath(error, this.path)) : resolve()));
    });
  }

  closeSync(): void {
    const descriptor = this.#open('close');
    if (this.#inFlight > 0) {
      throw vfsError(
        'EBUSY',
        'close',
        this.path,
        `expected no operation in flight, got ${this.#inFlight}: await them, or use close()`,
      );
    }
    this.#closing = true;
    this.#descriptor = -1;
    try {
      fs.closeSync(descriptor);
    } catch (error) {
      throw withPath(error, this.path);
    }
  }

  #open(syscall: string): number {
    if (this.#closing) {
      throw vfsError('EBADF', syscall, this.path, 'expected an open file, got a closed one');
    }
    return this.#descriptor;
  }

  #run<T>(syscall: string, call: (fd: number) => T): T {
    const descriptor = this.#open(syscall);
    try {
      return call(descriptor);
    } catch (error) {
      throw withPath(error, this.path);
    }
  }

  #start<T = void>(syscall: string, call: (fd: number, settle: Done<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const descriptor = this.#open(syscall);
      call(descriptor, (error, value) => {
        this.#inFlight--;
        if (this.#inFlight === 0) this.#idle?.();
        if (error) reject(withPath(error, this.path));
        else resolve(value as T);
      });
      this.#inFlight++;
    });
  }
}

/** Reads what is missing after `done` bytes: a short read is one call of the file, not several. */
function readOn(
  fd: number,
  target: Uint8Array,
  done: number,
  position: number,
  settle: Done<number>,
): void {
  fs.read(fd, target, done, target.length - done, position + done, (error, count) => {
    if (error !== null || count === 0 || done + count === target.length)
      settle(error, done + count);
    else readOn(fd, target, done + count, position, settle);
  });
}

/**
 * An open file of a simulated machine.
 *
 * Invariants
 *  1. A closed file refuses every call (`EBADF`), and the machine takes note: on a real machine the
 *     number may be another file's by now.
 *  2. `close` waits for the operations in flight; `closeSync` refuses while there are any (`EBUSY`).
 *  3. The target of an asynchronous read holds rubbish until the promise settles, and the source of
 *     an asynchronous write must not change until then: both belong to the machine.
 */
import { vfsError } from '../errors.js';
import type { VfsFile } from '../vfs.js';
import type { Machine, Operation } from './machine.js';
import { SECTOR_BYTES } from './sector.js';

/** What a read's target holds while the read is in flight. */
const RUBBISH = 0xdb;

export class SimFile implements VfsFile {
  readonly #machine: Machine;
  readonly #writable: boolean;
  #closed = false;
  #inFlight = 0;
  #idle: (() => void) | undefined;

  constructor(
    machine: Machine,
    readonly path: string,
    readonly inode: number,
    writable: boolean,
  ) {
    this.#machine = machine;
    this.#writable = writable;
    machine.descriptors.add(this);
  }

  readAt(target: Uint8Array, position: number): Promise<number> {
    const operation = this.#read(target, position);
    if (!this.#closed) target.fill(RUBBISH);
    return this.#later(operation);
  }

  readAtSync(target: Uint8Array, position: number): number {
    return this.#now(this.#read(target, position));
  }

  writeAt(source: Uint8Array, position: number): Promise<number> {
    return this.#later(this.#write(source, position, new Uint8Array(source)));
  }

  writeAtSync(source: Uint8Array, position: number): number {
    return this.#now(this.#write(source, position, source));
  }

  truncate(length: number): Promise<void> {
    return this.#later(this.#truncate(length));
  }

  truncateSync(length: number): void {
    this.#now(this.#truncate(length));
  }

  sync(): Promise<void> {
    return this.#later(this.#sync());
  }

  syncSync(): void {
    this.#now(this.#sync());
  }

  size(): Promise<number> {
    return this.#later(this.#size());
  }

  sizeSync(): number {
    return this.#now(this.#size());
  }

  async close(): Promise<void> {
    this.#refuseClosed('close');
    this.#closed = true;
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    await this.#machine.scheduler.later(`close ${this.path}`, 0, () =>
      this.#machine.descriptors.delete(this),
    );
  }

  closeSync(): void {
    this.#refuseClosed('close');
    if (this.#inFlight > 0) {
      this.#machine.violations.push(`closeSync of ${this.path} with operations in flight`);
      throw vfsError(
        'EBUSY',
        'close',
        this.path,
        `expected no operation in flight, got ${this.#inFlight}: await them, or use close()`,
      );
    }
    this.#closed = true;
    this.#machine.descriptors.delete(this);
  }

  #read(target: Uint8Array, position: number): Operation<number> {
    return {
      kind: 'read',
      path: this.path,
      run: () => this.#machine.disk.file(this.inode).cache.read(target, position),
    };
  }

  /** `held` is what `source` held when the call was made. */
  #write(source: Uint8Array, position: number, held: Uint8Array): Operation<number> {
    const { disk, faults } = this.#machine;
    return {
      kind: 'write',
      path: this.path,
      run: () => {
        this.#refuseReadOnly('write', 'EBADF');
        if (source !== held && Buffer.compare(source, held) !== 0) {
          this.#machine.violations.push(`a buffer changed while it was written to ${this.path}`);
        }
        if (source.length === 0) return 0;
        const fits = this.#fitting(position, faults.admitWrite(this.path, source.length));
        disk.write(this.inode, this.path, source.subarray(0, fits), position);
        return fits;
      },
    };
  }

  /** How many of `bytes` bytes at `position` the disk has space for. Throws `ENOSPC` at none. */
  #fitting(position: number, bytes: number): number {
    const { disk, faults } = this.#machine;
    if (faults.diskBytesMax === Number.POSITIVE_INFINITY) return bytes;
    const { cache } = disk.file(this.inode);
    let free = this.#machine.freeBytes();
    let fits = 0;
    while (fits < bytes) {
      const index = Math.floor((position + fits) / SECTOR_BYTES);
      if (cache.sector(index) === undefined) {
        if (free < SECTOR_BYTES) break;
        free -= SECTOR_BYTES;
      }
      fits = Math.min(bytes, (index + 1) * SECTOR_BYTES - position);
    }
    if (fits === 0) throw faults.noSpace(this.path);
    if (fits < bytes) faults.count('short-write');
    return fits;
  }

  #truncate(length: number): Operation<void> {
    return {
      kind: 'truncate',
      path: this.path,
      run: () => {
        this.#refuseReadOnly('ftruncate', 'EINVAL');
        this.#machine.disk.truncate(this.inode, this.path, length);
      },
    };
  }

  #sync(): Operation<void> {
    const { disk } = this.#machine;
    const captured = disk.file(this.inode).cache;
    return {
      kind: 'sync',
      path: this.path,
      run: () => disk.sync(this.inode, this.path, captured),
      lose: (failure) => disk.loseSync(this.inode, this.path, captured, failure),
    };
  }

  #size(): Operation<number> {
    return {
      kind: 'size',
      path: this.path,
      run: () => this.#machine.disk.file(this.inode).cache.size,
    };
  }

  #now<T>(operation: Operation<T>): T {
    this.#refuseClosed(operation.kind);
    return this.#machine.now(operation);
  }

  async #later<T>(operation: Operation<T>): Promise<T> {
    this.#refuseClosed(operation.kind);
    this.#inFlight++;
    try {
      return await this.#machine.later(operation);
    } finally {
      this.#inFlight--;
      if (this.#inFlight === 0) this.#idle?.();
    }
  }

  #refuseClosed(syscall: string): void {
    if (!this.#closed) return;
    this.#machine.violations.push(`${syscall} of ${this.path} after close`);
    throw vfsError('EBADF', syscall, this.path, 'expected an open file, got a closed one');
  }

  #refuseReadOnly(syscall: string, code: string): void {
    if (this.#writable) return;
    throw vfsError(code, syscall, this.path, 'expected a file open for writing');
  }
}

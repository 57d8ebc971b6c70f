/**
 * An open file of a simulated machine.
 *
 * Invariants
 *  1. A closed file refuses every call (`EBADF`), and the machine takes note: on a real machine the
 *     number may be another file's by now.
 *  2. `close` waits for the operations in flight; `closeSync` refuses while there are any (`EBUSY`).
 *  3. The target of an asynchronous read holds rubbish until the promise settles, and the source of
 *     an asynchronous write must not change until then: both belong to the machine.
 *  4. A read that the kernel cuts short is continued, as on a real machine; other operations can come
 *     between its parts.
 */
import { vfsError } from '../errors.js';
import type { VfsFile } from '../vfs.js';
import type { Machine, Operation } from './machine.js';
import { SECTOR_BYTES } from './sector.js';

/** What one system call read. */
interface ReadPart {
  readonly bytes: number;
  /** Whether there was more, which the kernel did not give. */
  readonly cut: boolean;
}

/** What a read's target holds while the read is in flight. */
const RUBBISH = 0xdb;

export class SimFile implements VfsFile {
  readonly #machine: Machine;
  readonly #writable: boolean;
  #closed = false;
  #inFlight = 0;
  #idle: (() => void) | undefined;
  /** The newest write-back error that this descriptor has been told of. */
  #toldError: number;

  constructor(
    machine: Machine,
    readonly path: string,
    readonly inode: number,
    writable: boolean,
  ) {
    this.#machine = machine;
    this.#writable = writable;
    this.#toldError = machine.writebackErrors.sample(inode);
    machine.descriptors.add(this);
  }

  readAt(target: Uint8Array, position: number): Promise<number> {
    if (!this.#closed) target.fill(RUBBISH);
    return this.#inFlightWhile('read', async () => {
      let done = 0;
      for (;;) {
        const part = await this.#machine.later(this.#read(target, done, position));
        done += part.bytes;
        if (!part.cut) return done;
      }
    });
  }

  readAtSync(target: Uint8Array, position: number): number {
    let done = 0;
    for (;;) {
      const part = this.#now(this.#read(target, done, position));
      done += part.bytes;
      if (!part.cut) return done;
    }
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
      this.#machine.violate(
        'close-in-flight',
        `closeSync of ${this.path} with operations in flight`,
      );
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

  /** Reads what is missing after `done` bytes of a read at `position`. */
  #read(target: Uint8Array, done: number, position: number): Operation<ReadPart> {
    const { disk, faults } = this.#machine;
    return {
      kind: 'read',
      path: this.path,
      run: () => {
        const { cache } = disk.file(this.inode);
        const rest = done === 0 ? target : target.subarray(done);
        const from = faults.media.place('read', this.path, position + done);
        const there = Math.max(0, Math.min(rest.length, cache.size - from));
        if (there === 0) return { bytes: 0, cut: false };
        const good = faults.media.admit('read', this.path, from, there);
        const given = Math.min(good, faults.admitRead(this.path, there));
        cache.read(rest.subarray(0, given), from);
        return { bytes: given, cut: given < there };
      },
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
          this.#machine.violate(
            'buffer-changed',
            `a buffer changed while it was written to ${this.path}`,
          );
        }
        faults.resources.refuseChange('write', this.path);
        if (source.length === 0) return 0;
        const good = faults.media.admit('write', this.path, position, source.length);
        const fits = this.#fitting(
          position,
          Math.min(good, faults.admitWrite(this.path, source.length)),
        );
        const place = faults.media.place('write', this.path, position);
        disk.write(this.inode, this.path, source.subarray(0, fits), place);
        this.#writeBack();
        return fits;
      },
    };
  }

  /** The kernel may write pages back when it likes, and fail at it with nobody there to be told. */
  #writeBack(): void {
    const { disk, faults, writebackErrors } = this.#machine;
    const error = faults.losesWriteback(this.path);
    if (error === undefined) return;
    disk.loseSync(this.inode, this.path, disk.file(this.inode).cache, 'clean-new');
    writebackErrors.record(this.inode, error, false);
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
    if (fits < bytes) this.#machine.coverage.count('short-write');
    return fits;
  }

  #truncate(length: number): Operation<void> {
    return {
      kind: 'truncate',
      path: this.path,
      run: () => {
        this.#refuseReadOnly('ftruncate', 'EINVAL');
        this.#machine.faults.resources.refuseChange('ftruncate', this.path);
        this.#machine.disk.truncate(this.inode, this.path, length);
      },
    };
  }

  #sync(): Operation<void> {
    const { disk, faults, writebackErrors } = this.#machine;
    const startedAt = disk.history.count;
    const captured = disk.file(this.inode).cache;
    return {
      kind: 'sync',
      path: this.path,
      run: () => {
        if (disk.file(this.inode).clean !== captured) {
          faults.resources.refuseChange('sync', this.path);
        }
        disk.sync(this.inode, this.path, captured, startedAt);
        this.#tellOfLostPages();
      },
      lose: (failure, error) => {
        disk.loseSync(this.inode, this.path, captured, failure);
        const told = failure !== 'late';
        const sequence = writebackErrors.record(this.inode, error.code, told);
        if (told) this.#toldError = sequence;
      },
    };
  }

  /** A sync also reports, once, what was lost before it. */
  #tellOfLostPages(): void {
    const { coverage, writebackErrors } = this.#machine;
    const lost = writebackErrors.tell(this.inode, this.#toldError);
    if (lost === undefined) return;
    this.#toldError = lost.sequence;
    coverage.count('sync:reported-late');
    throw vfsError(lost.error, 'sync', this.path, 'an earlier write-back failed');
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

  #later<T>(operation: Operation<T>): Promise<T> {
    return this.#inFlightWhile(operation.kind, () => this.#machine.later(operation));
  }

  /** Does a call of one or more operations; `close` waits for the whole of it. */
  async #inFlightWhile<T>(syscall: string, call: () => Promise<T>): Promise<T> {
    this.#refuseClosed(syscall);
    this.#inFlight++;
    try {
      return await call();
    } finally {
      this.#inFlight--;
      if (this.#inFlight === 0) this.#idle?.();
    }
  }

  #refuseClosed(syscall: string): void {
    if (!this.#closed) return;
    this.#machine.violate('use-after-close', `${syscall} of ${this.path} after close`);
    throw vfsError('EBADF', syscall, this.path, 'expected an open file, got a closed one');
  }

  #refuseReadOnly(syscall: string, code: string): void {
    if (this.#writable) return;
    throw vfsError(code, syscall, this.path, 'expected a file open for writing');
  }
}

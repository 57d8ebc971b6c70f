/**
 * The calls of a `Vfs` on names and the disk as a whole, each as one `Operation` of the machine; both
 * halves of the `Vfs` use them. Calls on open files are in `sim-file.ts`.
 */
import { posix } from 'node:path';
import { vfsError } from '../errors.js';
import type { LockOwner, OpenMode, VfsFile, VfsLock, VfsStat } from '../vfs.js';
import type { Disk } from './disk.js';
import type { Machine, Operation } from './machine.js';
import type { OpKind } from './op-kind.js';
import type { Prng } from './prng.js';
import type { ResourceFaults } from './resource-faults.js';
import { SimFile } from './sim-file.js';
import type { LockTable } from './sim-lock.js';

export class VfsOperations {
  readonly #machine: Machine;
  readonly #disk: Disk;
  readonly #resources: ResourceFaults;
  readonly #listDice: Prng;

  constructor(machine: Machine, listDice: Prng) {
    this.#machine = machine;
    this.#disk = machine.disk;
    this.#resources = machine.faults.resources;
    this.#listDice = listDice;
  }

  open(path: string, mode: OpenMode): Operation<VfsFile> {
    return at(mode === 'create' ? 'create' : 'open', path, (normalized) => {
      this.#takeDescriptor(normalized);
      const exists = this.#disk.find(normalized, 'open') !== undefined;
      if (exists !== (mode === 'create')) {
        this.#resources.admit(mode === 'read' ? 'read' : 'write', 'open', normalized);
      }
      const inode =
        mode === 'create' ? this.#disk.createFile(normalized) : this.#disk.openFile(normalized);
      return new SimFile(this.#machine, path, inode, mode !== 'read');
    });
  }

  rename(from: string, to: string): Operation<void> {
    const target = normalize(to);
    return at('rename', from, (source) => {
      this.#resources.admit('write', 'rename', source);
      this.#resources.admit('write', 'rename', target);
      this.#disk.rename(source, target);
    });
  }

  unlink(path: string): Operation<void> {
    return at('unlink', path, (normalized) => {
      this.#resources.admit('write', 'unlink', normalized);
      this.#disk.unlink(normalized);
    });
  }

  mkdir(path: string): Operation<void> {
    return at('mkdir', path, (normalized) => {
      if (this.#disk.stat(normalized) === undefined) {
        this.#resources.admit('write', 'mkdir', normalized);
      }
      this.#disk.makeDirectory(normalized);
    });
  }

  /** Names come in no particular order, and not in the same one each time. */
  readdir(path: string): Operation<string[]> {
    return at('readdir', path, (normalized) => {
      this.#resources.admit('read', 'scandir', normalized);
      const names = this.#disk.list(normalized);
      const shuffled = this.#listDice.shuffle(names.slice());
      if (shuffled.some((name, i) => name !== names[i])) {
        this.#machine.coverage.count('shuffled-readdir');
      }
      return shuffled;
    });
  }

  stat(path: string): Operation<VfsStat | undefined> {
    return at('stat', path, (normalized) => this.#disk.stat(normalized));
  }

  syncDir(path: string): Operation<void> {
    const { writebackErrors, coverage } = this.#machine;
    const startedAt = this.#disk.history.count;
    const normalized = normalize(path);
    return {
      kind: 'syncDir',
      path: normalized,
      run: () => {
        this.#takeDescriptor(normalized);
        const inode = this.#disk.directoryAt(normalized);
        this.#resources.admit('read', 'open', normalized);
        this.#disk.syncDirectory(inode, normalized, startedAt);
        // The descriptor is this call's own: it counts as told of what somebody was told before.
        const lost = writebackErrors.tell(inode, writebackErrors.sample(inode));
        if (lost === undefined) return;
        coverage.count('sync:reported-late');
        throw vfsError(lost.error, 'sync', normalized, 'an earlier write-back failed');
      },
      lose: (failure, error) => {
        const inode = this.#disk.directoryAt(normalized);
        this.#disk.loseDirectorySync(inode, normalized, startedAt);
        writebackErrors.record(inode, error.code, failure !== 'late');
      },
    };
  }

  freeBytes(path: string): Operation<number> {
    return at('freeBytes', path, (normalized) => {
      this.#disk.resolve(normalized, 'statfs');
      return this.#machine.freeBytes();
    });
  }

  lock(path: string, locks: LockTable, owner: LockOwner): Operation<VfsLock> {
    return at('lock', path, (normalized) => {
      this.#takeDescriptor(normalized);
      this.#resources.admit('write', 'open', normalized);
      return locks.take(this.#disk, normalized, owner);
    });
  }

  #takeDescriptor(path: string): void {
    this.#resources.takeDescriptor(path, this.#machine.descriptors.size);
  }
}

/** A machine has one file system and no working directory: relative paths start at the root. */
export function normalize(path: string): string {
  return posix.resolve('/', path);
}

function at<T>(kind: OpKind, path: string, run: (normalized: string) => T): Operation<T> {
  const normalized = normalize(path);
  return { kind, path: normalized, run: () => run(normalized) };
}

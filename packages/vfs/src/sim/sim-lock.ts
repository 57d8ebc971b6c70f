/**
 * Locks of a simulated machine: exclusive while it runs, gone when it dies.
 *
 * The owner stands in the file as JSON, as on a real machine. It is written through to the disk:
 * what a crash does to a text for people would only blur the count of images that matter.
 */
import { VfsLockedError, vfsError } from '../errors.js';
import type { LockOwner, LockState, VfsLock } from '../vfs.js';
import type { Disk } from './disk.js';

export class LockTable {
  readonly #held = new Map<string, SimLock>();

  take(disk: Disk, path: string, owner: LockOwner): VfsLock {
    const holder = this.#held.get(path);
    if (holder !== undefined) throw new VfsLockedError(path, holder.owner);
    const found = disk.find(path, 'open');
    const inode = found === undefined ? disk.createFile(path) : disk.openFile(path);
    const lock = new SimLock(disk, path, inode, owner, () => this.#held.delete(path));
    this.#held.set(path, lock);
    return lock;
  }

  inspect(disk: Disk, path: string): LockState {
    const holder = this.#held.get(path);
    if (holder !== undefined) return { held: true, owner: holder.owner };
    if (disk.find(path, 'open') === undefined) return { held: false };
    const text = Buffer.from(disk.file(disk.openFile(path)).cache.bytes()).toString();
    return text === '' ? { held: false } : { held: false, owner: JSON.parse(text) as LockOwner };
  }
}

class SimLock implements VfsLock {
  readonly #disk: Disk;
  readonly #inode: number;
  readonly #forget: () => void;
  #owner: LockOwner;
  #released = false;

  constructor(
    disk: Disk,
    readonly path: string,
    inode: number,
    owner: LockOwner,
    forget: () => void,
  ) {
    this.#disk = disk;
    this.#inode = inode;
    this.#owner = owner;
    this.#forget = forget;
    this.#write(JSON.stringify(owner));
  }

  get owner(): LockOwner {
    return this.#owner;
  }

  publish(address: string): void {
    if (this.#released) {
      throw vfsError('EBADF', 'publish', this.path, 'expected a held lock, got a released one');
    }
    this.#owner = { ...this.#owner, address };
    this.#write(JSON.stringify(this.#owner));
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#write('');
    this.#forget();
  }

  #write(text: string): void {
    this.#disk.writeThrough(this.#inode, this.path, Buffer.from(text));
  }
}

/**
 * The simulated disk: names and inodes, what the cache shows and what would survive.
 *
 * Invariants
 *  1. Every change is one entry of the history, and is complete when the method returns.
 *  2. A sync makes durable what was in the cache when it *started* (its `capture`), no more: writes
 *     that came later stay dirty.
 *  3. A file's sync does not make its name durable; `syncDirectory` does, for the operations on that
 *     directory and for what must come before them (order is kept per name).
 *  4. Inodes are never forgotten: history, open descriptors and lost unlinks may still need them.
 */
import { vfsError } from '../errors.js';
import { basename } from '../path.js';
import type { VfsStat } from '../vfs.js';
import { FileContent } from './content.js';
import {
  applyDurably,
  type DirectoryNode,
  type DiskNode,
  type DiskState,
  type FileNode,
  hasUnwritten,
  type NameChange,
  ROOT_INODE,
} from './disk-state.js';
import { type Change, type ChangeKind, History, Versioned } from './history.js';
import { cleanFile } from './image.js';
import { PendingNames } from './pending-names.js';
import { SECTOR_BYTES } from './sector.js';
import { afterLostSync, afterSync, type SyncFailure } from './sync-outcome.js';

export class Disk {
  readonly history: History;
  readonly nodes = new Map<number, Versioned<DiskNode>>();
  readonly pending: PendingNames;
  /**
   * The history entry up to which a journal would have been committed by the syncs so far; -1 before
   * anything that an earlier boot left in the cache.
   */
  readonly committedAt: Versioned<number>;
  readonly #wallMs: () => number;
  #nextInode: number;

  constructor(state: DiskState, recording: boolean, wallMs: () => number) {
    this.history = new History(recording);
    this.pending = new PendingNames(this.history, state.pending);
    this.#wallMs = wallMs;
    this.#nextInode = ROOT_INODE + 1;
    for (const [inode, node] of state.nodes) {
      this.nodes.set(inode, new Versioned(this.history, node));
      this.#nextInode = Math.max(this.#nextInode, inode + 1);
    }
    this.committedAt = new Versioned(this.history, hasUnwritten(state) ? -1 : 0);
  }

  // Names

  /** The inode at a normalized absolute path, or `undefined`. Throws `ENOTDIR`. */
  find(path: string, syscall: string): number | undefined {
    let inode = ROOT_INODE;
    for (const name of path.split('/')) {
      if (name === '') continue;
      const node = this.#node(inode);
      if (node.kind !== 'directory') {
        throw vfsError('ENOTDIR', syscall, path, 'expected a directory on the way, got a file');
      }
      const next = node.entries.get(name);
      if (next === undefined) return undefined;
      inode = next;
    }
    return inode;
  }

  /** The inode at `path`. Throws `ENOENT`, `ENOTDIR`. */
  resolve(path: string, syscall: string): number {
    const inode = this.find(path, syscall);
    if (inode === undefined) {
      throw vfsError('ENOENT', syscall, path, 'expected something at the path, got nothing');
    }
    return inode;
  }

  openFile(path: string): number {
    const inode = this.resolve(path, 'open');
    if (this.#node(inode).kind !== 'file') {
      throw vfsError('EISDIR', 'open', path, 'expected a file, got a directory');
    }
    return inode;
  }

  createFile(path: string): number {
    const parent = this.#parent(path, 'open');
    if (this.find(path, 'open') !== undefined) {
      throw vfsError('EEXIST', 'open', path, 'expected a free name, got a taken one');
    }
    const at = this.#enter('create', path, '');
    const inode = this.#insert({
      kind: 'file',
      cache: FileContent.EMPTY,
      clean: FileContent.EMPTY,
      durable: FileContent.EMPTY,
      modifiedMs: this.#wallMs(),
    });
    this.#rename(at, [{ directory: parent, name: basename(path), inode }]);
    return inode;
  }

  /** Makes the missing directories of `path`, each its own entry. Throws `EEXIST` at a file. */
  makeDirectory(path: string): void {
    const names = path.split('/').filter((name) => name !== '');
    let parent = ROOT_INODE;
    for (let depth = 0; depth < names.length; depth++) {
      const made = `/${names.slice(0, depth + 1).join('/')}`;
      const node = this.#node(parent);
      if (node.kind !== 'directory') {
        throw vfsError('ENOTDIR', 'mkdir', path, 'expected a directory on the way, got a file');
      }
      let inode = node.entries.get(names[depth]);
      if (inode === undefined) {
        const at = this.#enter('mkdir', made, '');
        inode = this.#insert({
          kind: 'directory',
          entries: new Map(),
          durable: new Map(),
          modifiedMs: this.#wallMs(),
        });
        this.#rename(at, [{ directory: parent, name: names[depth], inode }]);
      }
      parent = inode;
    }
    if (this.#node(parent).kind !== 'directory') {
      throw vfsError('EEXIST', 'mkdir', path, 'expected a directory or nothing, got a file');
    }
  }

  unlink(path: string): void {
    const parent = this.#parent(path, 'unlink');
    const inode = this.resolve(path, 'unlink');
    if (this.#node(inode).kind === 'directory') {
      throw vfsError('EISDIR', 'unlink', path, 'expected a file, got a directory');
    }
    const at = this.#enter('unlink', path, '');
    this.#rename(at, [{ directory: parent, name: basename(path), inode: undefined }]);
  }

  rename(from: string, to: string): void {
    // Which of several errors comes is as Linux has it: both directories first.
    const sourceParent = this.#parent(from, 'rename');
    const targetParent = this.#parent(to, 'rename');
    const source = this.resolve(from, 'rename');
    const target = this.find(to, 'rename');
    const isDirectory = this.#node(source).kind === 'directory';
    if (isDirectory && to.startsWith(`${from}/`)) {
      throw vfsError('EINVAL', 'rename', from, 'expected a place outside the directory itself');
    }
    if (from.startsWith(`${to}/`)) {
      throw vfsError('ENOTEMPTY', 'rename', to, 'expected a target that does not hold the source');
    }
    if (source === target) return;
    const replaced = target === undefined ? undefined : this.#node(target);
    if (replaced?.kind === 'directory') {
      if (!isDirectory) throw vfsError('EISDIR', 'rename', to, 'expected a file, got a directory');
      if (replaced.entries.size > 0) {
        throw vfsError('ENOTEMPTY', 'rename', to, 'expected an empty directory, got a full one');
      }
    } else if (replaced !== undefined && isDirectory) {
      throw vfsError('ENOTDIR', 'rename', to, 'expected a directory, got a file');
    }
    const at = this.#enter('rename', from, `to ${to}`);
    this.#rename(at, [
      { directory: sourceParent, name: basename(from), inode: undefined },
      { directory: targetParent, name: basename(to), inode: source },
    ]);
  }

  list(path: string): string[] {
    const node = this.#node(this.resolve(path, 'scandir'));
    if (node.kind === 'directory') return [...node.entries.keys()];
    throw vfsError('ENOTDIR', 'scandir', path, 'expected a directory, got a file');
  }

  stat(path: string): VfsStat | undefined {
    let inode: number | undefined;
    try {
      inode = this.find(path, 'stat');
    } catch {
      return undefined;
    }
    if (inode === undefined) return undefined;
    const { kind, modifiedMs, ...node } = this.#node(inode);
    return { kind, size: 'cache' in node ? node.cache.size : 0, modifiedMs };
  }

  // Files

  file(inode: number): FileNode {
    const node = this.#node(inode);
    if (node.kind !== 'file') throw new Error(`expected inode ${inode} to be a file`);
    return node;
  }

  write(inode: number, path: string, source: Uint8Array, position: number): void {
    const file = this.file(inode);
    const extent = { inode, from: position, to: position + source.length };
    this.#enter('write', path, `${source.length} bytes at ${position}`, extent);
    this.#change(inode, {
      ...file,
      cache: file.cache.write(source, position),
      modifiedMs: this.#wallMs(),
    });
  }

  truncate(inode: number, path: string, length: number): void {
    const file = this.file(inode);
    this.#enter('truncate', path, `to ${length} bytes`);
    this.#change(inode, {
      ...file,
      cache: file.cache.resize(length),
      modifiedMs: this.#wallMs(),
    });
  }

  /** `captured` is the cache when the sync started, after history entry `startedAt`. */
  sync(inode: number, path: string, captured: FileContent, startedAt: number): void {
    this.#enter('sync', path, '');
    const file = this.file(inode);
    this.#change(inode, afterSync(file, captured));
    if (changesMetadata(file, captured)) this.#commit(startedAt);
  }

  /** A sync that fails: the kernel gives the dirty pages up, in the way that `failure` says. */
  loseSync(inode: number, path: string, captured: FileContent, failure: SyncFailure): void {
    this.#enter('sync', path, `failed, ${failure}`);
    this.#change(inode, afterLostSync(this.file(inode), captured, failure));
  }

  /** Makes name operations in `inode` durable up to and including history entry `startedAt`. */
  syncDirectory(inode: number, path: string, startedAt: number): void {
    const covered = this.pending.covered(inode, startedAt);
    this.#enter('syncDir', path, '');
    const durable = new Map<number, Map<string, number>>();
    applyDurably(covered, (directory) => {
      let names = durable.get(directory);
      if (names === undefined) {
        names = new Map(this.#directory(directory).durable);
        durable.set(directory, names);
      }
      return names;
    });
    for (const [directory, names] of durable) {
      this.#change(directory, { ...this.#directory(directory), durable: names });
    }
    this.pending.drop(covered);
    if (covered.length > 0) this.#commit(startedAt);
  }

  /** A directory sync that fails: its operations are taken for done, and are not. */
  loseDirectorySync(inode: number, path: string, startedAt: number): void {
    const covered = this.pending.covered(inode, startedAt);
    this.#enter('syncDir', path, 'failed, lost');
    this.pending.drop(covered);
  }

  directoryAt(path: string): number {
    const inode = this.resolve(path, 'open');
    if (this.#node(inode).kind === 'directory') return inode;
    throw vfsError('ENOTDIR', 'open', path, 'expected a directory, got a file');
  }

  /**
   * Makes `bytes` the whole content of a file, durable at once, its name included. For contents that
   * are of no interest to a crash.
   */
  writeThrough(inode: number, path: string, bytes: Uint8Array): void {
    this.#enter('write', path, `all of it: ${bytes.length} bytes, written through`);
    const content = FileContent.EMPTY.write(bytes, 0);
    this.#change(inode, cleanFile(content, this.#wallMs()));
    const directory = this.#parent(path, 'write');
    const node = this.#directory(directory);
    const durable = new Map(node.durable).set(basename(path), inode);
    this.#change(directory, { ...node, durable });
    this.pending.drop(this.pending.having((change) => change.inode === inode));
  }

  /** Writes everything to the disk, as a long quiet time would. Not an entry of the history. */
  flush(): void {
    for (const version of this.nodes.values()) {
      const node = version.current;
      version.set(
        node.kind === 'file'
          ? { ...node, clean: node.cache, durable: node.cache }
          : { ...node, durable: node.entries },
      );
    }
    this.pending.clear();
    this.committedAt.set(this.history.count);
  }

  /** The first name on `path` that a power cut could take or change; `undefined` where all hold. */
  unsafeName(path: string): string | undefined {
    let inode = ROOT_INODE;
    let walked = '';
    for (const name of path.split('/')) {
      if (name === '') continue;
      walked += `/${name}`;
      const node = this.#directory(inode);
      const next = node.entries.get(name);
      const changing = this.pending.having((c) => c.directory === inode && c.name === name);
      if (next === undefined || next !== node.durable.get(name) || changing.length > 0) {
        return walked;
      }
      inode = next;
    }
    return undefined;
  }

  /** Bytes that the files at these inodes take up. */
  allocatedBytes(inodes: Iterable<number>): number {
    let sectors = 0;
    for (const inode of inodes) sectors += this.file(inode).cache.allocatedSectors();
    return sectors * SECTOR_BYTES;
  }

  /** The files that have a name. */
  namedFiles(): Set<number> {
    const files = new Set<number>();
    const walk = (inode: number): void => {
      const node = this.#node(inode);
      if (node.kind === 'file') files.add(inode);
      else for (const child of node.entries.values()) walk(child);
    };
    walk(ROOT_INODE);
    return files;
  }

  #node(inode: number): DiskNode {
    const node = this.nodes.get(inode)?.current;
    if (node === undefined) throw new Error(`expected inode ${inode} to exist`);
    return node;
  }

  #directory(inode: number): DirectoryNode {
    const node = this.#node(inode);
    if (node.kind !== 'directory') throw new Error(`expected inode ${inode} to be a directory`);
    return node;
  }

  #parent(path: string, syscall: string): number {
    const end = path.lastIndexOf('/');
    const inode = this.resolve(path.slice(0, end), syscall);
    if (this.#node(inode).kind === 'directory') return inode;
    throw vfsError('ENOTDIR', syscall, path, 'expected a directory on the way, got a file');
  }

  #enter(kind: ChangeKind, path: string, detail: string, extent?: Change['extent']): number {
    const wallMs = this.#wallMs();
    this.history.append({ kind, path, detail, wallMs, ...(extent && { extent }) });
    return this.history.count;
  }

  #commit(at: number): void {
    if (at > this.committedAt.current) this.committedAt.set(at);
  }

  #insert(node: DiskNode): number {
    const inode = this.#nextInode++;
    this.nodes.set(inode, new Versioned(this.history, node));
    return inode;
  }

  #change(inode: number, node: DiskNode): void {
    this.nodes.get(inode)?.set(node);
  }

  #rename(at: number, changes: readonly NameChange[]): void {
    for (const { directory, name, inode } of changes) {
      const node = this.#directory(directory);
      const entries = new Map(node.entries);
      if (inode === undefined) entries.delete(name);
      else entries.set(name, inode);
      this.#change(directory, { ...node, entries, modifiedMs: this.#wallMs() });
    }
    this.pending.add(at, changes);
  }
}

/** Whether a sync of `captured` has to write more than bytes in place: only then is there a commit. */
function changesMetadata({ clean, durable }: FileNode, captured: FileContent): boolean {
  if (captured.stamp <= clean.stamp) return false;
  if (captured.size !== clean.size) return true;
  return captured.differences(clean).some((index) => durable.sector(index) === undefined);
}

/**
 * What a crash leaves: a disk with nobody running on it. Immutable; any number of machines can boot
 * from one image.
 *
 * After a power cut the cache is gone: every file has one content. After a kill the kernel lives on:
 * the image keeps cache and durable content apart, and a later power cut can still take what was
 * only cached.
 */
import type { FileContent } from './content.js';
import type { Coverage } from './coverage.js';
import type { DirectoryNode, DiskNode, DiskState, FileNode } from './disk-state.js';
import { hasUnwritten, ROOT_INODE } from './disk-state.js';
import { ZERO_SECTOR } from './sector.js';

export type CrashKind = 'kill' | 'power';

/** The machine that an image was taken of, as far as the image is concerned. */
export interface ImageOrigin {
  /** Where what happens to the image is counted. */
  readonly coverage: Coverage;
  /** What was durable at `path` until the crash, since that machine's boot, newest first. */
  durablePast(path: string): readonly FileContent[];
}

export class SimImage {
  #hash: string | undefined;

  constructor(
    readonly state: DiskState,
    /** How this came about, for people: `power after 17 (sync /db/log), posix-weak, seed 3`. */
    readonly label: string,
    /** The wall clock at the crash, in ms since 1970. */
    readonly wallMs: number,
    /** How often machines have booted on this disk: the dice of the next boot are others. */
    readonly boots: number,
    readonly origin: ImageOrigin,
  ) {}

  /** Paths and bytes of all files, as a program that boots on the image reads them. */
  files(): Map<string, Uint8Array> {
    const files = new Map<string, Uint8Array>();
    const walk = (inode: number, path: string): void => {
      const node = this.#node(inode);
      if (node.kind === 'file') files.set(path, node.cache.bytes());
      else for (const [name, child] of node.entries) walk(child, `${path}/${name}`);
    };
    walk(ROOT_INODE, '');
    return files;
  }

  /**
   * A hash of names, sizes and bytes: equal for images that no recovery can tell apart. Times and
   * inode numbers do not count. 64 bits, hexadecimal.
   */
  hash(): string {
    if (this.#hash === undefined) {
      const digest = new Digest();
      this.#digest(digest, ROOT_INODE, 'cache');
      if (hasUnwritten(this.state)) {
        this.#digest(digest, ROOT_INODE, 'durable');
        for (const { changes } of this.state.pending) {
          for (const change of changes) digest.text(`${change.name}=${change.inode ?? ''}`);
        }
      }
      this.#hash = digest.hex();
    }
    return this.#hash;
  }

  #digest(digest: Digest, inode: number, view: 'cache' | 'durable'): void {
    const node = this.#node(inode);
    if (node.kind === 'file') {
      node[view].digest(digest.mix, ZERO_SECTOR);
      return;
    }
    const names = view === 'cache' ? node.entries : node.durable;
    for (const name of [...names.keys()].sort()) {
      digest.text(name);
      this.#digest(digest, names.get(name) as number, view);
    }
    digest.text('/');
  }

  #node(inode: number): DiskNode {
    const node = this.state.nodes.get(inode);
    if (node === undefined) throw new Error(`expected inode ${inode} in the image`);
    return node;
  }
}

/** A file whose cache is empty or fully written. */
export function cleanFile(content: FileNode['cache'], modifiedMs: number): FileNode {
  return { kind: 'file', cache: content, clean: content, durable: content, modifiedMs };
}

/** A directory all of whose names are durable. */
export function cleanDirectory(
  entries: ReadonlyMap<string, number>,
  modifiedMs: number,
): DirectoryNode {
  return { kind: 'directory', entries, durable: entries, modifiedMs };
}

class Digest {
  #low = 0x811c9dc5;
  #high = 0x9747b28c;

  readonly mix = (low: number, high: number): void => {
    this.#low = Math.imul(this.#low ^ low, 0x01000193);
    this.#low = (this.#low ^ (this.#low >>> 15)) + Math.imul(high | 0, 0x85ebca6b);
    this.#high = Math.imul(this.#high + low, 0x9e3779b1);
    this.#high = this.#high ^ (this.#high >>> 13) ^ Math.imul(high | 0, 0xc2b2ae35);
  };

  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.mix(text.charCodeAt(i), i);
    this.mix(text.length, -1);
  }

  hex(): string {
    return [this.#low, this.#high]
      .map((half) => (half >>> 0).toString(16).padStart(8, '0'))
      .join('');
  }
}

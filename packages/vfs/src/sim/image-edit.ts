/**
 * A copy of an image's disk that can be changed, by path.
 *
 * Invariant: the image itself, and what other images share with it, stays as it is.
 */
import { vfsError } from '../errors.js';
import { basename, dirname } from '../path.js';
import type { FileContent } from './content.js';
import {
  type DirectoryNode,
  type DiskNode,
  type FileNode,
  type NameOperation,
  ROOT_INODE,
} from './disk-state.js';
import { SimImage } from './image.js';

export class ImageEdit {
  readonly #image: SimImage;
  readonly #nodes: Map<number, DiskNode>;
  #pending: readonly NameOperation[];

  constructor(image: SimImage) {
    this.#image = image;
    this.#nodes = new Map(image.state.nodes);
    this.#pending = image.state.pending;
  }

  image(label: string): SimImage {
    const { wallMs, boots, origin } = this.#image;
    return new SimImage(
      { nodes: this.#nodes, pending: this.#pending },
      label,
      wallMs,
      boots,
      origin,
    );
  }

  /** Throws `ENOENT`. */
  inode(path: string): number {
    let inode: number | undefined = ROOT_INODE;
    for (const name of path.split('/')) {
      if (name === '') continue;
      const node: DiskNode | undefined = this.#nodes.get(inode);
      inode = node?.kind === 'directory' ? node.entries.get(name) : undefined;
      if (inode === undefined) {
        throw vfsError('ENOENT', 'damage', path, 'expected something at the path, got nothing');
      }
    }
    return inode;
  }

  /** Throws `ENOENT`, `EISDIR`. */
  file(path: string): FileNode {
    const node = this.#nodes.get(this.inode(path));
    if (node?.kind === 'file') return node;
    throw vfsError('EISDIR', 'damage', path, 'expected a file, got a directory');
  }

  /** The durable contents that a path had before the present one, newest first. */
  earlierVersions(path: string): FileContent[] {
    const now = this.file(path).cache;
    return this.#image.origin.durablePast(path).filter((content) => !sameBytes(content, now));
  }

  /** Does the same to all that the disk and a living kernel hold of a file. */
  change(path: string, how: (content: FileContent) => FileContent): void {
    const inode = this.inode(path);
    const { cache, clean, durable, ...node } = this.file(path);
    const changed = how(durable);
    this.#nodes.set(inode, {
      ...node,
      durable: changed,
      clean: clean === durable ? changed : how(clean),
      cache: cache === durable ? changed : cache === clean ? how(clean) : how(cache),
    });
  }

  /** Makes names lead elsewhere, or nowhere, all at once; what was pending for them is forgotten. */
  rename(names: readonly (readonly [path: string, inode: number | undefined])[]): void {
    for (const [path, inode] of names) {
      this.inode(path);
      const parent = this.inode(dirname(path));
      const node = this.#nodes.get(parent) as DirectoryNode;
      const entries = withName(node.entries, basename(path), inode);
      const durable =
        node.durable === node.entries ? entries : withName(node.durable, basename(path), inode);
      this.#nodes.set(parent, { ...node, entries, durable });
      this.#pending = this.#pending.filter(
        ({ changes }) => !changes.some((c) => c.directory === parent && c.name === basename(path)),
      );
    }
  }
}

function withName(
  names: ReadonlyMap<string, number>,
  name: string,
  inode: number | undefined,
): ReadonlyMap<string, number> {
  const changed = new Map(names);
  if (inode === undefined) changed.delete(name);
  else changed.set(name, inode);
  return changed;
}

function sameBytes(one: FileContent, other: FileContent): boolean {
  if (one.size !== other.size) return false;
  return one === other || Buffer.compare(one.bytes(), other.bytes()) === 0;
}

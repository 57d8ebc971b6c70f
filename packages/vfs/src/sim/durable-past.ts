/** What was durable under a path at earlier moments: what a bad disk can give back. */
import type { FileContent } from './content.js';
import type { Disk } from './disk.js';
import { type DiskNode, ROOT_INODE } from './disk-state.js';

/**
 * The contents that a power cut would have left at `path`, from history entry `at` back to boot,
 * newest first; equal neighbours come once.
 */
export function durablePast(disk: Disk, path: string, at: number): FileContent[] {
  const found: FileContent[] = [];
  for (let entry = at; entry >= 0; entry--) {
    const content = durableContent(disk, path, entry);
    if (content !== undefined && content !== found.at(-1)) found.push(content);
  }
  return found;
}

function durableContent(disk: Disk, path: string, at: number): FileContent | undefined {
  let inode: number | undefined = ROOT_INODE;
  for (const name of path.split('/')) {
    if (name === '') continue;
    const node: DiskNode | undefined = disk.nodes.get(inode)?.at(at);
    inode = node?.kind === 'directory' ? node.durable.get(name) : undefined;
    if (inode === undefined) return undefined;
  }
  const node = disk.nodes.get(inode)?.at(at);
  return node?.kind === 'file' ? node.durable : undefined;
}

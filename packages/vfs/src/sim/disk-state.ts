/**
 * What a simulated disk is made of at one moment. Everything here is immutable.
 *
 * A file has three contents: `cache` is what programs read; `clean` is what the kernel believes to
 * be on disk; `durable` is what is there. `cache` differs from `clean` in the dirty sectors; `clean`
 * differs from `durable` only after a failed sync, which marks pages clean that were never written.
 *
 * A directory has two sets of names, and the changes between them wait in one list, in order.
 */
import type { FileContent } from './content.js';

export interface FileNode {
  readonly kind: 'file';
  readonly cache: FileContent;
  readonly clean: FileContent;
  readonly durable: FileContent;
  readonly modifiedMs: number;
}

export interface DirectoryNode {
  readonly kind: 'directory';
  /** Name to inode. */
  readonly entries: ReadonlyMap<string, number>;
  readonly durable: ReadonlyMap<string, number>;
  readonly modifiedMs: number;
}

export type DiskNode = FileNode | DirectoryNode;

/** One name set to an inode, or removed. */
export interface NameChange {
  readonly directory: number;
  readonly name: string;
  readonly inode: number | undefined;
}

/** A link, an unlink, or a rename (two names in one step), not yet durable. */
export interface NameOperation {
  /** The number of its entry in the history. */
  readonly at: number;
  readonly changes: readonly NameChange[];
}

export interface DiskState {
  readonly nodes: ReadonlyMap<number, DiskNode>;
  readonly pending: readonly NameOperation[];
}

export const ROOT_INODE = 1;

/** Text that is the same for two changes exactly when they concern the same name. */
export function nameKey(change: NameChange): string {
  return `${change.directory}/${change.name}`;
}

/** Applies operations in order to the durable names of `nodes`. */
export function applyDurably(
  operations: readonly NameOperation[],
  durableOf: (directory: number) => Map<string, number>,
): void {
  for (const operation of operations) {
    for (const change of operation.changes) {
      const names = durableOf(change.directory);
      if (change.inode === undefined) names.delete(change.name);
      else names.set(change.name, change.inode);
    }
  }
}

/** Whether a power cut could take anything of it. */
export function hasUnwritten({ nodes, pending }: DiskState): boolean {
  if (pending.length > 0) return true;
  for (const node of nodes.values()) {
    if (node.kind === 'file' ? node.cache !== node.durable : node.entries !== node.durable) {
      return true;
    }
  }
  return false;
}

/**
 * Which files somebody still needs, and the removal of those that nobody does.
 *
 * Invariants
 *  1. A file goes from disk only after an edit that no longer names it is durable, and no pinned version
 *     names it.
 *  2. A removal that fails is kept in mind and shown; the next opening removes what is left.
 */
import { errorCode, joinPath, type Vfs } from '@nendb/vfs';
import { tableFile, valueFile } from '../manifest/format.js';
import type { Version } from './version.js';

/** Told before a file is removed, so that readers of it are closed. */
export interface FileUsers {
  forgetTable(number: number): void;
  forgetValueFile(number: number): void;
}

export class FilePins {
  /** Files that could not be removed. */
  readonly left = new Map<string, string>();
  readonly #vfs: Vfs;
  readonly #dir: string;
  readonly #users: FileUsers;
  readonly #tables = new Map<number, number>();
  readonly #values = new Map<number, number>();
  #removing: Promise<void> = Promise.resolve();

  constructor(vfs: Vfs, dir: string, users: FileUsers) {
    this.#vfs = vfs;
    this.#dir = dir;
    this.#users = users;
  }

  /** Counts one more user for every file of `version`. */
  hold(version: Version): void {
    for (const number of version.tables.keys()) add(this.#tables, number);
    for (const number of version.valueFiles.keys()) add(this.#values, number);
  }

  /** Counts one user less, and removes what has none. */
  release(version: Version): void {
    for (const number of version.tables.keys()) {
      if (!drop(this.#tables, number)) continue;
      this.#users.forgetTable(number);
      this.remove(tableFile(number));
    }
    for (const number of version.valueFiles.keys()) {
      if (!drop(this.#values, number)) continue;
      this.#users.forgetValueFile(number);
      this.remove(valueFile(number));
    }
  }

  /** Removes a file that no version names. */
  remove(name: string): void {
    this.#removing = this.#removing.then(async () => {
      try {
        await this.#vfs.unlink(joinPath(this.#dir, name));
        this.left.delete(name);
      } catch (error) {
        if (errorCode(error) === 'ENOENT') return;
        this.left.set(name, error instanceof Error ? error.message : String(error));
      }
    });
  }

  /** Resolves when everything that was to be removed has been tried. */
  settled(): Promise<void> {
    return this.#removing;
  }
}

function add(counts: Map<number, number>, number: number): void {
  counts.set(number, (counts.get(number) ?? 0) + 1);
}

/** Whether that was the last user. */
function drop(counts: Map<number, number>, number: number): boolean {
  const left = (counts.get(number) ?? 1) - 1;
  if (left > 0) counts.set(number, left);
  else counts.delete(number);
  return left === 0;
}

/**
 * What a machine runs out of, or may not do: descriptors, a file system that takes no more changes,
 * permissions. States, not moments: they last until they are lifted. Space is with the writes that
 * use it up (`faults.ts`).
 *
 * Errors come in the order in which Linux finds them: descriptors before names, and what a name
 * leads to (`ENOENT`, `EEXIST`) before permissions.
 */
import { vfsError } from '../errors.js';
import type { Coverage } from './coverage.js';

export interface Denial {
  /** Paths that contain this. */
  path: string;
  /** What may not be done. Default `all`. */
  to?: 'read' | 'write' | 'all';
}

export class ResourceFaults {
  readonly #coverage: Coverage;
  #denials: Denial[] = [];

  /** How many files may be open at once; beyond it opening fails with `EMFILE`. */
  descriptorsMax = Number.POSITIVE_INFINITY;

  /** The file system was remounted read-only: changes, and syncs of them, fail with `EROFS`. */
  readOnly = false;

  constructor(coverage: Coverage) {
    this.#coverage = coverage;
  }

  /**
   * Makes opening, listing and changing names of matching paths fail with `EACCES`. Files that are
   * open already stay usable, as they do on a real machine.
   */
  deny(denial: Denial): void {
    this.#denials.push(denial);
  }

  clear(): void {
    this.#denials = [];
    this.descriptorsMax = Number.POSITIVE_INFINITY;
    this.readOnly = false;
  }

  /** Throws `EMFILE` where one more descriptor than the `open` ones is too many. */
  takeDescriptor(path: string, open: number): void {
    if (open < this.descriptorsMax) return;
    this.#coverage.count('no-descriptors');
    throw vfsError(
      'EMFILE',
      'open',
      path,
      `expected fewer than ${this.descriptorsMax} open files, got ${open}: close some`,
    );
  }

  /** Throws `EROFS` or `EACCES` where `want` is not to be had at `path`. */
  admit(want: 'read' | 'write', syscall: string, path: string): void {
    if (want === 'write') this.refuseChange(syscall, path);
    for (const { path: part, to = 'all' } of this.#denials) {
      if (!path.includes(part) || (to !== 'all' && to !== want)) continue;
      this.#coverage.count('access-denied');
      throw vfsError('EACCES', syscall, path, `expected permission to ${want}, got none`);
    }
  }

  /** Throws `EROFS` where nothing can be changed. */
  refuseChange(syscall: string, path: string): void {
    if (!this.readOnly) return;
    this.#coverage.count('read-only');
    throw vfsError('EROFS', syscall, path, 'expected to change a read-only file system');
  }
}

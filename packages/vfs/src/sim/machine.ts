/**
 * One simulated machine: a disk, a scheduler, a plan of faults, and the detectors.
 *
 * Every operation, of either half of the `Vfs`, is one `Operation` that runs synchronously in
 * `#apply`; the asynchronous half only waits for its moment first.
 */
import type { VfsError } from '../errors.js';
import type { Coverage } from './coverage.js';
import type { DetectorKind } from './coverage-kinds.js';
import type { Disk } from './disk.js';
import { Faults } from './faults.js';
import { OP_KINDS, type OpKind } from './op-kind.js';
import type { Scheduler } from './scheduler.js';
import type { SyncFailure } from './sync-outcome.js';
import { WritebackErrors } from './writeback-errors.js';

export interface Operation<T> {
  readonly kind: OpKind;
  readonly path: string;
  run(): T;
  /**
   * What a failure does to the disk, where it does something; returns what the program gets to see of
   * one that is not reported (`late`).
   */
  lose?(failure: SyncFailure, error: VfsError): T;
}

/** An open descriptor, as the leak detector sees it. */
export interface Descriptor {
  readonly path: string;
  readonly inode: number;
}

/** The space that a disk without a limit says it has, in bytes. */
const DISK_BYTES = 2 ** 40;

export class Machine {
  readonly faults: Faults;
  readonly writebackErrors = new WritebackErrors();
  readonly descriptors = new Set<Descriptor>();
  /** What programs did that no program may do. */
  readonly violations: string[] = [];
  readonly counts = Object.fromEntries(OP_KINDS.map((kind) => [kind, 0])) as Record<OpKind, number>;

  constructor(
    readonly disk: Disk,
    readonly scheduler: Scheduler,
    readonly coverage: Coverage,
  ) {
    this.faults = new Faults(coverage);
  }

  /** Takes note of what no program may do. */
  violate(kind: DetectorKind, what: string): void {
    this.coverage.count(`detector:${kind}`);
    this.violations.push(what);
  }

  now<T>(operation: Operation<T>): T {
    this.scheduler.elapse(this.faults.stallMs(operation.kind, operation.path));
    this.scheduler.tick();
    return this.#apply(operation);
  }

  later<T>(operation: Operation<T>): Promise<T> {
    const { kind, path } = operation;
    return this.scheduler.later(`${kind} ${path}`, this.faults.stallMs(kind, path), () =>
      this.#apply(operation),
    );
  }

  freeBytes(): number {
    const capacity = this.faults.diskBytesMax;
    if (capacity === Number.POSITIVE_INFINITY) return DISK_BYTES;
    const files = this.disk.namedFiles();
    for (const { inode } of this.descriptors) files.add(inode);
    return Math.max(0, capacity - this.disk.allocatedBytes(files));
  }

  #apply<T>(operation: Operation<T>): T {
    const { kind, path } = operation;
    this.counts[kind]++;
    const { error, takesEffect, syncFailure } = this.faults.judge(kind, path);
    if (error === undefined) return operation.run();
    if (operation.lose !== undefined) {
      const unreported = operation.lose(syncFailure, error);
      if (syncFailure === 'late') return unreported;
    } else if (takesEffect) {
      operation.run();
    }
    throw error;
  }
}

/**
 * One simulated machine: a disk, a scheduler, a plan of faults, and the detectors.
 *
 * Every operation, of either half of the `Vfs`, is one `Operation` that runs synchronously in
 * `#apply`; the asynchronous half only waits for its moment first.
 */
import type { Disk } from './disk.js';
import { Faults, type OpKind } from './faults.js';
import type { Scheduler } from './scheduler.js';
import type { SyncFailure } from './sync-outcome.js';

export interface Operation<T> {
  readonly kind: OpKind;
  readonly path: string;
  run(): T;
  /** What a failure does to the disk, where it does something. */
  lose?(failure: SyncFailure): void;
}

/** An open descriptor, as the leak detector sees it. */
export interface Descriptor {
  readonly path: string;
  readonly inode: number;
}

/** The space that a disk without a limit says it has, in bytes. */
const DISK_BYTES = 2 ** 40;

export class Machine {
  readonly faults = new Faults();
  readonly descriptors = new Set<Descriptor>();
  /** What programs did that no program may do. */
  readonly violations: string[] = [];
  readonly counts: Record<OpKind, number> = {
    open: 0,
    create: 0,
    read: 0,
    write: 0,
    truncate: 0,
    sync: 0,
    size: 0,
    rename: 0,
    unlink: 0,
    mkdir: 0,
    readdir: 0,
    stat: 0,
    syncDir: 0,
    freeBytes: 0,
    lock: 0,
  };

  constructor(
    readonly disk: Disk,
    readonly scheduler: Scheduler,
  ) {}

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
    if (operation.lose !== undefined) operation.lose(syncFailure);
    else if (takesEffect) operation.run();
    throw error;
  }
}

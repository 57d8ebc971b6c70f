/**
 * A region as another thread sees it: the same memory, read-only by convention.
 *
 * Concurrency: any number of threads. What is reachable through roots and words may change at any
 * time; read under a guard of `Epochs`, and load published words with `Atomics`.
 */
import { toOffset } from './address.js';
import { PmemError } from './errors.js';
import { ROOTS_OFFSET } from './format.js';
import { ROOTS_MAX } from './limits.js';
import type { Backend, RegionWindow } from './types.js';
import { MemoryWindow } from './window.js';

/** What `Region.share()` posts. */
export interface RegionHandle {
  readonly kind: 'nendb-region';
  readonly backend: Backend;
  readonly bytesMax: number;
  readonly uuid: Uint8Array;
  readonly buffers: readonly SharedArrayBuffer[];
}

export class AttachedRegion {
  readonly backend: Backend;
  readonly bytesMax: number;
  readonly uuid: Uint8Array;
  readonly windows: readonly RegionWindow[];

  constructor(handle: RegionHandle) {
    if (handle?.kind !== 'nendb-region') {
      throw new PmemError(
        'PMEM_BAD_OPTION',
        'expected the handle that share() gave, got something else: post it as it is',
      );
    }
    this.backend = handle.backend;
    this.bytesMax = handle.bytesMax;
    this.uuid = handle.uuid;
    this.windows = handle.buffers.map((buffer) => new MemoryWindow(buffer, 0, buffer.byteLength));
  }

  /** Where root `slot` (0 to 63) leads: an offset, 0 for nothing. */
  root(slot: number): number {
    if (!(slot >= 0 && slot < ROOTS_MAX)) {
      throw new PmemError(
        'PMEM_BAD_OPTION',
        `expected a root from 0 to ${ROOTS_MAX - 1}, got ${slot}`,
      );
    }
    return toOffset(Atomics.load(this.windows[0].i32, ROOTS_OFFSET / 4 + slot));
  }
}

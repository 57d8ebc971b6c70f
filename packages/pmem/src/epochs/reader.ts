/**
 * A thread's reader: the guard under which it may follow what the region's words lead to.
 *
 * Invariants
 *  1. What is reachable when `enter` returns stays allocated until `exit`, whoever frees it.
 *  2. A guard never lasts over an `await`: other work of the thread would run inside it, and nothing
 *     would be reclaimed meanwhile.
 *
 * Concurrency: belongs to one thread. On weakly ordered processors the first word that is followed
 * must be loaded with `Atomics.load`.
 */
import { PmemError } from '../errors.js';
import type { EpochSlots } from './epoch-slots.js';

export class EpochReader {
  readonly #slots: EpochSlots;
  readonly #slot: number;
  #depth = 0;
  #released = false;

  constructor(slots: EpochSlots, owner: number) {
    this.#slots = slots;
    this.#slot = slots.claim(owner);
  }

  /** Begins a guard; guards nest, and the outermost counts. */
  enter(): void {
    if (this.#depth++ === 0) {
      if (this.#released) this.#refuse('released');
      this.#slots.announce(this.#slot);
    }
  }

  exit(): void {
    if (this.#depth === 0) {
      throw new PmemError(
        'PMEM_EPOCH_MISUSE',
        'expected a guard to leave, got none: pair enter with exit',
      );
    }
    if (--this.#depth === 0) this.#slots.idle(this.#slot);
  }

  /** Runs `work` under a guard; returns what it returns. Throws where that is a promise. */
  run<T>(work: () => T): T {
    this.enter();
    try {
      const result = work();
      if (isThenable(result)) {
        throw new PmemError(
          'PMEM_EPOCH_MISUSE',
          'expected work that ends inside the guard, got a promise: await outside of run()',
        );
      }
      return result;
    } finally {
      this.exit();
    }
  }

  /** Gives the slot back; outside of guards. */
  release(): void {
    if (this.#released) return;
    if (this.#depth > 0) {
      throw new PmemError(
        'PMEM_EPOCH_MISUSE',
        'expected no open guard, got one: exit before release',
      );
    }
    this.#released = true;
    this.#slots.release(this.#slot);
  }

  #refuse(what: string): never {
    this.#depth = 0;
    throw new PmemError(
      'PMEM_EPOCH_MISUSE',
      `expected a reader in use, got a ${what} one: register again`,
    );
  }
}

function isThenable(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}

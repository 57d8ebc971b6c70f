/**
 * The core is one thread (R8): what it owns has no locks. `assertCoreThread` guards the engine's
 * entry points against a store or engine that was carried into another thread by way of shared memory.
 */
import { threadId } from 'node:worker_threads';

/** The thread that runs this code. */
export function currentThread(): number {
  return threadId;
}

/** Throws unless `owner` runs this code. */
export function assertCoreThread(owner: number): void {
  if (threadId !== owner) {
    throw new Error(
      `expected to run on thread ${owner}, which owns the engine, not on ${threadId}`,
    );
  }
}

/**
 * Who holds a data directory, once that is settled.
 *
 * A process that comes has the kernel's lock a moment before it writes who it is; one that goes erases
 * that first, and a child that it was just starting keeps the descriptor until it runs. A lock without
 * an owner is therefore looked at again before anybody is told that the directory is held.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { LockState, Vfs } from '@nendb/vfs';
import { LOCK_LOOK_PAUSE_MS, LOCK_LOOKS_MAX } from './limits.js';

/** The lock file at `path`; takes `LOCK_LOOKS_MAX` looks where it is held and names nobody. */
export async function settledLock(path: string, vfs: Pick<Vfs, 'inspectLock'>): Promise<LockState> {
  for (let look = 1; ; look++) {
    const state = await vfs.inspectLock(path);
    const settled = !state.held || state.owner !== undefined;
    if (settled || look === LOCK_LOOKS_MAX) return state;
    await pause(LOCK_LOOK_PAUSE_MS);
  }
}

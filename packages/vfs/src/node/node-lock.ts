/**
 * One writer: the exclusive lock of a directory, and how to look at it.
 *
 * Invariants
 *  1. With the `flock` program the kernel's lock on the open descriptor is the truth; the content
 *     of the file is for diagnosis.
 *  2. Without it a recorded owner that may be alive holds the lock; a foreign pid namespace counts
 *     as alive. Starters that race for a stale lock are told apart by the last claim: good enough
 *     unless one of them sleeps for long between looking and claiming. Such an owner is respected
 *     also by those who have the program.
 *  3. The file is never unlinked: two starters could otherwise lock two inodes of one name. One
 *     that someone else unlinked is noticed, and the new file is locked instead.
 *  4. Looking never takes an exclusive lock, and a shared one only where no live owner is recorded; a
 *     starter waits for that to end.
 *
 * The descriptor lives as long as the lock. It is opened O_CLOEXEC, so that children do not inherit it.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { VfsLockedError, vfsError } from '../errors.js';
import { CLAIM_SETTLE_MS, LOCK_ATTEMPTS_MAX, LOCK_RETRY_MS, LOCK_WAIT_MS } from '../limits.js';
import type { LockOwner, LockState, VfsLock } from '../vfs.js';
import { flock, unflock } from './flock.js';
import { clearContent, type LockContent, readContent, writeContent } from './lock-file.js';
import { currentOwner, isAlive, mayBeAlive } from './process-identity.js';

const FILE_MODE = 0o640;

export class NodeLock implements VfsLock {
  #descriptor: number;
  #content: LockContent;
  readonly #flockProgram: string;

  constructor(
    readonly path: string,
    descriptor: number,
    content: LockContent,
    flockProgram: string,
  ) {
    this.#descriptor = descriptor;
    this.#content = content;
    this.#flockProgram = flockProgram;
  }

  get owner(): LockOwner {
    return this.#content.owner;
  }

  publish(address: string): void {
    if (this.#descriptor < 0) {
      throw vfsError('EBADF', 'publish', this.path, 'expected a held lock, got a released one');
    }
    this.#content = { ...this.#content, owner: { ...this.owner, address } };
    writeContent(this.#descriptor, this.#content);
  }

  async release(): Promise<void> {
    if (this.#descriptor < 0) return;
    const descriptor = this.#descriptor;
    this.#descriptor = -1;
    try {
      clearContent(descriptor);
      if (this.#content.kernelLock) unflock(this.#flockProgram, descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  }
}

/** Takes the lock at `path`. Rejects with `VfsLockedError` (`VFS_LOCKED`) where another holds it. */
export async function takeLock(path: string, flockProgram: string): Promise<VfsLock> {
  const owner = currentOwner();
  const token = randomBytes(8).toString('hex');
  for (let attempt = 1; ; attempt++) {
    const descriptor = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, FILE_MODE);
    try {
      const waitMs = attempt === 1 ? 0 : LOCK_WAIT_MS;
      const outcome = flock(flockProgram, descriptor, 'exclusive', waitMs);
      const content = { owner, token, kernelLock: outcome === 'taken' };
      if (outcome !== 'busy' && (await claim(path, descriptor, content))) {
        return new NodeLock(path, descriptor, content, flockProgram);
      }
      // What a dead owner left behind says nothing about who holds the lock now.
      const recorded = readContent(descriptor)?.owner;
      const holder = recorded !== undefined && mayBeAlive(recorded, owner) ? recorded : undefined;
      if (holder !== undefined || attempt === LOCK_ATTEMPTS_MAX) {
        throw new VfsLockedError(path, holder);
      }
    } catch (error) {
      fs.closeSync(descriptor);
      throw error;
    }
    fs.closeSync(descriptor);
    await pause(LOCK_RETRY_MS);
  }
}

/** Writes who we are, where nobody without the kernel's lock may be alive; whether it stands. */
async function claim(path: string, descriptor: number, content: LockContent): Promise<boolean> {
  const recorded = readContent(descriptor);
  const judged = recorded !== undefined && !(recorded.kernelLock && content.kernelLock);
  if (judged && mayBeAlive(recorded.owner, content.owner)) return false;
  if (content.kernelLock && !names(path, descriptor)) return false;
  writeContent(descriptor, content);
  if (content.kernelLock) return true;
  await pause(CLAIM_SETTLE_MS);
  return readContent(descriptor)?.token === content.token;
}

/** Whether `path` still leads to the open file. */
function names(path: string, descriptor: number): boolean {
  const named = fs.statSync(path, { throwIfNoEntry: false });
  const held = fs.fstatSync(descriptor);
  return named !== undefined && named.ino === held.ino && named.dev === held.dev;
}

/** Looks at the lock at `path`; `held: false` where there is no such file. */
export function lookAtLock(path: string, flockProgram: string): LockState {
  let descriptor: number;
  try {
    descriptor = fs.openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { held: false };
    throw error;
  }
  try {
    const content = readContent(descriptor);
    const held = isHeld(descriptor, content, flockProgram);
    return content === undefined ? { held } : { held, owner: content.owner };
  } finally {
    fs.closeSync(descriptor);
  }
}

function isHeld(
  descriptor: number,
  content: LockContent | undefined,
  flockProgram: string,
): boolean {
  const self = currentOwner();
  // A release clears the content: an owner that lives and stands there holds the lock.
  if (content !== undefined && isAlive(content.owner, self)) return true;
  const outcome = flock(flockProgram, descriptor, 'shared');
  if (outcome === 'busy') return true;
  const judged = outcome === 'unavailable' || content?.kernelLock === false;
  return content !== undefined && judged && mayBeAlive(content.owner, self);
}

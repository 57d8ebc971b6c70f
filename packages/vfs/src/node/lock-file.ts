/**
 * The content of a lock file: one line of JSON, for people and for `nen`. It is never the truth
 * about who holds the lock where the kernel can be asked.
 *
 *     {"pid":4711,"startTicks":"81234","bootId":"...","pidNamespace":"pid:[4026531836]",
 *      "host":"db1","address":"redis://127.0.0.1:6379","kernelLock":true,"token":"9f..."}\n
 *
 * Written in place, because a rename would give the lock's name to another inode. A reader takes
 * the first line only: the tail of a longer, older content may stand behind it for a moment.
 * `kernelLock` says whether the owner also holds the kernel's lock: one that does not, for want of
 * the `flock` program, must be respected by those who have it. `token` tells two claims of one
 * process apart.
 */
import fs from 'node:fs';
import { LOCK_FILE_BYTES_MAX } from '../limits.js';
import type { LockOwner } from '../vfs.js';

export interface LockContent {
  owner: LockOwner;
  kernelLock: boolean;
  token: string;
}

/** What the open lock file says; `undefined` where it is empty or not understood. */
export function readContent(descriptor: number): LockContent | undefined {
  const buffer = Buffer.alloc(LOCK_FILE_BYTES_MAX);
  const bytes = fs.readSync(descriptor, buffer, 0, buffer.length, 0);
  const [line] = buffer.toString('utf8', 0, bytes).split('\n', 1);
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const fields = parsed as Record<string, unknown>;
  const { pid, token, address } = fields;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const owner: LockOwner = {
    pid,
    startTicks: text(fields.startTicks),
    bootId: text(fields.bootId),
    pidNamespace: text(fields.pidNamespace),
    host: text(fields.host),
  };
  if (typeof address === 'string') owner.address = address;
  return { owner, kernelLock: fields.kernelLock !== false, token: text(token) };
}

export function writeContent(descriptor: number, content: LockContent): void {
  const { kernelLock, token } = content;
  const bytes = Buffer.from(`${JSON.stringify({ ...content.owner, kernelLock, token })}\n`);
  if (bytes.length > LOCK_FILE_BYTES_MAX) {
    throw new RangeError(
      `expected a lock owner of at most ${LOCK_FILE_BYTES_MAX} bytes of JSON, got ${bytes.length}`,
    );
  }
  let done = 0;
  while (done < bytes.length) {
    done += fs.writeSync(descriptor, bytes, done, bytes.length - done, done);
  }
  fs.ftruncateSync(descriptor, bytes.length);
}

export function clearContent(descriptor: number): void {
  fs.ftruncateSync(descriptor, 0);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/**
 * Finds the moment to kill a server by what it does to its directory, and tells afterwards from
 * what it left there whether the kill fell inside.
 *
 *     <dir>/nendb.snapshot.<hex>.tmp   an image being written
 *     <dir>/wal/<sequence>.wal         segments; the newest is without a frame while the log rotates
 *     <dir>/wal/<sequence>.spare|.tmp  segments being built
 */
import { watch } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from './connection.js';
import type { CyclePlan } from './plan.js';
import type { ServerProcess } from './server-process.js';

const IMAGE_IN_PROGRESS = /^nendb\.snapshot\.[0-9a-f]+\.tmp$/;
const SEGMENT = /^\d{16}\.wal$/;
const LOG_FILE = /^\d{16}\.(wal|spare|tmp)$/;

/** A server that keeps writing rotates and snapshots long before this; then the kill is random. */
const EVENT_MS_MAX = 3000;

/** Where a segment's header says how long it is (docs/formats/wal.md). */
const HEADER_LENGTH_AT = 48;
const HEADER_BYTES_MAX = 64 * 1024;

/** Waits for the moment that the plan names, on a server under load. */
export async function untilMoment(
  plan: CyclePlan,
  dir: string,
  control: Connection,
): Promise<void> {
  if (plan.kind === 'rotation') {
    await untilName(`${dir}/wal`, LOG_FILE);
  } else if (plan.kind === 'snapshot') {
    const isWriting = untilName(dir, IMAGE_IN_PROGRESS);
    // A snapshot that is due by itself may be running already: as good.
    control.send([['BGSAVE']], () => undefined);
    await isWriting;
  }
  if (plan.delayMs > 0) await sleep(plan.delayMs);
}

/** Waits until a starting server touches its directory, is ready, or has ended. */
export async function untilRecovering(server: ServerProcess, dir: string): Promise<void> {
  const enough = new AbortController();
  await Promise.race([untilName(dir, /./, enough.signal), untilStarted(server)]);
  enough.abort();
}

/** Waits until a starting server is ready or has ended, whichever it is. */
export async function untilStarted(server: ServerProcess): Promise<void> {
  await server.ready.then(
    () => undefined,
    () => undefined,
  );
}

/** Whether the directory of a killed server shows that the kill fell inside of what was planned. */
export async function fellInside(plan: CyclePlan, dir: string): Promise<boolean> {
  if (plan.kind === 'snapshot') {
    return (await readdir(dir)).some((name) => IMAGE_IN_PROGRESS.test(name));
  }
  if (plan.kind === 'rotation') return isRotating(`${dir}/wal`);
  return true;
}

/** Resolves when a file of such a name is made or renamed in the directory. */
function untilName(dir: string, pattern: RegExp, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      watcher.close();
      resolve();
    };
    const watcher = watch(dir, { persistent: false }, (event, name) => {
      if (event === 'rename' && name !== null && pattern.test(name)) finish();
    });
    const timer = setTimeout(finish, EVENT_MS_MAX).unref();
    signal?.addEventListener('abort', finish);
  });
}

/** Rotating: the successor is there, and no frame in it yet. */
async function isRotating(dir: string): Promise<boolean> {
  const names = (await readdir(dir)).filter((name) => SEGMENT.test(name)).sort();
  const newest = names.at(-1);
  if (newest === undefined || names.length < 2) return false;
  const file = await open(`${dir}/${newest}`, 'r');
  try {
    const bytes = Buffer.alloc(HEADER_BYTES_MAX);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    if (bytesRead < HEADER_LENGTH_AT + 4) return true;
    const headerBytes = bytes.readUInt32LE(HEADER_LENGTH_AT);
    return bytes.subarray(headerBytes, bytesRead).every((byte) => byte === 0);
  } finally {
    await file.close();
  }
}

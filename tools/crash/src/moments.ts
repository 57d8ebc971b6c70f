/**
 * Finds the moment to kill a server by what it does to its directory, and tells afterwards from
 * what it left there whether the kill fell inside.
 *
 *     <dir>/nendb.snapshot.<hex>.tmp   an image being written
 *     <dir>/wal/<sequence>.wal         segments; the newest is without a frame while the log rotates
 *     <dir>/wal/<sequence>.spare|.tmp  segments being built
 */
import { existsSync, readdirSync, watch } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from './connection.js';
import type { CyclePlan } from './plan.js';
import type { ServerProcess } from './server-process.js';

const IMAGE_IN_PROGRESS = /^nendb\.snapshot\.[0-9a-f]+\.tmp$/;
const SEGMENT = /^\d{16}\.wal$/;

/** A server that keeps writing rotates and snapshots long before this; then the kill is random. */
const EVENT_MS_MAX = 3000;

/** About what a client's operations in flight keep a server busy for. */
const LOOK_MS = 15;

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
    await untilSuccessor(`${dir}/wal`);
    // A timer's millisecond is longer than a rotation.
    for (const endMs = performance.now() + plan.delayMs; performance.now() < endMs; );
    return;
  }
  if (plan.kind === 'snapshot') {
    const isWriting = untilTouched(dir, IMAGE_IN_PROGRESS);
    // A snapshot that is due by itself may be running already: as good.
    control.send([['BGSAVE']], () => undefined);
    await isWriting;
  }
  if (plan.delayMs > 0) await sleep(plan.delayMs);
}

/**
 * Waits until a starting server touches its directory, or the log in it, or until it is ready or
 * has ended.
 */
export async function untilRecovering(server: ServerProcess, dir: string): Promise<void> {
  const enough = new AbortController();
  await Promise.race([untilTouched(dir, /./, enough.signal), untilStarted(server)]);
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

/** Resolves when a file of such a name is made, written to or renamed in the directory. */
function untilTouched(dir: string, pattern: RegExp, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      watcher.close();
      resolve();
    };
    const watcher = watch(dir, { persistent: false }, (_event, name) => {
      if (name !== null && pattern.test(name)) finish();
    });
    const timer = setTimeout(finish, EVENT_MS_MAX).unref();
    signal?.addEventListener('abort', finish);
  });
}

/**
 * Resolves when the log's next segment has its name. Looks without a pause for some milliseconds at
 * a time, since an event would come too late; what the server still has to do keeps it busy.
 */
async function untilSuccessor(dir: string): Promise<void> {
  for (const endMs = performance.now() + EVENT_MS_MAX; performance.now() < endMs; ) {
    const newest =
      readdirSync(dir)
        .filter((name) => SEGMENT.test(name))
        .sort()
        .at(-1) ?? '';
    const sequence = String(Number.parseInt(newest, 10) + 1).padStart(16, '0');
    for (const turnMs = performance.now() + LOOK_MS; performance.now() < turnMs; ) {
      if (existsSync(`${dir}/${sequence}.wal`)) return;
    }
    await sleep(1);
  }
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

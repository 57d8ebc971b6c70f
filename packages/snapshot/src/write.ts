/**
 * Writes an image and publishes it.
 *
 *     core thread   chunks -> blocks --transfer--> ...          beforePublish -> renames -> fsync dir
 *     worker        judge the old images, free space, | compress, seal, checksum, write, sync every step,
 *                                                      footer, fsync
 *
 * Invariants
 *  1. The old images are judged first: a newer format or another database refuses the write before
 *     anything is changed.
 *  2. No name that `load` looks at is touched before the image is complete and synced and
 *     `beforePublish` has resolved.
 *  3. Whatever fails up to there leaves the old images as they were, and no temporary file unless
 *     unlinking fails too; the next write unlinks that one.
 *
 * Concurrency: one writer at a time for a directory; the engine holds its lock. Memory is bounded by
 * `BLOCKS_IN_FLIGHT_MAX` + 1 blocks.
 */
import { FILE_SALT_BYTES, formatUuid, sameUuid } from '@nendb/codec';
import { errorCode, joinPath, makeDirectory, nodeVfs, type Task, type Vfs } from '@nendb/vfs';
import { blocksOf, checkAborted, untilAborted } from './block-source.js';
import { SnapshotError } from './errors.js';
import { BLOCK_HEADER_BYTES, blockPayloadBytesMax, imageBytes, temporaryFile } from './format.js';
import { deriveImageKey, type ImageKey } from './image-cipher.js';
import type { ImagePlan } from './image-writer.js';
import { BLOCKS_IN_FLIGHT_MAX, FREE_BYTES_RESERVE } from './limits.js';
import { checkCompression, checkEncryption, checkWriteOptions } from './options.js';
import { BAK, keptPlaces, NEWEST } from './places.js';
import { publish, removeTemporaries, type Standing } from './publish.js';
import type {
  SnapshotHeader,
  SnapshotInfo,
  SnapshotReport,
  SnapshotWriteOptions,
} from './types.js';
import type { WriterInit, WriterMethods } from './writer-task.js';

/** See `Snapshot.write`. */
export async function write(dir: string, options: SnapshotWriteOptions): Promise<SnapshotInfo> {
  const header = checkWriteOptions(dir, options);
  const compression = checkCompression(options.compression);
  const keys = checkEncryption(options.encryption);
  const vfs = options.vfs ?? nodeVfs;
  checkAborted(options.signal);
  const key = keys && deriveImageKey(keys.active, newSalt(vfs));
  const plan: ImagePlan = {
    header,
    imageUuid: vfs.random.uuid(),
    compression,
    ...(key && { key }),
  };
  try {
    const init: WriterInit = { dir, plan };
    const task = await io(
      'start the writer',
      vfs.executor.start(new URL('./writer-task.js', import.meta.url), init),
    );
    try {
      return await writeWith(task, vfs, init, options);
    } finally {
      await task.close();
    }
  } finally {
    key?.fileKey.fill(0);
  }
}

async function writeWith(
  task: Task,
  vfs: Vfs,
  { dir, plan }: WriterInit,
  options: SnapshotWriteOptions,
): Promise<SnapshotInfo> {
  const { header, imageUuid, compression, key } = plan;
  const writer = new Writer(task);
  const { newest, standing } = await judge(writer, vfs, dir, header, options.keep);
  checkAborted(options.signal);
  await io('make the directory', makeDirectory(vfs, dir));
  await io('remove what a crashed writer left', removeTemporaries(vfs, dir));
  await checkSpace(vfs, dir, bytesNeeded(options, newest?.info));

  const temporary = temporaryFile(imageUuid);
  let fileBytes: number;
  let payloadBytes: number;
  try {
    await writer.call('begin', undefined);
    payloadBytes = await sendBlocks(writer, options);
    fileBytes = await writer.call('finish', undefined);
    if (options.beforePublish) await untilAborted(options.beforePublish(), options.signal);
    checkAborted(options.signal);
    await io('publish', publish(vfs, dir, temporary, standing, options.keep));
  } catch (error) {
    // The first error is the one worth reporting; the next write removes what this leaves.
    await writer.call('abandon', undefined).catch(() => undefined);
    await vfs.unlink(joinPath(dir, temporary)).catch(() => undefined);
    throw error;
  }
  return {
    ...NEWEST,
    header,
    fileBytes,
    payloadBytes,
    compressed: compression !== 'none',
    ...(key && { keyId: key.keyId }),
  };
}

/** Looks at the images that are there, on the writer thread; refuses those that must stay as they are. */
async function judge(
  writer: Writer,
  vfs: Vfs,
  dir: string,
  header: SnapshotHeader,
  keep: number | undefined,
): Promise<{ newest: SnapshotReport | undefined; standing: Standing }> {
  const newest = (await writer.call('examine', { place: NEWEST, depth: 'all' }))?.report;
  const newestIsValid = newest?.state === 'valid';
  // A .bak that is about to be replaced need not be sound; one that stays or is kept has to be.
  const depth = newestIsValid && keep === undefined ? 'ends' : 'all';
  const bak = (await writer.call('examine', { place: BAK, depth }))?.report;
  refuseForeign(newest, header);
  refuseForeign(bak, header);
  if (keep !== undefined) {
    for (const place of await io('look for older images', keptPlaces(vfs, dir))) {
      refuseForeign((await writer.call('examine', { place, depth: 'ends' }))?.report, header);
    }
  }
  refuseOlder(newest, header);
  const standing = {
    newestIsValid,
    bak: bak?.state === 'valid' ? bak.info?.header : undefined,
  };
  return { newest, standing };
}

function newSalt(vfs: Vfs): ImageKey['salt'] {
  const salt = new Uint8Array(FILE_SALT_BYTES);
  vfs.random.fill(salt);
  return salt;
}

/** Sends all blocks to the writer thread, few at a time; returns the bytes of payload. */
async function sendBlocks(writer: Writer, options: SnapshotWriteOptions): Promise<number> {
  const { signal, onProgress } = options;
  const inFlight: Promise<number>[] = [];
  let sentBytes = 0;
  const settleOne = async (): Promise<void> => {
    const writtenBytes = await inFlight.shift();
    if (writtenBytes !== undefined) onProgress?.(writtenBytes);
  };
  const payloadBytesMax = blockPayloadBytesMax(options.encryption !== undefined);
  for await (const block of blocksOf(options.chunks, payloadBytesMax, signal)) {
    checkAborted(signal);
    while (inFlight.length >= BLOCKS_IN_FLIGHT_MAX) await settleOne();
    sentBytes += block.length - BLOCK_HEADER_BYTES;
    const writtenBytes = sentBytes;
    const written = writer.call('block', block, [block.buffer]).then(() => writtenBytes);
    // Awaited in its turn; a failure meanwhile is not an unhandled one.
    written.catch(() => undefined);
    inFlight.push(written);
  }
  while (inFlight.length > 0) await settleOne();
  checkAborted(signal);
  return sentBytes;
}

/** The task's methods, typed, their failures as `SnapshotError`. */
class Writer {
  readonly #task: Task;

  constructor(task: Task) {
    this.#task = task;
  }

  call<M extends keyof WriterMethods>(
    method: M,
    input: Parameters<WriterMethods[M]>[0],
    transfer?: readonly ArrayBuffer[],
  ): Promise<ReturnType<WriterMethods[M]>> {
    const result = this.#task.call(method, input, transfer);
    return io(`${method} the image`, result as Promise<ReturnType<WriterMethods[M]>>);
  }
}

function refuseForeign(report: SnapshotReport | undefined, header: SnapshotHeader): void {
  if (report?.state === 'too-new') {
    throw new SnapshotError(
      'SNAPSHOT_TOO_NEW',
      `expected images that this release can read, got ${report.file}: ${report.reason}`,
    );
  }
  const found = report?.info?.header.uuid;
  if (found !== undefined && !sameUuid(found, header.uuid)) {
    throw new SnapshotError(
      'SNAPSHOT_WRONG_DATABASE',
      `expected images of database ${formatUuid(header.uuid)}, but ${report?.file} belongs to ${formatUuid(found)}: use another directory`,
    );
  }
}

/** An older image must not push a newer one out: the log behind it may be gone. */
function refuseOlder(report: SnapshotReport | undefined, header: SnapshotHeader): void {
  const found = report?.state === 'valid' ? report.info?.header : undefined;
  if (found === undefined || header.epoch > found.epoch) return;
  if (header.epoch === found.epoch && header.lsn >= found.lsn) return;
  throw new SnapshotError(
    'SNAPSHOT_BAD_OPTION',
    `expected an image at or after epoch ${found.epoch}, LSN ${found.lsn}, which ${report?.file} holds, got epoch ${header.epoch}, LSN ${header.lsn}: move the newer image away first`,
  );
}

/** The most that the new image is likely to take, in bytes. */
function bytesNeeded(
  { bytesExpected, encryption, compression = 'none' }: SnapshotWriteOptions,
  newest: SnapshotInfo | undefined,
): number {
  // What compression saves is known only from an image that was written with it.
  const shrinks = compression !== 'none' && newest?.compressed === true;
  if (bytesExpected === undefined && shrinks) return newest.fileBytes;
  return imageBytes(bytesExpected ?? newest?.payloadBytes ?? 0, encryption !== undefined);
}

async function checkSpace(vfs: Vfs, dir: string, bytes: number): Promise<void> {
  const needed = bytes + FREE_BYTES_RESERVE;
  const free = await io('look at free space', vfs.freeBytes(dir));
  if (free >= needed) return;
  throw new SnapshotError(
    'SNAPSHOT_NO_SPACE',
    `expected ${needed} bytes free in ${dir} for an image, got ${free}: make room`,
  );
}

/** Awaits a call to the system; what it throws becomes a `SnapshotError` with the cause. */
async function io<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = errorCode(error);
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    const why = error instanceof Error ? error.message : String(error);
    throw new SnapshotError(
      full ? 'SNAPSHOT_NO_SPACE' : 'SNAPSHOT_IO',
      `cannot ${what}: ${why}; the image is given up, ${full ? 'make room' : 'check the disk'} and write it again`,
      { cause: error },
    );
  }
}

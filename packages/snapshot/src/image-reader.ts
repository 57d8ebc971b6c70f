/**
 * Reads images through the scanner: a judgement of one file, or a stream of its checked payload.
 *
 * Concurrency: reads only, so any number at once. An open descriptor keeps its image whatever a
 * writer renames meanwhile. `examineSync` is for the writer thread, `examine` for everybody else.
 *
 * Memory is bounded by one block (`BLOCK_BYTES_MAX`), whatever a file claims.
 */
import { sameUuid } from '@nendb/codec';
import { errorCode, joinPath, readFully, readFullySync, type Vfs } from '@nendb/vfs';
import { SnapshotError } from './errors.js';
import { BAK_FILE, NEWEST_FILE } from './format.js';
import { ImageFault, ImageScanner } from './image-scanner.js';
import { BLOCK_BYTES_MAX } from './limits.js';
import type { SnapshotInfo, SnapshotReport, SnapshotRole } from './types.js';

/** How much is looked at: head and footer, or every byte. */
export type Depth = 'ends' | 'all';

/** One file, judged. */
export interface Examination {
  report: SnapshotReport;
  /** 16 bytes, where the head is sound. */
  imageUuid?: Uint8Array;
}

export function fileOf(role: SnapshotRole): string {
  return role === 'newest' ? NEWEST_FILE : BAK_FILE;
}

/** Judges the image in `role`; `undefined` where there is no such file. Does not throw. */
export async function examine(
  vfs: Vfs,
  dir: string,
  role: SnapshotRole,
  depth: Depth,
): Promise<Examination | undefined> {
  let scanner: ImageScanner | undefined;
  try {
    const file = await vfs.open(joinPath(dir, fileOf(role)), 'read');
    try {
      const size = await file.size();
      scanner = new ImageScanner(size);
      const buffer = scanBuffer(size);
      for (let want = scanner.want(); want !== undefined; want = scanner.want()) {
        if (depth === 'ends' && scanner.footer !== undefined) break;
        const target = buffer.subarray(0, want.length);
        scanner.take(target.subarray(0, await readFully(file, target, want.position)));
      }
    } finally {
      await file.close();
    }
    return judged(role, scanner);
  } catch (error) {
    return refused(role, scanner, error);
  }
}

/** The synchronous twin of {@link examine}. */
export function examineSync(
  vfs: Vfs,
  dir: string,
  role: SnapshotRole,
  depth: Depth,
): Examination | undefined {
  let scanner: ImageScanner | undefined;
  try {
    const file = vfs.openSync(joinPath(dir, fileOf(role)), 'read');
    try {
      const size = file.sizeSync();
      scanner = new ImageScanner(size);
      const buffer = scanBuffer(size);
      for (let want = scanner.want(); want !== undefined; want = scanner.want()) {
        if (depth === 'ends' && scanner.footer !== undefined) break;
        const target = buffer.subarray(0, want.length);
        scanner.take(target.subarray(0, readFullySync(file, target, want.position)));
      }
    } finally {
      file.closeSync();
    }
    return judged(role, scanner);
  } catch (error) {
    return refused(role, scanner, error);
  }
}

/**
 * Streams the payload of the image that `imageUuid` names, block by block, each checked before it
 * is yielded and each in a buffer of its own. Throws `SNAPSHOT_CHANGED` where another image has
 * taken its place, `SNAPSHOT_CORRUPT` and `SNAPSHOT_IO`.
 */
export async function* readPayload(
  vfs: Vfs,
  dir: string,
  role: SnapshotRole,
  imageUuid: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  const name = fileOf(role);
  try {
    const file = await vfs.open(joinPath(dir, name), 'read');
    try {
      const scanner = new ImageScanner(await file.size());
      for (let want = scanner.want(); want !== undefined; want = scanner.want()) {
        const target = new Uint8Array(want.length);
        const count = await readFully(file, target, want.position);
        const payload = scanner.take(target.subarray(0, count));
        if (scanner.head !== undefined && !sameUuid(scanner.head.imageUuid, imageUuid)) {
          throw changed(name);
        }
        if (payload !== undefined) yield payload;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof SnapshotError) throw error;
    if (error instanceof ImageFault) {
      throw new SnapshotError(
        'SNAPSHOT_CORRUPT',
        `${name} was sound when it was loaded and is damaged at offset ${error.offset}: ${error.message}; check the disk`,
      );
    }
    if (errorCode(error) === 'ENOENT') throw changed(name);
    throw new SnapshotError('SNAPSHOT_IO', `cannot read ${name}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Whatever a file claims, no more than one block is read at a time. */
function scanBuffer(fileBytes: number): Buffer {
  return Buffer.allocUnsafe(Math.min(BLOCK_BYTES_MAX, fileBytes));
}

function judged(role: SnapshotRole, scanner: ImageScanner): Examination {
  const info = infoOf(role, scanner);
  return {
    report: { file: fileOf(role), role, state: 'valid', ...(info && { info }) },
    ...(scanner.head && { imageUuid: scanner.head.imageUuid }),
  };
}

function refused(
  role: SnapshotRole,
  scanner: ImageScanner | undefined,
  error: unknown,
): Examination | undefined {
  if (error instanceof ImageFault) {
    const info = scanner === undefined ? undefined : infoOf(role, scanner);
    return {
      report: {
        file: fileOf(role),
        role,
        state: error.tooNew ? 'too-new' : 'damaged',
        ...(info && { info }),
        reason: error.message,
        offset: error.offset,
      },
    };
  }
  if (errorCode(error) === 'ENOENT') return undefined;
  return {
    report: { file: fileOf(role), role, state: 'unreadable', reason: messageOf(error) },
  };
}

function infoOf(role: SnapshotRole, scanner: ImageScanner): SnapshotInfo | undefined {
  if (scanner.head === undefined || scanner.footer === undefined) return undefined;
  return {
    file: fileOf(role),
    role,
    header: scanner.head.header,
    fileBytes: scanner.footer.fileBytes,
    payloadBytes: scanner.footer.payloadBytes,
  };
}

function changed(name: string): SnapshotError {
  return new SnapshotError(
    'SNAPSHOT_CHANGED',
    `expected ${name} to hold the image that was loaded, but another has taken its place: load again`,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Reads images through the scanner: a judgement of one file, or a stream of its checked payload.
 *
 * Concurrency: reads only, so any number at once. An open descriptor keeps its image whatever a
 * writer renames meanwhile. `examineSync` is for the writer thread, `examine` for everybody else.
 *
 * Memory is bounded by two blocks (`BLOCK_BYTES_MAX` each), one as it is stored and one as it was
 * before, whatever a file claims.
 */
import { sameUuid } from '@nendb/codec';
import { errorCode, joinPath, readFully, readFullySync, type Vfs } from '@nendb/vfs';
import { SnapshotError } from './errors.js';
import { type Access, ImageFault, ImageScanner } from './image-scanner.js';
import { BLOCK_BYTES_MAX } from './limits.js';
import type { ImagePlace } from './places.js';
import type { SnapshotInfo, SnapshotReport } from './types.js';

/** How much is looked at: head and footer, or every byte. */
export type Depth = 'ends' | 'all';

/** How an image is looked at. */
export interface Look extends Access {
  depth: Depth;
}

/** One file, judged. */
export interface Examination {
  report: SnapshotReport;
  /** 16 bytes, where the head is sound. */
  imageUuid?: Uint8Array;
}

/** Judges the image in `place`; `undefined` where there is no such file. Does not throw. */
export async function examine(
  vfs: Vfs,
  dir: string,
  place: ImagePlace,
  look: Look,
): Promise<Examination | undefined> {
  let scanner: ImageScanner | undefined;
  try {
    const file = await vfs.open(joinPath(dir, place.file), 'read');
    try {
      const size = await file.size();
      scanner = new ImageScanner(size, look);
      const buffer = scanBuffer(size);
      for (let want = scanner.want(); want !== undefined; want = scanner.want()) {
        if (look.depth === 'ends' && scanner.footer !== undefined) break;
        const target = buffer.subarray(0, want.length);
        scanner.check(target.subarray(0, await readFully(file, target, want.position)));
      }
    } finally {
      await file.close();
    }
    return judged(place, scanner);
  } catch (error) {
    return refused(place, scanner, error);
  } finally {
    scanner?.dispose();
  }
}

/** The synchronous twin of {@link examine}. */
export function examineSync(
  vfs: Vfs,
  dir: string,
  place: ImagePlace,
  look: Look,
): Examination | undefined {
  let scanner: ImageScanner | undefined;
  try {
    const file = vfs.openSync(joinPath(dir, place.file), 'read');
    try {
      const size = file.sizeSync();
      scanner = new ImageScanner(size, look);
      const buffer = scanBuffer(size);
      for (let want = scanner.want(); want !== undefined; want = scanner.want()) {
        if (look.depth === 'ends' && scanner.footer !== undefined) break;
        const target = buffer.subarray(0, want.length);
        scanner.check(target.subarray(0, readFullySync(file, target, want.position)));
      }
    } finally {
      file.closeSync();
    }
    return judged(place, scanner);
  } catch (error) {
    return refused(place, scanner, error);
  } finally {
    scanner?.dispose();
  }
}

/**
 * Streams the payload of the image that `imageUuid` names, each block checked again before it is
 * yielded; what is yielded is not touched again. Throws `SNAPSHOT_CHANGED` where another image has
 * taken its place, `SNAPSHOT_CORRUPT`, `SNAPSHOT_WRONG_KEY` and `SNAPSHOT_IO`.
 */
export async function* readPayload(
  vfs: Vfs,
  dir: string,
  name: string,
  imageUuid: Uint8Array,
  access: Access,
): AsyncGenerator<Uint8Array, void, undefined> {
  let scanner: ImageScanner | undefined;
  try {
    const file = await vfs.open(joinPath(dir, name), 'read');
    try {
      scanner = new ImageScanner(await file.size(), access);
      for (let want = scanner.want(); want !== undefined; want = scanner.want()) {
        const target = new Uint8Array(want.length);
        const count = await readFully(file, target, want.position);
        yield* scanner.take(target.subarray(0, count));
        // The first read is the head alone: no payload of another image comes before this.
        if (scanner.head !== undefined && !sameUuid(scanner.head.imageUuid, imageUuid)) {
          throw changed(name);
        }
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof SnapshotError) throw error;
    if (error instanceof ImageFault) throw spoilt(name, error);
    if (errorCode(error) === 'ENOENT') throw changed(name);
    throw new SnapshotError('SNAPSHOT_IO', `cannot read ${name}: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    scanner?.dispose();
  }
}

/** Whatever a file claims, no more than one block is read at a time. */
function scanBuffer(fileBytes: number): Buffer {
  return Buffer.allocUnsafe(Math.min(BLOCK_BYTES_MAX, fileBytes));
}

function judged(place: ImagePlace, scanner: ImageScanner): Examination {
  const info = infoOf(place, scanner);
  return {
    report: { ...place, state: 'valid', ...(info && { info }) },
    ...(scanner.head && { imageUuid: scanner.head.imageUuid }),
  };
}

function refused(
  place: ImagePlace,
  scanner: ImageScanner | undefined,
  error: unknown,
): Examination | undefined {
  if (error instanceof ImageFault) {
    const info = scanner === undefined ? undefined : infoOf(place, scanner);
    return {
      report: {
        ...place,
        state: error.state,
        ...(info && { info }),
        reason: error.message,
        offset: error.offset,
      },
    };
  }
  if (errorCode(error) === 'ENOENT') return undefined;
  return {
    report: { ...place, state: 'unreadable', reason: messageOf(error) },
  };
}

function infoOf(place: ImagePlace, scanner: ImageScanner): SnapshotInfo | undefined {
  if (scanner.head === undefined || scanner.footer === undefined) return undefined;
  return {
    ...place,
    header: scanner.head.header,
    fileBytes: scanner.footer.fileBytes,
    payloadBytes: scanner.footer.payloadBytes,
    compressed: scanner.head.compressed,
    ...(scanner.head.lock && { keyId: scanner.head.lock.keyId }),
  };
}

function spoilt(name: string, fault: ImageFault): SnapshotError {
  const damaged = fault.state === 'damaged';
  return new SnapshotError(
    damaged ? 'SNAPSHOT_CORRUPT' : 'SNAPSHOT_WRONG_KEY',
    `${name} was sound when it was loaded and is ${damaged ? 'damaged' : 'not what its key sealed'} at offset ${fault.offset}: ${fault.message}; check the disk`,
  );
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

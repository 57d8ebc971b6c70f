/**
 * Whole transfers over calls that may be short.
 *
 * Invariants
 *  1. `writeFully` returns when every byte was accepted, or throws; what it wrote before it threw
 *     is indeterminate.
 *  2. `readFully` is short at the end of the file only.
 *  3. The buffer belongs to the call until it returns or its promise settles.
 */
import { vfsError } from './errors.js';
import type { VfsFile } from './vfs.js';

/** Writes all of `source` at `position` (bytes). Throws `EIO` where a write makes no progress. */
export async function writeFully(
  file: VfsFile,
  source: Uint8Array,
  position: number,
): Promise<void> {
  let done = 0;
  while (done < source.length) {
    const rest = done === 0 ? source : source.subarray(done);
    done += progress(file, await file.writeAt(rest, position + done), rest.length);
  }
}

/** The synchronous twin of {@link writeFully}. */
export function writeFullySync(file: VfsFile, source: Uint8Array, position: number): void {
  let done = 0;
  while (done < source.length) {
    const rest = done === 0 ? source : source.subarray(done);
    done += progress(file, file.writeAtSync(rest, position + done), rest.length);
  }
}

/** Reads into `target` from `position` (bytes); returns the bytes read. */
export async function readFully(
  file: VfsFile,
  target: Uint8Array,
  position: number,
): Promise<number> {
  let done = 0;
  while (done < target.length) {
    const rest = done === 0 ? target : target.subarray(done);
    const count = await file.readAt(rest, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** The synchronous twin of {@link readFully}. */
export function readFullySync(file: VfsFile, target: Uint8Array, position: number): number {
  let done = 0;
  while (done < target.length) {
    const rest = done === 0 ? target : target.subarray(done);
    const count = file.readAtSync(rest, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** A write that neither fails nor progresses would loop for ever. */
function progress(file: VfsFile, written: number, expected: number): number {
  if (written > 0 && written <= expected) return written;
  throw vfsError(
    'EIO',
    'write',
    file.path,
    `expected a write of 1 to ${expected} bytes, got ${written}: check the file system`,
  );
}

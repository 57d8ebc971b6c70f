/** The five things that one does with images in a directory. */
import { nodeVfs } from '@nendb/vfs';
import { SnapshotError } from './errors.js';
import { type Depth, examine } from './image-reader.js';
import { load, ROLES } from './load.js';
import type {
  SnapshotImage,
  SnapshotInfo,
  SnapshotLoadOptions,
  SnapshotReadOptions,
  SnapshotReport,
  SnapshotWriteOptions,
} from './types.js';
import { write } from './write.js';

export const Snapshot = {
  /**
   * Writes an image and makes it the newest; the one that was newest, if it is valid, becomes
   * `.bak`. When it resolves the image is durable. One writer at a time for a directory.
   *
   * A rejection leaves the old images loadable, even one between the two renames: the image that
   * was newest is then `.bak`. Errors of `chunks`, `beforePublish` and `onProgress` are passed on as
   * they are; others are `SnapshotError`: `SNAPSHOT_NO_SPACE`, `SNAPSHOT_IO`, `SNAPSHOT_ABORTED`,
   * `SNAPSHOT_TOO_NEW`, `SNAPSHOT_WRONG_DATABASE`, `SNAPSHOT_BAD_OPTION` (also for an image older
   * than the newest one).
   *
   * Costs one read of the newest image beside the write of the new one.
   */
  write(dir: string, options: SnapshotWriteOptions): Promise<SnapshotInfo> {
    return write(dir, options);
  },

  /**
   * Checks every byte of the newest image and returns it; where it is missing, damaged or
   * unreadable, the `.bak` with the `reason`. `undefined` where there is no image. Writes nothing.
   *
   * Throws `SNAPSHOT_CORRUPT`, `SNAPSHOT_IO`, `SNAPSHOT_TOO_NEW`, `SNAPSHOT_WRONG_DATABASE`.
   */
  load(dir: string, options?: SnapshotLoadOptions): Promise<SnapshotImage | undefined> {
    return load(dir, options);
  },

  /**
   * The images whose head and footer are sound, the newest first: what retention counts. Throws
   * `SNAPSHOT_TOO_NEW` and `SNAPSHOT_IO`, for an image that cannot be judged may well be good.
   */
  async list(dir: string, options?: SnapshotReadOptions): Promise<SnapshotInfo[]> {
    const infos: SnapshotInfo[] = [];
    for (const { file, state, info, reason } of await reports(dir, options, 'ends')) {
      if (state === 'too-new' || state === 'unreadable') {
        const code = state === 'too-new' ? 'SNAPSHOT_TOO_NEW' : 'SNAPSHOT_IO';
        throw new SnapshotError(code, `expected to read ${file} in ${dir}: ${reason}`);
      }
      if (state === 'valid' && info !== undefined) infos.push(info);
    }
    return infos;
  },

  /** Looks at head and footer of each file that is there. Throws nothing: the reports say all. */
  inspect(dir: string, options?: SnapshotReadOptions): Promise<SnapshotReport[]> {
    return reports(dir, options, 'ends');
  },

  /** Checks every byte of each file that is there. Throws nothing: the reports say all. */
  verify(dir: string, options?: SnapshotReadOptions): Promise<SnapshotReport[]> {
    return reports(dir, options, 'all');
  },
};

async function reports(
  dir: string,
  options: SnapshotReadOptions | undefined,
  depth: Depth,
): Promise<SnapshotReport[]> {
  const found: SnapshotReport[] = [];
  for (const role of ROLES) {
    const examination = await examine(options?.vfs ?? nodeVfs, dir, role, depth);
    if (examination !== undefined) found.push(examination.report);
  }
  return found;
}

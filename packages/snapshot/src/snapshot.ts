/** The five things that one does with images in a directory. */
import { nodeVfs } from '@nendb/vfs';
import { SnapshotError } from './errors.js';
import { examine, type Look } from './image-reader.js';
import { load } from './load.js';
import { checkEncryption, checkLookOptions, checkReadOptions } from './options.js';
import { BAK, type ImagePlace, keptPlaces, NEWEST } from './places.js';
import type {
  SnapshotImage,
  SnapshotInfo,
  SnapshotLoadOptions,
  SnapshotLookOptions,
  SnapshotReadOptions,
  SnapshotReport,
  SnapshotWriteOptions,
} from './types.js';
import { write } from './write.js';

export const Snapshot = {
  /**
   * Writes an image and makes it the newest; the one that was newest, if it is valid, becomes
   * `.bak`, and with `keep` the one that was `.bak` is kept under a name of its own. When it resolves the image is durable. One writer at a time for a directory.
   *
   * A rejection leaves the old images loadable, even one between the two renames: the image that
   * was newest is then `.bak`. Errors of `chunks`, `beforePublish` and `onProgress` are passed on as
   * they are; others are `SnapshotError`: `SNAPSHOT_NO_SPACE`, `SNAPSHOT_IO`, `SNAPSHOT_ABORTED`,
   * `SNAPSHOT_TOO_NEW`, `SNAPSHOT_WRONG_DATABASE`, `SNAPSHOT_BAD_OPTION` (also for an image older
   * than the newest one).
   *
   * Costs one read of the newest image, with `keep` also of the `.bak`, beside the write of the new
   * one.
   */
  write(dir: string, options: SnapshotWriteOptions): Promise<SnapshotInfo> {
    return write(dir, options);
  },

  /**
   * Checks every byte of the newest image and returns it; where it is missing, damaged or
   * unreadable, the `.bak`, then the kept ones, with the `reason`. `undefined` where there is no
   * image. Writes nothing. An image that is not for these keys is never passed over for an older one.
   *
   * Throws `SNAPSHOT_CORRUPT`, `SNAPSHOT_IO`, `SNAPSHOT_TOO_NEW`, `SNAPSHOT_WRONG_DATABASE`,
   * `SNAPSHOT_WRONG_KEY`, `SNAPSHOT_NO_KEY`, `SNAPSHOT_NOT_ENCRYPTED`, `SNAPSHOT_BAD_OPTION`.
   */
  load(dir: string, options?: SnapshotLoadOptions): Promise<SnapshotImage | undefined> {
    return load(dir, options);
  },

  /**
   * The images whose head and footer are sound, the newest first: a log is to be kept back to the
   * oldest of their LSNs. Needs no keys. Throws
   * `SNAPSHOT_TOO_NEW` and `SNAPSHOT_IO`, for an image that cannot be judged may well be good.
   */
  async list(dir: string, options?: SnapshotReadOptions): Promise<SnapshotInfo[]> {
    checkReadOptions(dir, options);
    const infos: SnapshotInfo[] = [];
    for (const { file, state, info, reason } of await reports(dir, options, {
      depth: 'ends',
      payload: false,
    })) {
      if (state === 'too-new' || state === 'unreadable') {
        const code = state === 'too-new' ? 'SNAPSHOT_TOO_NEW' : 'SNAPSHOT_IO';
        throw new SnapshotError(code, `expected to read ${file} in ${dir}: ${reason}`);
      }
      if (state === 'valid' && info !== undefined) infos.push(info);
    }
    return infos;
  },

  /**
   * Looks at head and footer of each file that is there. Throws `SNAPSHOT_BAD_OPTION`, and nothing
   * else: the reports say all.
   */
  async inspect(dir: string, options?: SnapshotLookOptions): Promise<SnapshotReport[]> {
    checkLookOptions(dir, options);
    return reports(dir, options, lookOf('ends', options));
  },

  /** Checks every byte of each file that is there. Throws as `inspect` does. */
  async verify(dir: string, options?: SnapshotLookOptions): Promise<SnapshotReport[]> {
    checkLookOptions(dir, options);
    return reports(dir, options, lookOf('all', options));
  },
};

function lookOf(depth: Look['depth'], options: SnapshotLookOptions | undefined): Look {
  const keys = checkEncryption(options?.encryption);
  return { depth, payload: false, ...(keys && { keys }) };
}

async function reports(
  dir: string,
  options: SnapshotReadOptions | undefined,
  look: Look,
): Promise<SnapshotReport[]> {
  const vfs = options?.vfs ?? nodeVfs;
  const found: SnapshotReport[] = [];
  const report = async (place: ImagePlace): Promise<void> => {
    const examination = await examine(vfs, dir, place, look);
    if (examination !== undefined) found.push(examination.report);
  };
  await report(NEWEST);
  await report(BAK);
  try {
    for (const place of await keptPlaces(vfs, dir)) await report(place);
  } catch (error) {
    // Which names there are is not known: that is one more thing that cannot be read.
    const reason = error instanceof Error ? error.message : String(error);
    found.push({ file: `${NEWEST.file}.*`, role: 'kept', state: 'unreadable', reason });
  }
  return found;
}

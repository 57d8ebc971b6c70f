/**
 * Chooses the image to start from.
 *
 *     newest valid -> it | missing, damaged or unreadable -> .bak, then the kept ones, saying why
 *     too new, of another database, not for these keys -> refused: an older image would silently undo it
 *
 * Invariants
 *  1. Every byte is checked before the image is returned, and each block again as it is streamed.
 *  2. Loading writes nothing.
 *  3. `undefined` means that no image exists, nothing else does.
 */
import { formatUuid, sameUuid } from '@nendb/codec';
import { nodeVfs, type Vfs } from '@nendb/vfs';
import { SnapshotError } from './errors.js';
import { type Examination, examine, readPayload } from './image-reader.js';
import type { Access } from './image-scanner.js';
import { checkEncryption, checkLoadOptions, checkUuid } from './options.js';
import { BAK, type ImagePlace, keptPlaces, NEWEST } from './places.js';
import type {
  SnapshotErrorCode,
  SnapshotImage,
  SnapshotLoadOptions,
  SnapshotReport,
  SnapshotState,
} from './types.js';

/** States that end the search: the image may well be good, and newer than any other. */
const REFUSED: Partial<Record<SnapshotState, SnapshotErrorCode>> = {
  'too-new': 'SNAPSHOT_TOO_NEW',
  'wrong-key': 'SNAPSHOT_WRONG_KEY',
  'not-encrypted': 'SNAPSHOT_NOT_ENCRYPTED',
  'no-key': 'SNAPSHOT_NO_KEY',
};

/** States in words, where the name of the state is none. */
const STATE_TEXT: Partial<Record<SnapshotState, string>> = {
  'wrong-key': 'not for this key',
  'not-encrypted': 'not encrypted',
  'no-key': 'encrypted',
};

/** See `Snapshot.load`. */
export async function load(
  dir: string,
  options: SnapshotLoadOptions = {},
): Promise<SnapshotImage | undefined> {
  checkLoadOptions(dir, options);
  const vfs = options.vfs ?? nodeVfs;
  if (options.uuid !== undefined) checkUuid(options.uuid);
  const keys = checkEncryption(options.encryption);
  const access: Access = { payload: true, ...(keys && { keys }) };
  const refusals: string[] = [];
  let damaged = 0;
  let unreadable = 0;
  for await (const place of places(vfs, dir)) {
    const found = await examine(vfs, dir, place, { ...access, depth: 'all' });
    if (found === undefined) {
      refusals.push(`${place.file} is missing`);
      continue;
    }
    const why = describe(found.report);
    const refused = REFUSED[found.report.state];
    if (refused !== undefined) throw new SnapshotError(refused, [...refusals, why].join('; '));
    const image = toImage(vfs, dir, found, access);
    if (image !== undefined) {
      refuseForeign(image, options.uuid);
      return refusals.length === 0 ? image : { ...image, reason: refusals.join('; ') };
    }
    if (found.report.state === 'unreadable') unreadable++;
    else damaged++;
    refusals.push(why);
  }
  if (unreadable > 0) {
    throw new SnapshotError(
      'SNAPSHOT_IO',
      `expected a readable image in ${dir}: ${refusals.join('; ')}: check permissions and the disk`,
    );
  }
  if (damaged > 0) {
    throw new SnapshotError(
      'SNAPSHOT_CORRUPT',
      `expected a valid image in ${dir}: ${refusals.join('; ')}: restore one from a backup`,
    );
  }
  return undefined;
}

/** Where images may be, the newest first; the directory is not read unless it comes to that. */
async function* places(vfs: Vfs, dir: string): AsyncGenerator<ImagePlace, void, undefined> {
  yield NEWEST;
  yield BAK;
  try {
    yield* await keptPlaces(vfs, dir);
  } catch (error) {
    throw new SnapshotError(
      'SNAPSHOT_IO',
      `expected to read the names in ${dir}: ${error instanceof Error ? error.message : String(error)}: check permissions and the disk`,
      { cause: error },
    );
  }
}

/** One line on a file that was refused. */
function describe({ file, state, offset, reason }: SnapshotReport): string {
  const where = offset === undefined ? '' : ` at offset ${offset}`;
  return `${file} is ${STATE_TEXT[state] ?? state}${state === 'too-new' ? '' : where}: ${reason}`;
}

function toImage(
  vfs: Vfs,
  dir: string,
  found: Examination,
  access: Access,
): SnapshotImage | undefined {
  const { report, imageUuid } = found;
  if (report.state !== 'valid' || report.info === undefined || imageUuid === undefined) {
    return undefined;
  }
  return {
    header: report.info.header,
    chunks: once(() => readPayload(vfs, dir, report.file, imageUuid, access)),
    source: report.role === 'newest' ? 'newest' : 'bak',
    info: report.info,
  };
}

function refuseForeign(image: SnapshotImage, uuid: Uint8Array | undefined): void {
  if (uuid === undefined || sameUuid(uuid, image.header.uuid)) return;
  throw new SnapshotError(
    'SNAPSHOT_WRONG_DATABASE',
    `expected ${image.info.file} of database ${formatUuid(uuid)}, got one of ${formatUuid(image.header.uuid)}: use the directory that it belongs to`,
  );
}

/** A second pass over a stream that is used up would look like an empty image: it is refused. */
function once(start: () => AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  let started = false;
  return {
    [Symbol.asyncIterator]() {
      if (started) {
        throw new SnapshotError(
          'SNAPSHOT_BAD_OPTION',
          'expected the chunks of an image to be read once, got a second reader: load again',
        );
      }
      started = true;
      return start();
    },
  };
}

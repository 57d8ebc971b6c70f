/**
 * Chooses the image to start from.
 *
 *     newest valid -> it | newest missing, damaged or unreadable -> .bak, saying why
 *     newest too new or of another database -> refused: an older image would silently undo it
 *
 * Invariants
 *  1. Every byte is checked before the image is returned, and each block again as it is streamed.
 *  2. Loading writes nothing.
 *  3. `undefined` means that neither name exists, nothing else does.
 */
import { formatUuid, sameUuid } from '@nendb/codec';
import { nodeVfs, type Vfs } from '@nendb/vfs';
import { SnapshotError } from './errors.js';
import { type Examination, examine, fileOf, readPayload } from './image-reader.js';
import { checkUuid } from './options.js';
import type { SnapshotImage, SnapshotLoadOptions, SnapshotReport, SnapshotRole } from './types.js';

export const ROLES: readonly SnapshotRole[] = ['newest', 'bak'];

/** See `Snapshot.load`. */
export async function load(
  dir: string,
  options: SnapshotLoadOptions = {},
): Promise<SnapshotImage | undefined> {
  const vfs = options.vfs ?? nodeVfs;
  if (options.uuid !== undefined) checkUuid(options.uuid);
  const refusals: string[] = [];
  let damaged = 0;
  let unreadable = 0;
  for (const role of ROLES) {
    const found = await examine(vfs, dir, role, 'all');
    if (found === undefined) {
      refusals.push(`${fileOf(role)} is missing`);
      continue;
    }
    const why = describe(found.report);
    if (found.report.state === 'too-new') {
      throw new SnapshotError('SNAPSHOT_TOO_NEW', [...refusals, why].join('; '));
    }
    const image = toImage(vfs, dir, found);
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

/** One line on a file that was refused. */
function describe({ file, state, offset, reason }: SnapshotReport): string {
  const where = state === 'damaged' ? `damaged at offset ${offset}` : state;
  return `${file} is ${where}: ${reason}`;
}

function toImage(vfs: Vfs, dir: string, found: Examination): SnapshotImage | undefined {
  const { report, imageUuid } = found;
  if (report.state !== 'valid' || report.info === undefined || imageUuid === undefined) {
    return undefined;
  }
  return {
    header: report.info.header,
    chunks: once(() => readPayload(vfs, dir, report.role, imageUuid)),
    source: report.role,
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

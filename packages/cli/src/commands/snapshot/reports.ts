/** What the commands that only look at images share: finding them, and a report as JSON. */
import { Snapshot, type SnapshotReport } from '@nendb/snapshot';
import { nodeVfs } from '@nendb/vfs';
import type { CommandContext } from '../../command.js';
import { CliError, ExitCode } from '../../errors.js';
import type { JsonValue } from '../../output/json.js';
import { uuidText } from '../../output/uuid.js';
import { findDirectory } from '../../target.js';

/** How closely to look: `inspect` reads both ends of each image, `verify` every byte. */
export type Look = 'inspect' | 'verify';

/**
 * The images in the directory of `context`, the newest first. Throws `CliError` `NOT_FOUND` where the
 * directory is missing or is no database's.
 */
export async function readReports(context: CommandContext, look: Look): Promise<SnapshotReport[]> {
  const dir = await findDirectory(context, nodeVfs);
  const reports = await Snapshot[look](dir, { vfs: nodeVfs });
  if (reports.length > 0) return reports;
  const { readDirectoryIdentity } = await import('../../offline/identity.js');
  await readDirectoryIdentity(dir, nodeVfs);
  return [];
}

/** One image as JSON: LSN as a decimal string, null for what a damaged image does not tell. */
export function reportToJson({ file, role, state, info, reason, offset }: SnapshotReport): {
  [key: string]: JsonValue;
} {
  return {
    file,
    role,
    state,
    reason: reason ?? null,
    damaged_offset: offset ?? null,
    lsn: info === undefined ? null : String(info.header.lsn),
    epoch: info?.header.epoch ?? null,
    database_uuid: info === undefined ? null : uuidText(info.header.uuid),
    database_time_ms: info?.header.databaseTimeMs ?? null,
    file_bytes: info?.fileBytes ?? null,
    payload_bytes: info?.payloadBytes ?? null,
  };
}

/** Throws for the first image that is not valid; call it when the report has been printed. */
export function throwIfBad(reports: readonly SnapshotReport[]): void {
  const bad = reports.find((report) => report.state !== 'valid');
  if (bad === undefined) return;
  const at = bad.offset === undefined ? '' : ` at offset ${bad.offset}`;
  const message = `expected a sound image in ${bad.file}, got one that is ${bad.state}${at}: ${bad.reason}`;
  if (bad.state === 'damaged') {
    throw new CliError(
      ExitCode.corrupt,
      'SNAPSHOT_CORRUPT',
      message,
      'the database falls back to the other image and a longer log; nen snapshot create makes a new one',
    );
  }
  const [code, hint] =
    bad.state === 'too-new'
      ? ['SNAPSHOT_TOO_NEW', 'use the release that wrote it']
      : ['SNAPSHOT_IO', 'check the permissions of the file, and the disk'];
  throw new CliError(ExitCode.failure, code, message, hint);
}

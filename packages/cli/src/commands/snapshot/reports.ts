/** What the commands that only look at images share: finding them, and a report as JSON. */
import {
  Snapshot,
  type SnapshotErrorCode,
  type SnapshotReport,
  type SnapshotState,
} from '@nendb/snapshot';
import { nodeVfs } from '@nendb/vfs';
import type { CommandContext } from '../../command.js';
import { CliError, ExitCode, translationOf } from '../../errors.js';
import type { JsonValue } from '../../output/json.js';
import { uuidText } from '../../output/uuid.js';
import { findDirectory } from '../../target.js';

/** How closely to look: `inspect` reads both ends of each image, `verify` every byte. */
export type Look = 'inspect' | 'verify';

/** A report that calls nothing valid that was not checked. */
export interface ImageReport extends Omit<SnapshotReport, 'state'> {
  /** `unchecked`: both ends are sound, and nothing between them was looked at. */
  readonly state: SnapshotState | 'unchecked';
}

/**
 * The images in the directory of `context`, the newest first. Throws `CliError` `NOT_FOUND` where the
 * directory is missing or is no database's, and what `readDirectoryIdentity` throws where a database
 * without an image is damaged.
 */
export async function readReports(context: CommandContext, look: Look): Promise<ImageReport[]> {
  const dir = await findDirectory(context, nodeVfs);
  const reports = await Snapshot[look](dir, { vfs: nodeVfs });
  if (reports.length > 0) return look === 'verify' ? reports : reports.map(unchecked);
  const { readDirectoryIdentity } = await import('../../offline/identity.js');
  await readDirectoryIdentity(dir, nodeVfs);
  return [];
}

function unchecked(report: SnapshotReport): ImageReport {
  return report.state === 'valid' ? { ...report, state: 'unchecked' } : report;
}

/** One image as JSON: LSN as a decimal string, null for what a damaged image does not tell. */
export function reportToJson({ file, role, state, info, reason, offset }: ImageReport): {
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

/** The error of each state that has one of its own. */
const CODES: Partial<Record<ImageReport['state'], SnapshotErrorCode>> = {
  'too-new': 'SNAPSHOT_TOO_NEW',
  'wrong-key': 'SNAPSHOT_WRONG_KEY',
  'no-key': 'SNAPSHOT_NO_KEY',
  'not-encrypted': 'SNAPSHOT_NOT_ENCRYPTED',
};

/** Throws for the first image that something is wrong with; call it when the report has been printed. */
export function throwIfBad(reports: readonly ImageReport[]): void {
  const bad = reports.find(({ state }) => state !== 'valid' && state !== 'unchecked');
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
  const code = CODES[bad.state] ?? 'SNAPSHOT_IO';
  const { exitCode, hint } = translationOf(code) ?? {
    exitCode: ExitCode.failure,
    hint: 'check the permissions of the file, and the disk',
  };
  throw new CliError(exitCode, code, message, hint);
}

/** `nen snapshot list`: the images in a directory by their first and last bytes. */
import type { CommandHandler } from '../../command.js';
import { ExitCode } from '../../errors.js';
import { SCHEMA_VERSION, toJson } from '../../output/json.js';
import { formatTable } from '../../output/table.js';
import { type ImageReport, readReports, reportToJson } from './reports.js';

export const handler: CommandHandler = async (context) => {
  const { io, json } = context;
  const reports = await readReports(context, 'inspect');
  if (json) {
    io.stdout.write(
      toJson({ schema_version: SCHEMA_VERSION, snapshots: reports.map(reportToJson) }),
    );
  } else if (reports.length === 0) {
    io.stderr.write('no snapshots yet; nen snapshot create makes one\n');
  } else {
    io.stdout.write(formatReports(reports));
  }
  return ExitCode.ok;
};

/** Images as a table. */
export function formatReports(reports: readonly ImageReport[]): string {
  const rows = reports.map(({ role, state, info, file }) => [
    role,
    state,
    info === undefined ? '-' : String(info.header.lsn),
    info === undefined ? '-' : new Date(info.header.databaseTimeMs).toISOString(),
    info === undefined ? '-' : String(info.fileBytes),
    file,
  ]);
  return formatTable(['role', 'state', 'lsn', 'database time', 'bytes', 'file'], rows);
}

/** `nen snapshot verify`: checks every byte of every image; the whole report comes before the verdict. */
import type { CommandHandler } from '../../command.js';
import { ExitCode } from '../../errors.js';
import { SCHEMA_VERSION, toJson } from '../../output/json.js';
import { formatReports } from './list.js';
import { readReports, reportToJson, throwIfBad } from './reports.js';

export const handler: CommandHandler = async (context) => {
  const { io, json } = context;
  const reports = await readReports(context, 'verify');
  const valid = reports.every((report) => report.state === 'valid');
  if (json) {
    const snapshots = reports.map(reportToJson);
    io.stdout.write(toJson({ schema_version: SCHEMA_VERSION, valid, snapshots }));
  } else if (reports.length > 0) {
    io.stdout.write(formatReports(reports));
  } else {
    io.stderr.write('no snapshots yet; nen snapshot create makes one\n');
  }
  throwIfBad(reports);
  return ExitCode.ok;
};

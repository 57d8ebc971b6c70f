/** `nen snapshot inspect [newest|bak]`: what one image says of itself. */
import type { CommandHandler } from '../../command.js';
import { CliError, ExitCode, usageError } from '../../errors.js';
import { SCHEMA_VERSION, toJson } from '../../output/json.js';
import { readReports, reportToJson, throwIfBad } from './reports.js';

export const handler: CommandHandler = async (context) => {
  const { io, json, args } = context;
  const role = args[0] ?? 'newest';
  if (role !== 'newest' && role !== 'bak') {
    throw usageError(
      `expected newest or bak, got "${role}"`,
      'nen snapshot list shows which images there are',
    );
  }
  const report = (await readReports(context, 'inspect')).find((each) => each.role === role);
  if (report === undefined) {
    throw new CliError(
      ExitCode.notFound,
      'NOT_FOUND',
      `expected a snapshot in the role ${role}, got none`,
      'nen snapshot list shows which images there are',
    );
  }
  const fields = reportToJson(report);
  if (json) {
    io.stdout.write(toJson({ schema_version: SCHEMA_VERSION, ...fields }));
  } else {
    const width = Math.max(...Object.keys(fields).map((key) => key.length));
    for (const [key, value] of Object.entries(fields)) {
      io.stdout.write(`${key.padEnd(width)}  ${value ?? '-'}\n`);
    }
  }
  throwIfBad([report]);
  return ExitCode.ok;
};

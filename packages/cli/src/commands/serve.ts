/**
 * `nen serve` where no server is attached. `run` hands `serve` to the program around it (`apps/cli`);
 * this library knows no server and says so.
 */
import type { CommandHandler } from '../command.js';
import { CliError, ExitCode } from '../errors.js';

export const handler: CommandHandler = async () => {
  throw new CliError(
    ExitCode.failure,
    'NO_SERVER',
    'expected a program with a server attached, got the library alone',
    'run nendb-server, or pass `serve` to run()',
  );
};

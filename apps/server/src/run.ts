/**
 * The life of the process around a server: arguments in, exit code out.
 *
 * stdout has exactly one line, `ready redis://HOST:PORT`, when clients can come. Errors and logs
 * are on stderr. Whoever started the process may close either, and the server goes on.
 *
 * A signal that comes before recovery is done stops the server as soon as it is; another one later
 * ends the process at once, which recovery survives as it does any crash.
 */
import { NENDB_VERSION } from '@nendb/commands';
import { configHelp, type ParsedConfig, parseConfig } from './config.js';
import { ExitCode } from './exit-code.js';
import { LINGER_MS } from './limits.js';
import { type RunningServer, startServer } from './server.js';
import { obeySignals, type Stoppable } from './shutdown.js';
import { startFailure } from './start-error.js';

/**
 * Runs a server until it ends.
 *
 * @param argv without node and script.
 * @returns the exit code: 0 stopped in order, 1 failed, 2 wrong usage, 5 directory locked,
 *   6 corruption found, 130 forced to stop.
 */
export async function main(
  argv: readonly string[] = process.argv.slice(2),
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignore);
  try {
    const parsed = parseConfig(argv, env);
    return parsed.action === 'run' ? await run(parsed) : inform(parsed.action);
  } catch (error) {
    const failure = startFailure(error);
    process.stderr.write(`nendb-server: ${failure.message}\n`);
    return failure.exitCode;
  }
}

function ignore(): void {}

function inform(what: 'help' | 'version'): number {
  process.stdout.write(what === 'help' ? configHelp() : `${NENDB_VERSION}\n`);
  return ExitCode.ok;
}

async function run({ config }: Extract<ParsedConfig, { action: 'run' }>): Promise<number> {
  const start = new Start();
  const ignoreSignals = obeySignals(start);
  const server = await startServer(config);
  if (start.done(server)) process.stdout.write(`ready ${server.url}\n`);
  const end = await server.ended;
  ignoreSignals();
  if (end.exitCode !== ExitCode.ok) process.stderr.write(`nendb-server: ${end.reason}\n`);
  // I/O that hangs must not keep a process that has ended.
  setTimeout(() => process.exit(end.exitCode), LINGER_MS).unref();
  return end.exitCode;
}

/** What signals stop: the server, or its start until there is one. */
class Start implements Stoppable {
  #server: RunningServer | undefined;
  #asked: string | undefined;

  /** The server has started; `false` where it was asked to stop before, and does so now. */
  done(server: RunningServer): boolean {
    this.#server = server;
    if (this.#asked === undefined) return true;
    void server.stop(this.#asked);
    return false;
  }

  async stop(reason: string): Promise<void> {
    this.#asked ??= reason;
    await this.#server?.stop(reason);
  }

  async abort(reason: string): Promise<void> {
    if (this.#server === undefined) process.exit(ExitCode.interrupted);
    await this.#server.abort(reason);
  }
}

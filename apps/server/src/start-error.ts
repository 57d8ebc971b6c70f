/**
 * Why a server could not start: one message and the exit code that goes with it.
 *
 *     2 configuration   5 locked by another writer   6 corruption   1 anything else
 */
import { EngineError } from '@nendb/engine';
import { ConfigError } from './config.js';
import { ExitCode } from './exit-code.js';

export interface StartFailure {
  exitCode: ExitCode;
  message: string;
}

/** The listening socket could not be had. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code = 'SERVER_CANNOT_LISTEN';

  constructor(host: string, port: number, cause: NodeJS.ErrnoException) {
    super(`expected to listen on ${host} port ${port}, came ${describe(cause)}`, { cause });
  }
}

/** Turns what `startServer` threw into what the user reads; throws on what nobody foresaw. */
export function startFailure(error: unknown): StartFailure {
  if (error instanceof ConfigError) return { exitCode: ExitCode.usage, message: error.message };
  if (error instanceof ListenError) return { exitCode: ExitCode.failure, message: error.message };
  if (error instanceof EngineError) {
    return { exitCode: exitCodeOf(error), message: error.message };
  }
  throw error;
}

function exitCodeOf(error: EngineError): ExitCode {
  switch (error.code) {
    case 'ENGINE_LOCKED':
      return ExitCode.locked;
    case 'ENGINE_CORRUPT':
    case 'ENGINE_MISSING_LOG':
      return ExitCode.corruption;
    default:
      return ExitCode.failure;
  }
}

function describe(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'EADDRINUSE: another process has the port; stop it, or choose another with --port (0 picks a free one)';
    case 'EACCES':
      return 'EACCES: the port needs more rights; choose one above 1023 with --port';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${error.code}: this machine has no such address; give one of its own with --bind`;
    default:
      return `${error.message}; check --bind and --port`;
  }
}

/**
 * Structured logs: one JSON line to stderr per event that matters.
 *
 * stdout belongs to the `ready` line. JSON escapes control characters, so that no client can forge
 * a line. Secrets never come here: nothing logs the arguments of a command, and what could still
 * carry one is redacted by name.
 */
import { type Logger, pino } from 'pino';

export type { Logger };

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Lines go out synchronously: the last one before a fatal exit is the one that is needed. */
export function createLog(level: LogLevel): Logger {
  return pino(
    {
      level,
      base: { name: 'nendb' },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ['password', '*.password', 'requirepass', '*.requirepass'],
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

/**
 * Structured logs: one JSON line to stderr per event that matters.
 *
 * stdout belongs to the `ready` line. JSON escapes control characters, so that no client can forge
 * a line. Secrets never come here: nothing logs the arguments of a command, and what could still
 * carry one is redacted by name.
 *
 * A stderr that is closed or full must not end the server: what it does not take is dropped.
 */
import { type Logger, pino } from 'pino';
import { LOG_BUFFER_BYTES_MAX } from './limits.js';

export type { Logger };

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Lines go out synchronously: the last one before a fatal exit is the one that is needed. */
export function createLog(level: LogLevel): Logger {
  const destination = pino.destination({ dest: 2, sync: true, maxLength: LOG_BUFFER_BYTES_MAX });
  destination.on('error', () => {});
  return pino(
    {
      level,
      base: { name: 'nendb' },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ['password', '*.password', 'requirepass', '*.requirepass'],
    },
    destination,
  );
}

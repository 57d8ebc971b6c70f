/**
 * Error replies, as Redis words them: clients and libraries match on these texts. The first word is
 * the stable code. Source: Redis 7.0, `server.c` (`createSharedObjects`) and each command's page.
 *
 * A text is a byte string: each character is one byte (latin1), so that what a client sent is quoted
 * as it came. `writeError` writes it; text from elsewhere goes through `oneLine` first.
 */
import type { EngineError } from '@nendb/engine';
import type { ReplyWriter } from '@nendb/resp';
import { ERROR_QUOTE_BYTES_MAX, PATTERN_BYTES_MAX } from './limits.js';

export const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
export const NOT_AN_INTEGER = 'ERR value is not an integer or out of range';
export const NOT_A_FLOAT = 'ERR value is not a valid float';
export const HASH_NOT_A_FLOAT = 'ERR hash value is not a float';
export const NOT_FINITE = 'ERR increment would produce NaN or Infinity';
export const HASH_NOT_AN_INTEGER = 'ERR hash value is not an integer';
export const WOULD_OVERFLOW = 'ERR increment or decrement would overflow';
export const DECREMENT_WOULD_OVERFLOW = 'ERR decrement would overflow';
export const SYNTAX = 'ERR syntax error';
export const OUT_OF_RANGE = 'ERR value is out of range';
export const NO_SUCH_KEY = 'ERR no such key';
export const SAME_OBJECT = 'ERR source and destination objects are the same';
export const DATABASE_OUT_OF_RANGE = 'ERR DB index is out of range';
export const INVALID_CURSOR = 'ERR invalid cursor';
export const STRING_TOO_LONG = 'ERR string exceeds maximum allowed size (proto-max-bulk-len)';
export const PATTERN_TOO_LONG = `ERR pattern is longer than ${PATTERN_BYTES_MAX} bytes: use a shorter one`;
export const NO_AUTH = 'NOAUTH Authentication required.';
export const WRONG_PASSWORD = 'WRONGPASS invalid username-password pair or user is disabled.';
export const BAD_CLIENT_NAME =
  'ERR Client names cannot contain spaces, newlines or special characters.';
export const NOT_IN_TRANSACTION = 'ERR Command not allowed inside a transaction';
export const EXEC_ABORTED = 'EXECABORT Transaction discarded because of previous errors.';
export const SAVE_IN_PROGRESS = 'ERR Background save already in progress';

export function wrongArity(fullName: string): string {
  return `ERR wrong number of arguments for '${fullName}' command`;
}

export function invalidExpireTime(fullName: string): string {
  return `ERR invalid expire time in '${fullName}' command`;
}

export function unknownSubcommand(container: string, subcommand: string): string {
  const quoted = subcommand.slice(0, ERROR_QUOTE_BYTES_MAX);
  return `ERR unknown subcommand '${quoted}'. Try ${container.toUpperCase()} HELP.`;
}

/** A subcommand that is there and was given the wrong arguments; `subcommand` as it was spelled. */
export function subcommandSyntax(container: string, subcommand: string): string {
  const quoted = subcommand.slice(0, ERROR_QUOTE_BYTES_MAX);
  return `ERR unknown subcommand or wrong number of arguments for '${quoted}'. Try ${container.toUpperCase()} HELP.`;
}

/** A limit of NenDB's own: Redis closes the connection of a client that queues too much. */
export function queueTooLong(bytesMax: number): string {
  return `ERR expected at most ${bytesMax} bytes queued in MULTI, this command would exceed them: use smaller transactions`;
}

/** EXEC itself was refused: the reason without its `ERR`, as Redis has it. */
export function execRefused(reason: string): string {
  const text = reason.startsWith('ERR ') ? reason.slice('ERR '.length) : reason;
  return `EXECABORT Transaction discarded because of: ${text}`;
}

/** `name` and `args` as text; as many arguments are quoted as fit in 128 bytes, as Redis does. */
export function unknownCommand(name: string, args: Iterable<string>): string {
  let quoted = '';
  for (const arg of args) {
    const room = ERROR_QUOTE_BYTES_MAX - quoted.length;
    if (room <= 0) break;
    quoted += `'${arg.slice(0, room)}' `;
  }
  return `ERR unknown command '${name.slice(0, ERROR_QUOTE_BYTES_MAX)}', with args beginning with: ${quoted}`;
}

/** The reply for what the engine refused or suffered; the state of the data is as before. */
export function engineReply(error: EngineError): string {
  switch (error.code) {
    case 'ENGINE_READ_ONLY':
      return `MISCONF ${oneLine(error.message)}`;
    case 'ENGINE_NO_SPACE':
      return `MISCONF Errors writing to the log: ${noSpace(error)}`;
    case 'ENGINE_OUT_OF_MEMORY':
      return `OOM ${oneLine(error.message)}`;
    case 'ENGINE_FAILED':
      return `MISCONF The log has failed, the server stops: ${oneLine(error.message)}`;
    default:
      return `ERR ${oneLine(error.message)}`;
  }
}

/**
 * Why the log could not grow. The engine has one code for it; only where the disk is full is it disk
 * space that has to be freed, so that other causes are given as they are.
 */
function noSpace(error: EngineError): string {
  let cause: unknown = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (!(cause instanceof Error) || typeof code !== 'string' || !SYSTEM_CODE.test(code)) {
    return oneLine(error.message);
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') return oneLine(error.message);
  const hint = OUT_OF_FILES.has(code)
    ? 'close connections or raise the limit of open files, and try again'
    : 'mend the cause and try again';
  return oneLine(`${cause.message}: nothing was written; ${hint}`);
}

/** As the file system gives them: EMFILE, EDQUOT, ... */
const SYSTEM_CODE = /^E[A-Z0-9]+$/;
const OUT_OF_FILES = new Set(['EMFILE', 'ENFILE']);

/** Text as one line of an error reply, as a byte string: UTF-8. */
export function oneLine(text: string): string {
  return Buffer.from(text.replaceAll(/[\r\n]+/g, ' ')).toString('latin1');
}

/** Replies an error: `text` is a byte string; line breaks in it become spaces, as in Redis. */
export function writeError(reply: ReplyWriter, text: string): void {
  reply.raw(Buffer.from(`-${text.replaceAll(/[\r\n]/g, ' ')}\r\n`, 'latin1'));
}

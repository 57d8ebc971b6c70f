/** Expiry: when a key ends. */
import { type CommandFlag, type CommandSpec, type Handler, oneKey } from '../table/row.js';
import {
  expire,
  expireAt,
  expireTime,
  persist,
  pexpire,
  pexpireAt,
  pexpireTime,
  pttl,
  ttl,
} from './handlers.js';

const READ: readonly CommandFlag[] = ['readonly', 'fast'];
const WRITE: readonly CommandFlag[] = ['write', 'fast'];

function row(
  name: string,
  arity: number,
  flags: readonly CommandFlag[],
  since: string,
  summary: string,
  handler: Handler,
  tips: readonly string[] = [],
): CommandSpec {
  return {
    name,
    arity,
    flags,
    keys: oneKey(flags === READ ? 'RO access' : 'RW update'),
    group: 'generic',
    categories: ['keyspace'],
    since,
    summary,
    complexity: 'O(1)',
    tips,
    handler,
  };
}

export const expiryCommands: readonly CommandSpec[] = [
  row('expire', -3, WRITE, '1.0.0', "Set a key's time to live in seconds", expire),
  row('pexpire', -3, WRITE, '2.6.0', "Set a key's time to live in milliseconds", pexpire),
  row('expireat', -3, WRITE, '1.2.0', 'Set the expiration for a key as a UNIX timestamp', expireAt),
  row(
    'pexpireat',
    -3,
    WRITE,
    '2.6.0',
    'Set the expiration for a key as a UNIX timestamp specified in milliseconds',
    pexpireAt,
  ),
  row('ttl', 2, READ, '1.0.0', 'Get the time to live for a key in seconds', ttl, [
    'nondeterministic_output',
  ]),
  row('pttl', 2, READ, '2.6.0', 'Get the time to live for a key in milliseconds', pttl, [
    'nondeterministic_output',
  ]),
  row('expiretime', 2, READ, '7.0.0', 'Get the expiration Unix timestamp for a key', expireTime),
  row(
    'pexpiretime',
    2,
    READ,
    '7.0.0',
    'Get the expiration Unix timestamp for a key in milliseconds',
    pexpireTime,
  ),
  row('persist', 2, WRITE, '2.2.0', 'Remove the expiration from a key', persist),
];

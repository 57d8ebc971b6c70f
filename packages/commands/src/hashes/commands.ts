/** Hashes: fields and values under one key. */
import { type CommandFlag, type CommandSpec, type Handler, oneKey } from '../table/row.js';
import { hGetAll, hKeys, hVals } from './everything.js';
import { hDel, hExists, hGet, hLen, hMGet, hMSet, hSet, hSetNx, hStrLen } from './handlers.js';
import { hIncrBy } from './increment.js';

const READ: readonly CommandFlag[] = ['readonly', 'fast'];
const READ_ALL: readonly CommandFlag[] = ['readonly'];
const WRITE: readonly CommandFlag[] = ['write', 'denyoom', 'fast'];

function row(
  name: string,
  arity: number,
  flags: readonly CommandFlag[],
  access: string,
  since: string,
  summary: string,
  complexity: string,
  handler: Handler,
): CommandSpec {
  return {
    name,
    arity,
    flags,
    keys: oneKey(access),
    group: 'hash',
    categories: ['hash'],
    since,
    summary,
    complexity,
    tips: flags === READ_ALL ? ['nondeterministic_output_order'] : [],
    handler,
  };
}

const PER_FIELD = 'O(N) where N is the number of fields given.';
const WHOLE_HASH = 'O(N) where N is the size of the hash.';

export const hashCommands: readonly CommandSpec[] = [
  row(
    'hset',
    -4,
    WRITE,
    'RW update',
    '2.0.0',
    'Set the string value of hash fields',
    PER_FIELD,
    hSet,
  ),
  row('hget', 3, READ, 'RO access', '2.0.0', 'Get the value of a hash field', 'O(1)', hGet),
  row(
    'hdel',
    -3,
    ['write', 'fast'],
    'RW delete',
    '2.0.0',
    'Delete one or more hash fields',
    PER_FIELD,
    hDel,
  ),
  row(
    'hgetall',
    2,
    READ_ALL,
    'RO access',
    '2.0.0',
    'Get all the fields and values in a hash',
    WHOLE_HASH,
    hGetAll,
  ),
  row('hexists', 3, READ, 'RO', '2.0.0', 'Determine if a hash field exists', 'O(1)', hExists),
  row('hlen', 2, READ, 'RO', '2.0.0', 'Get the number of fields in a hash', 'O(1)', hLen),
  row(
    'hmget',
    -3,
    READ,
    'RO access',
    '2.0.0',
    'Get the values of all the given hash fields',
    PER_FIELD,
    hMGet,
  ),
  row(
    'hkeys',
    2,
    READ_ALL,
    'RO access',
    '2.0.0',
    'Get all the fields in a hash',
    WHOLE_HASH,
    hKeys,
  ),
  row(
    'hvals',
    2,
    READ_ALL,
    'RO access',
    '2.0.0',
    'Get all the values in a hash',
    WHOLE_HASH,
    hVals,
  ),
  row(
    'hsetnx',
    4,
    WRITE,
    'RW insert',
    '2.0.0',
    'Set the value of a hash field, only if the field does not exist',
    'O(1)',
    hSetNx,
  ),
  row(
    'hmset',
    -4,
    WRITE,
    'RW update',
    '2.0.0',
    'Set multiple hash fields to multiple values',
    PER_FIELD,
    hMSet,
  ),
  row(
    'hstrlen',
    3,
    READ,
    'RO',
    '3.2.0',
    'Get the length of the value of a hash field',
    'O(1)',
    hStrLen,
  ),
  row(
    'hincrby',
    4,
    WRITE,
    'RW access update',
    '2.0.0',
    'Increment the integer value of a hash field by the given number',
    'O(1)',
    hIncrBy,
  ),
];

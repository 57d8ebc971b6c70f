/** Strings. */
import {
  allKeys,
  type CommandFlag,
  type CommandSpec,
  type Handler,
  type KeyRange,
  oneKey,
} from '../table/row.js';
import { decr, decrBy, incr, incrBy } from './counters.js';
import { append, get, getDel, getSet, mget, mset, setNx, strlen } from './handlers.js';
import { psetEx, set, setAccess, setEx } from './set.js';

const READ: readonly CommandFlag[] = ['readonly', 'fast'];
const WRITE: readonly CommandFlag[] = ['write', 'denyoom'];
const FAST_WRITE: readonly CommandFlag[] = ['write', 'denyoom', 'fast'];

function row(
  name: string,
  arity: number,
  flags: readonly CommandFlag[],
  keys: KeyRange,
  since: string,
  summary: string,
  handler: Handler,
  more: Partial<CommandSpec> = {},
): CommandSpec {
  return {
    name,
    arity,
    flags,
    keys,
    group: 'string',
    categories: ['string'],
    since,
    summary,
    complexity: 'O(1)',
    handler,
    ...more,
  };
}

export const stringCommands: readonly CommandSpec[] = [
  row('get', 2, READ, oneKey('RO access'), '1.0.0', 'Get the value of a key', get),
  row(
    'set',
    -3,
    WRITE,
    { ...oneKey('RW access update variable_flags'), accessOf: setAccess },
    '1.0.0',
    'Set the string value of a key',
    set,
  ),
  row(
    'setnx',
    3,
    FAST_WRITE,
    oneKey('OW insert'),
    '1.0.0',
    'Set the value of a key, only if the key does not exist',
    setNx,
  ),
  row(
    'setex',
    4,
    WRITE,
    oneKey('OW update'),
    '2.0.0',
    'Set the value and expiration of a key',
    setEx,
  ),
  row(
    'psetex',
    4,
    WRITE,
    oneKey('OW update'),
    '2.6.0',
    'Set the value and expiration in milliseconds of a key',
    psetEx,
  ),
  row(
    'getset',
    3,
    FAST_WRITE,
    oneKey('RW access update'),
    '1.0.0',
    'Set the string value of a key and return its old value',
    getSet,
  ),
  row(
    'getdel',
    2,
    ['write', 'fast'],
    oneKey('RW access delete'),
    '6.2.0',
    'Get the value of a key and delete the key',
    getDel,
  ),
  row(
    'strlen',
    2,
    READ,
    oneKey('RO'),
    '2.2.0',
    'Get the length of the value stored in a key',
    strlen,
  ),
  row('append', 3, FAST_WRITE, oneKey('RW insert'), '2.0.0', 'Append a value to a key', append),
  row(
    'mget',
    -2,
    READ,
    allKeys('RO access'),
    '1.0.0',
    'Get the values of all the given keys',
    mget,
    {
      complexity: 'O(N) where N is the number of keys to retrieve.',
      tips: ['request_policy:multi_shard'],
    },
  ),
  row(
    'mset',
    -3,
    WRITE,
    allKeys('OW update', 2),
    '1.0.1',
    'Set multiple keys to multiple values',
    mset,
    {
      complexity: 'O(N) where N is the number of keys to set.',
      tips: ['request_policy:multi_shard', 'response_policy:all_succeeded'],
    },
  ),
  row(
    'incr',
    2,
    FAST_WRITE,
    oneKey('RW access update'),
    '1.0.0',
    'Increment the integer value of a key by one',
    incr,
  ),
  row(
    'decr',
    2,
    FAST_WRITE,
    oneKey('RW access update'),
    '1.0.0',
    'Decrement the integer value of a key by one',
    decr,
  ),
  row(
    'incrby',
    3,
    FAST_WRITE,
    oneKey('RW access update'),
    '1.0.0',
    'Increment the integer value of a key by the given amount',
    incrBy,
  ),
  row(
    'decrby',
    3,
    FAST_WRITE,
    oneKey('RW access update'),
    '1.0.0',
    'Decrement the integer value of a key by the given number',
    decrBy,
  ),
];

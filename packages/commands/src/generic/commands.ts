/** Generic: whatever a key holds. */
import { allKeys, type CommandFlag, type CommandSpec, type Handler, oneKey } from '../table/row.js';
import { dbSize, del, exists, flushAll, flushDb, swapDb, type } from './handlers.js';
import { keys, scan } from './scan.js';

const READ: readonly CommandFlag[] = ['readonly', 'fast'];

function row(
  name: string,
  arity: number,
  flags: readonly CommandFlag[],
  since: string,
  summary: string,
  complexity: string,
  handler: Handler,
  more: Partial<CommandSpec> = {},
): CommandSpec {
  return {
    name,
    arity,
    flags,
    group: 'generic',
    categories: ['keyspace'],
    since,
    summary,
    complexity,
    handler,
    ...more,
  };
}

const OVER_SHARDS = ['request_policy:multi_shard', 'response_policy:agg_sum'];
const ALL_SHARDS = ['request_policy:all_shards', 'response_policy:all_succeeded'];

export const genericCommands: readonly CommandSpec[] = [
  row(
    'del',
    -2,
    ['write'],
    '1.0.0',
    'Delete a key',
    'O(N) where N is the number of keys that will be removed.',
    del,
    { keys: allKeys('RM delete'), tips: OVER_SHARDS },
  ),
  row(
    'unlink',
    -2,
    ['write', 'fast'],
    '4.0.0',
    'Delete a key; memory is given back in the background',
    'O(1) for each key removed regardless of its size.',
    del,
    { keys: allKeys('RM delete'), tips: OVER_SHARDS },
  ),
  row(
    'exists',
    -2,
    READ,
    '1.0.0',
    'Determine if a key exists',
    'O(N) where N is the number of keys to check.',
    exists,
    { keys: allKeys('RO'), tips: OVER_SHARDS },
  ),
  row('type', 2, READ, '1.0.0', 'Determine the type stored at key', 'O(1)', type, {
    keys: oneKey('RO'),
  }),
  row(
    'dbsize',
    1,
    READ,
    '1.0.0',
    'Return the number of keys in the selected database',
    'O(1)',
    dbSize,
    { group: 'server', tips: ['request_policy:all_shards', 'response_policy:agg_sum'] },
  ),
  row(
    'flushdb',
    -1,
    ['write'],
    '1.0.0',
    'Remove all keys from the current database',
    'O(1); memory is given back in the background',
    flushDb,
    { group: 'server', categories: ['keyspace', 'dangerous'], tips: ALL_SHARDS },
  ),
  row(
    'flushall',
    -1,
    ['write'],
    '1.0.0',
    'Remove all keys from all databases',
    'O(1); memory is given back in the background',
    flushAll,
    { group: 'server', categories: ['keyspace', 'dangerous'], tips: ALL_SHARDS },
  ),
  row('swapdb', 3, ['write', 'fast'], '4.0.0', 'Swap two databases', 'O(1)', swapDb, {
    group: 'server',
    categories: ['keyspace', 'dangerous'],
  }),
  row(
    'scan',
    -2,
    ['readonly'],
    '2.8.0',
    'Incrementally iterate the keys space',
    'O(1) for every call. O(N) for a complete iteration, N being the number of keys.',
    scan,
    { tips: ['nondeterministic_output', 'request_policy:special'] },
  ),
  row(
    'keys',
    2,
    ['readonly'],
    '1.0.0',
    'Find all keys matching the given pattern',
    'O(N) with N being the number of keys in the database',
    keys,
    {
      categories: ['keyspace', 'dangerous'],
      tips: ['request_policy:all_shards', 'nondeterministic_output_order'],
    },
  ),
];

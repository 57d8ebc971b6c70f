/** Server: what it is, how it is doing, what it keeps. */
import type { CommandFlag, CommandSpec, Handler } from '../table/row.js';
import { commandCommand } from './command.js';
import { configCommand } from './config.js';
import { debug } from './debug.js';
import { info } from './info.js';
import { latencyCommand } from './latency.js';
import { lolwut } from './lolwut.js';
import { memoryCommand } from './memory.js';
import { nendbCommand } from './nendb.js';
import { bgRewriteAof, bgSave, lastSave, save, shutdown } from './persistence.js';
import { role, wait, waitAof } from './replication.js';
import { slowLogCommand } from './slowlog.js';
import { time } from './time.js';

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
  return { name, arity, flags, group: 'server', since, summary, complexity, handler, ...more };
}

export const serverCommands: readonly CommandSpec[] = [
  row(
    'info',
    -1,
    ['loading', 'stale'],
    '1.0.0',
    'Get information and statistics about the server',
    'O(1)',
    info,
    {
      categories: ['dangerous'],
      syntax: '[section...]',
      tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
    },
  ),
  commandCommand,
  configCommand,
  row(
    'save',
    1,
    ['admin', 'noscript', 'no_async_loading', 'no_multi'],
    '1.0.0',
    'Take a snapshot and wait for it; other clients go on',
    'O(N) where N is the total number of keys in all databases',
    save,
  ),
  row(
    'bgsave',
    -1,
    ['admin', 'noscript', 'no_async_loading'],
    '1.0.0',
    'Start a snapshot',
    'O(1)',
    bgSave,
    { syntax: '[SCHEDULE/]' },
  ),
  row(
    'lastsave',
    1,
    ['loading', 'stale', 'fast'],
    '1.0.0',
    'Get the UNIX time stamp of the last successful snapshot',
    'O(1)',
    lastSave,
    { categories: ['admin', 'dangerous'], tips: ['nondeterministic_output'] },
  ),
  row(
    'shutdown',
    -1,
    ['admin', 'noscript', 'loading', 'stale', 'no_multi', 'allow_busy'],
    '1.0.0',
    'Sync and close the log, then stop the server',
    'O(N) when saving, where N is the total number of keys in all databases, otherwise O(1)',
    shutdown,
    { syntax: '[nosave_save(NOSAVE/ | SAVE/)] [NOW/] [FORCE/] [ABORT/]' },
  ),
  row(
    'time',
    1,
    ['loading', 'stale', 'fast'],
    '2.6.0',
    'Return the current server time',
    'O(1)',
    time,
    { tips: ['nondeterministic_output'] },
  ),
  row(
    'bgrewriteaof',
    1,
    ['admin', 'noscript', 'no_async_loading'],
    '1.0.0',
    'Take a snapshot, behind which the log is cut',
    'O(1)',
    bgRewriteAof,
  ),
  row(
    'role',
    1,
    ['noscript', 'loading', 'stale', 'fast'],
    '2.8.12',
    'Return the role of the instance in the context of replication',
    'O(1)',
    role,
    { categories: ['admin', 'dangerous'] },
  ),
  row(
    'wait',
    3,
    ['noscript'],
    '3.0.0',
    'Tell how many replicas have the writes of the connection',
    'O(1)',
    wait,
    {
      group: 'generic',
      categories: ['connection'],
      syntax: 'numreplicas:i timeout:i',
      tips: ['request_policy:all_shards', 'response_policy:agg_min'],
    },
  ),
  row(
    'waitaof',
    4,
    ['noscript'],
    '7.2.0',
    'Tell whether the log is synced up to the writes of the connection',
    'O(1)',
    waitAof,
    {
      group: 'generic',
      categories: ['connection'],
      syntax: 'numlocal:i numreplicas:i timeout:i',
      tips: ['request_policy:all_shards', 'response_policy:agg_min'],
    },
  ),
  row(
    'lolwut',
    -1,
    ['readonly', 'fast'],
    '5.0.0',
    'Display some computer art and the version',
    'O(1)',
    lolwut,
    { syntax: '[VERSION/version:i]' },
  ),
  row(
    'debug',
    -2,
    ['admin', 'noscript', 'loading', 'stale'],
    '1.0.0',
    'A container for debugging commands; off by default',
    'Depends on subcommand.',
    debug,
    { system: true },
  ),
  slowLogCommand,
  latencyCommand,
  memoryCommand,
  nendbCommand,
];

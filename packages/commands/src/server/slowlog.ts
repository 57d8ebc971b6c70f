/** SLOWLOG. Source: Redis 7.0, `slowlog.c`. */
import type { Call } from '../dispatch/call.js';
import { readAtLeast } from '../dispatch/numbers.js';
import { subcommandSyntax } from '../errors.js';
import type { CommandFlag, CommandSpec } from '../table/row.js';
import { replyHelp } from './help.js';

const HELP = [
  'GET [<count>]',
  '    Return top <count> entries from the slowlog (default: 10, -1 mean all).',
  '    Entries are made of:',
  '    id, timestamp, time in microseconds, arguments array, client IP and port,',
  '    client name',
  'LEN',
  '    Return the length of the slowlog.',
  'RESET',
  '    Reset the slowlog.',
];

const COUNT_DEFAULT = 10;
const FIELDS = 6;

function get(call: Call) {
  if (call.argc > 3) return call.fail(subcommandSyntax('slowlog', call.quote(1)));
  let count = COUNT_DEFAULT;
  if (call.argc > 2) {
    count = readAtLeast(call, 2, -1, 'ERR count should be greater than or equal to -1');
    if (Number.isNaN(count)) return;
  }
  const { entries } = call.environment.observations.slowLog;
  const shown = count === -1 ? entries : entries.slice(0, count);
  const { reply } = call;
  reply.array(shown.length);
  for (const entry of shown) {
    reply.array(FIELDS);
    reply.integer(entry.id);
    reply.integer(entry.atSeconds);
    reply.integer(entry.elapsedUs);
    reply.array(entry.arguments.length);
    for (const word of entry.arguments) reply.bulk(word);
    reply.text(entry.address);
    reply.text(entry.name);
  }
}

function length(call: Call) {
  call.reply.integer(call.environment.observations.slowLog.entries.length);
}

function reset(call: Call) {
  call.environment.observations.slowLog.clear();
  call.ok();
}

const ADMIN: readonly CommandFlag[] = ['admin', 'loading', 'stale'];
const ALL_NODES = 'request_policy:all_nodes';

export const slowLogCommand: CommandSpec = {
  name: 'slowlog',
  arity: -2,
  flags: [],
  group: 'server',
  since: '2.2.12',
  summary: 'A container for slow log commands',
  complexity: 'Depends on subcommand.',
  subcommands: [
    {
      name: 'get',
      arity: -2,
      flags: ADMIN,
      group: 'server',
      since: '2.2.12',
      summary: "Get the slow log's entries",
      complexity: 'O(N) where N is the number of entries returned',
      syntax: '[count:i]',
      tips: [ALL_NODES, 'nondeterministic_output'],
      handler: get,
    },
    {
      name: 'len',
      arity: 2,
      flags: ADMIN,
      group: 'server',
      since: '2.2.12',
      summary: "Get the slow log's length",
      complexity: 'O(1)',
      tips: [ALL_NODES, 'response_policy:agg_sum', 'nondeterministic_output'],
      handler: length,
    },
    {
      name: 'reset',
      arity: 2,
      flags: ADMIN,
      group: 'server',
      since: '2.2.12',
      summary: 'Clear all entries from the slow log',
      complexity: 'O(N) where N is the number of entries in the slowlog',
      tips: [ALL_NODES, 'response_policy:all_succeeded'],
      handler: reset,
    },
    {
      name: 'help',
      arity: 2,
      flags: ['loading', 'stale'],
      group: 'server',
      since: '6.2.0',
      summary: 'Show help about the subcommands',
      complexity: 'O(1)',
      handler: (call) => replyHelp(call, 'SLOWLOG', HELP),
    },
  ],
};

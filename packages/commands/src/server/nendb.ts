/** NENDB STATUS: the status document as JSON, for `nen status` and for monitoring. */
import type { Call } from '../dispatch/call.js';
import type { CommandSpec } from '../table/row.js';
import { replyHelp } from './help.js';

const HELP = ['STATUS', '    Return the state of log, store, snapshot and server as JSON.'];

async function status(call: Call): Promise<void> {
  const { reply, environment } = call;
  reply.text(JSON.stringify(await environment.host.status()));
}

export const nendbCommand: CommandSpec = {
  name: 'nendb',
  arity: -2,
  flags: [],
  group: 'server',
  since: '7.4.0',
  summary: 'A container for what Redis does not have',
  complexity: 'Depends on subcommand.',
  subcommands: [
    {
      name: 'status',
      arity: 2,
      flags: ['admin', 'noscript', 'loading', 'stale', 'no_multi'],
      group: 'server',
      since: '7.4.0',
      summary: 'Get the state of log, store, snapshot and server as JSON',
      complexity: 'O(1)',
      tips: ['nondeterministic_output'],
      handler: status,
    },
    {
      name: 'help',
      arity: 2,
      flags: ['loading', 'stale'],
      group: 'server',
      since: '7.4.0',
      summary: 'Show help about the subcommands',
      complexity: 'O(1)',
      handler: (call) => replyHelp(call, 'NENDB', HELP),
    },
  ],
};

/**
 * CONFIG GET, SET, RESETSTAT, REWRITE. Parameters are the host's, which cannot be changed while it runs, and
 * the command layer's own, which can.
 */
import { globMatches } from '../bytes/glob.js';
import { INT64_MAX, parseInt64 } from '../bytes/integers.js';
import type { Call } from '../dispatch/call.js';
import { PATTERN_TOO_LONG, wrongArity } from '../errors.js';
import { PATTERN_BYTES_MAX } from '../limits.js';
import { type ObserveParameters, PARAMETERS } from '../observe/parameters.js';
import type { CommandFlag, CommandSpec } from '../table/row.js';
import { replyHelp } from './help.js';

const ADMIN: readonly CommandFlag[] = ['admin', 'noscript', 'loading', 'stale'];

const HELP = [
  'GET <pattern>',
  '    Return parameters matching the glob-like <pattern> and their values.',
  'SET <directive> <value>',
  '    Set the configuration <directive> to <value>.',
  'REWRITE',
  '    Refused: there is no configuration file.',
  'RESETSTAT',
  '    Reset statistics reported by the INFO command.',
];

/** What makes a pattern of a name, as Redis has it. */
const GLOB = /[*?[]/;

/** CONFIG GET pattern [pattern ...]: a name that is no pattern is answered as it was spelled. */
function get(call: Call) {
  const known = parametersOf(call);
  /** The spelling of each name that was found, in the order in which they were. */
  const spellings = new Map<string, string>();
  for (let i = 2; i < call.argc; i++) {
    if (call.ends[i] - call.starts[i] > PATTERN_BYTES_MAX) return call.fail(PATTERN_TOO_LONG);
    const text = call.text(i);
    const wanted = text.toLowerCase();
    if (!GLOB.test(text)) {
      if (known.has(wanted) && !spellings.has(wanted)) spellings.set(wanted, text);
      continue;
    }
    const pattern = Buffer.from(wanted);
    for (const name of known.keys()) {
      if (!spellings.has(name) && globMatches(pattern, Buffer.from(name))) {
        spellings.set(name, name);
      }
    }
  }
  call.reply.map(spellings.size);
  for (const [name, spelling] of spellings) {
    call.reply.text(spelling);
    call.reply.text(known.get(name) ?? '');
  }
}

/** All parameters, with their values as text. */
function parametersOf({ environment }: Call): ReadonlyMap<string, string> {
  const { parameters } = environment.observations;
  const own = [...PARAMETERS].map(([name, { field }]): [string, string] => [
    name,
    String(parameters[field]),
  ]);
  return new Map([...environment.host.configuration(), ...own]);
}

/** CONFIG SET parameter value [parameter value ...]: all of them, or none. */
function set(call: Call) {
  if (call.argc % 2 !== 0) return call.fail(wrongArity('config|set'));
  const known = parametersOf(call);
  const changes: [field: keyof ObserveParameters, value: number][] = [];
  const names = new Set<string>();
  for (let i = 2; i < call.argc; i += 2) {
    if (!known.has(call.text(i).toLowerCase())) {
      return call.fail(
        `ERR Unknown option or number of arguments for CONFIG SET - '${call.quote(i)}'`,
      );
    }
  }
  for (let i = 2; i < call.argc; i += 2) {
    const name = call.text(i).toLowerCase();
    if (names.has(name)) return refuse(call, i, 'duplicate parameter');
    names.add(name);
    const parameter = PARAMETERS.get(name);
    if (parameter === undefined) return refuse(call, i, "can't set immutable config");
    const { field, least } = parameter;
    const value = parseInt64(call.bytes, call.starts[i + 1], call.ends[i + 1]);
    if (value === undefined) return refuse(call, i, "argument couldn't be parsed into an integer");
    if (value < BigInt(least)) {
      return refuse(call, i, `argument must be between ${least} and ${INT64_MAX} inclusive`);
    }
    changes.push([field, Math.min(Number(value), Number.MAX_SAFE_INTEGER)]);
  }
  for (const [field, value] of changes) call.environment.observations.parameters[field] = value;
  call.ok();
}

function refuse(call: Call, index: number, why: string) {
  call.fail(`ERR CONFIG SET failed (possibly related to argument '${call.quote(index)}') - ${why}`);
}

/** There is no file: the server is told by its command line and its environment. */
function rewrite(call: Call) {
  call.fail('ERR The server is running without a config file');
}

function resetStatistics(call: Call) {
  call.environment.counters.reset();
  call.environment.observations.reset();
  call.environment.host.resetStatistics();
  call.ok();
}

export const configCommand: CommandSpec = {
  name: 'config',
  arity: -2,
  flags: [],
  group: 'server',
  since: '2.0.0',
  summary: 'A container for server configuration commands',
  complexity: 'Depends on subcommand.',
  subcommands: [
    {
      name: 'get',
      arity: -3,
      flags: ADMIN,
      group: 'server',
      since: '2.0.0',
      summary: 'Get the values of configuration parameters',
      complexity: 'O(N) when N is the number of configuration parameters provided',
      syntax: 'parameter{parameter}...',
      handler: get,
    },
    {
      name: 'set',
      arity: -4,
      flags: ADMIN,
      group: 'server',
      since: '2.0.0',
      summary: 'Set configuration parameters to the given values',
      complexity: 'O(N) when N is the number of configuration parameters provided',
      syntax: 'parameter_value{parameter value}...',
      tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
      handler: set,
    },
    {
      name: 'resetstat',
      arity: 2,
      flags: ADMIN,
      group: 'server',
      since: '2.0.0',
      summary: 'Reset the statistics returned by INFO',
      complexity: 'O(1)',
      handler: resetStatistics,
    },
    {
      name: 'rewrite',
      arity: 2,
      flags: ADMIN,
      group: 'server',
      since: '2.8.0',
      summary: 'Refused: there is no configuration file',
      complexity: 'O(1)',
      handler: rewrite,
    },
    {
      name: 'help',
      arity: 2,
      flags: ['loading', 'stale'],
      group: 'server',
      since: '5.0.0',
      summary: 'Show help about the subcommands',
      complexity: 'O(1)',
      handler: (call) => replyHelp(call, 'CONFIG', HELP),
    },
  ],
};

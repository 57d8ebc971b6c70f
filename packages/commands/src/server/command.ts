/** COMMAND and its subcommands: the table, as clients read it. Source: Redis 7.0, `server.c`. */
import { globMatches } from '../bytes/glob.js';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { PATTERN_TOO_LONG, SYNTAX } from '../errors.js';
import { PATTERN_BYTES_MAX } from '../limits.js';
import type { Command, CommandFlag, CommandSpec, Handler, KeySpec } from '../table/row.js';
import { categoriesOf, keySpecsOf, replyDocs, replyInfo } from './command-reply.js';
import { replyHelp } from './help.js';

const FILTERBY = word('filterby');
const MODULE = word('module');
const ACLCAT = word('aclcat');
const PATTERN = word('pattern');

const HELP = [
  '(no subcommand)',
  '    Return details about all commands.',
  'COUNT',
  '    Return the total number of commands in this server.',
  'LIST [FILTERBY (MODULE <name>|ACLCAT <category>|PATTERN <pattern>)]',
  '    Return a list of all commands in this server.',
  'INFO [<command-name> ...]',
  '    Return details about multiple commands, or about all.',
  'DOCS [<command-name> ...]',
  '    Return documentation details about multiple commands, or about all.',
  'GETKEYS <full-command>',
  '    Return the keys from a full command.',
  'GETKEYSANDFLAGS <full-command>',
  '    Return the keys and the access flags from a full command.',
];

function all(call: Call) {
  const { commands } = call.environment.table;
  call.reply.array(commands.length);
  for (const command of commands) replyInfo(call.reply, command);
}

function count(call: Call) {
  call.reply.integer(call.environment.table.commands.length);
}

/** A name that is unknown is a null in its place. */
function info(call: Call) {
  if (call.argc === 2) return all(call);
  call.reply.array(call.argc - 2);
  for (let i = 2; i < call.argc; i++) {
    const command = call.environment.table.byFullName(call.text(i));
    if (command === undefined) call.reply.null();
    else replyInfo(call.reply, command);
  }
}

/** A name that is unknown is left out. */
function docs(call: Call) {
  const { table } = call.environment;
  const found: Command[] = [];
  if (call.argc === 2) found.push(...table.commands);
  for (let i = 2; i < call.argc; i++) {
    const command = table.byFullName(call.text(i));
    if (command !== undefined) found.push(command);
  }
  call.reply.map(found.length);
  for (const command of found) replyDocs(call.reply, command);
}

/** COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern] */
function list(call: Call) {
  let matches: (command: Command) => boolean = () => true;
  if (call.argc === 5 && call.is(2, FILTERBY)) {
    const wanted = call.text(4);
    if (call.is(3, MODULE)) {
      matches = () => false;
    } else if (call.is(3, ACLCAT)) {
      matches = (command) => categoriesOf(command).includes(`@${wanted.toLowerCase()}`);
    } else if (call.is(3, PATTERN)) {
      const pattern = Buffer.from(wanted.toLowerCase());
      if (pattern.length > PATTERN_BYTES_MAX) return call.fail(PATTERN_TOO_LONG);
      matches = (command) => globMatches(pattern, Buffer.from(command.fullName));
    } else {
      return call.fail(SYNTAX);
    }
  } else if (call.argc !== 2) {
    return call.fail(SYNTAX);
  }
  const names: string[] = [];
  for (const command of call.environment.table.commands) {
    if (matches(command)) names.push(command.fullName);
    for (const sub of command.subcommands) if (matches(sub)) names.push(sub.fullName);
  }
  call.reply.array(names.length);
  for (const name of names) call.reply.text(name);
}

function getKeys(call: Call) {
  const command = commandWithKeys(call);
  if (command === undefined) return;
  const positions = keySpecsOf(command).flatMap((part) => positionsOf(part, call.argc - 2));
  call.reply.array(positions.length);
  for (const i of positions) call.reply.bulk(call.bytes, call.starts[i + 2], call.ends[i + 2]);
}

function getKeysAndFlags(call: Call) {
  const command = commandWithKeys(call);
  const range = command?.spec.keys;
  if (command === undefined || range === undefined) return;
  const found = keySpecsOf(command).flatMap((part) =>
    positionsOf(part, call.argc - 2).map((at): [number, string] => [at, part.access]),
  );
  call.reply.array(found.length);
  for (const [i, access] of found) {
    const flags = (range.accessOf?.(call) ?? access).split(' ');
    call.reply.array(2);
    call.reply.bulk(call.bytes, call.starts[i + 2], call.ends[i + 2]);
    call.reply.set(flags.length);
    for (const flag of flags) call.reply.simple(flag);
  }
}

/** The command that follows COMMAND GETKEYS, or `undefined` with the error replied. */
function commandWithKeys(call: Call): Command | undefined {
  const { table } = call.environment;
  let command = table.find(call.bytes, call.starts[2], call.ends[2]);
  if (command !== undefined && command.subcommands.length > 0 && call.argc > 3) {
    command = table.findSubcommand(command, call.bytes, call.starts[3], call.ends[3]) ?? command;
  }
  if (command === undefined) {
    call.fail('ERR Invalid command specified');
  } else if (command.firstKey === 0) {
    call.fail('ERR The command has no key arguments');
  } else if (!command.accepts(call.argc - 2)) {
    call.fail('ERR Invalid number of arguments specified for command');
  } else {
    return command;
  }
  return undefined;
}

function positionsOf({ first, last, step }: KeySpec, argc: number): number[] {
  const positions: number[] = [];
  const end = Math.min(last >= 0 ? last : argc + last, argc - 1);
  for (let i = first; i <= end; i += step) positions.push(i);
  return positions;
}

const QUIET: readonly CommandFlag[] = ['loading', 'stale'];
const PER_NAME = 'O(N) where N is the number of commands to look up';
const UNORDERED = ['nondeterministic_output_order'];

function row(
  name: string,
  arity: number,
  since: string,
  summary: string,
  complexity: string,
  handler: Handler,
  tips: readonly string[] = [],
  syntax = '',
): CommandSpec {
  return {
    name,
    arity,
    flags: QUIET,
    group: 'server',
    categories: ['connection'],
    since,
    summary,
    complexity,
    tips,
    syntax,
    handler,
  };
}

export const commandCommand: CommandSpec = {
  ...row(
    'command',
    -1,
    '2.8.13',
    'Get details about all commands',
    'O(N) where N is the total number of commands',
    all,
    UNORDERED,
  ),
  subcommands: [
    row('count', 2, '2.8.13', 'Get the total number of commands', 'O(1)', count),
    row(
      'getkeys',
      -4,
      '2.8.13',
      'Extract keys given a full command',
      'O(N) where N is the number of arguments to the command',
      getKeys,
    ),
    row(
      'getkeysandflags',
      -4,
      '7.0.0',
      'Extract keys and access flags given a full command',
      'O(N) where N is the number of arguments to the command',
      getKeysAndFlags,
    ),
    row(
      'info',
      -2,
      '2.8.13',
      'Get details about commands',
      PER_NAME,
      info,
      UNORDERED,
      '[command-name...]',
    ),
    row(
      'docs',
      -2,
      '7.0.0',
      'Get documentation about commands',
      PER_NAME,
      docs,
      UNORDERED,
      '[command-name...]',
    ),
    row(
      'list',
      -2,
      '7.0.0',
      'Get the names of commands',
      'O(N) where N is the total number of commands',
      list,
      UNORDERED,
      '[FILTERBY/filterby(MODULE/module-name | ACLCAT/category | PATTERN/pattern:p)]',
    ),
    row('help', 2, '5.0.0', 'Show help about the subcommands', 'O(1)', (call) =>
      replyHelp(call, 'COMMAND', HELP),
    ),
  ],
};

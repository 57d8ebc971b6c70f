/**
 * The entry of `nen`: finds the command, reads its flags, runs it, prints what went wrong.
 *
 *     argv -> first words name a row of the table -> flags by that row -> import the handler -> exit code
 *
 * Invariants
 *  1. stdout gets data only; a failing command may have printed its whole report before it fails.
 *  2. `run` never throws and never ends the process: it resolves to the exit code.
 *  3. Only the module of the command that runs is imported.
 */
import { type Scanned, scanArgs } from './args.js';
import type { CommandSpec, OptionSpec, OptionValues } from './command.js';
import { COMMANDS, COMMON_OPTIONS, VERSION_OPTION } from './commands/table.js';
import { type CliError, ExitCode, toCliError, usageError } from './errors.js';
import { commandHelp, groupHelp, overview } from './help.js';
import type { Io } from './io.js';
import { printError } from './output/error.js';
import { nearest } from './suggest.js';

/** What the program around this library adds to it. */
export interface RunOptions {
  /** Runs the server until it ends; gets the words behind `serve`, resolves to the exit code. */
  serve?: (args: readonly string[]) => Promise<number>;
}

/** Runs `nen` with `argv` (without node and script); resolves to the exit code, never rejects. */
export async function run(
  argv: readonly string[],
  io: Io,
  options: RunOptions = {},
): Promise<number> {
  const json = { wanted: argv.includes('--json') };
  try {
    return await dispatch(argv, io, options, json);
  } catch (thrown) {
    const error: CliError = toCliError(thrown);
    printError(io, error, json.wanted);
    return error.exitCode;
  }
}

async function dispatch(
  argv: readonly string[],
  io: Io,
  options: RunOptions,
  json: { wanted: boolean },
): Promise<number> {
  const start = scanArgs(argv, [...everyOption(), VERSION_OPTION], 'words');
  const flagsBefore = argv.slice(0, start.firstWordAt);
  if (start.values.version === true) {
    const others = argv.filter((word) => word !== '--version' && word !== '-V');
    return dispatch(['version', ...others], io, options, json);
  }
  const [first, ...behind] = start.words;
  if (first === undefined || first === 'help') return help(behind, start, io);
  if (first === 'serve' && options.serve !== undefined) {
    return options.serve([...flagsBefore, ...behind]);
  }
  const { spec, rest } = findCommand(start.words, flagsBefore);
  if (spec === undefined) {
    io.stdout.write(groupHelp(first, membersOf(first)));
    return ExitCode.ok;
  }
  const known = [...spec.options, ...COMMON_OPTIONS];
  const behindWords = spec.verbatimArgs === true ? 'words-and-long-flags' : 'flags';
  const scanned = scanArgs([...flagsBefore, ...rest], known, behindWords);
  json.wanted = scanned.values.json === true;
  if (scanned.values.help === true) {
    io.stdout.write(commandHelp(spec));
    return ExitCode.ok;
  }
  checkArgCount(spec, scanned.words);
  const { handler } = await spec.load();
  return handler({
    io,
    options: withEnvironment(scanned.values, known, io),
    args: scanned.words,
    json: json.wanted,
  });
}

/** `nen`, `nen --help`, `nen help <command>`. */
function help(words: readonly string[], start: Scanned, io: Io): number {
  if (words.length > 0) {
    const { spec } = findCommand(words, ['--help']);
    io.stdout.write(
      spec === undefined ? groupHelp(words[0], membersOf(words[0])) : commandHelp(spec),
    );
    return ExitCode.ok;
  }
  if (start.values.help !== true && start.words.length === 0) {
    throw usageError('expected a command, got none', 'nen --help lists the commands');
  }
  io.stdout.write(overview());
  return ExitCode.ok;
}

/**
 * Finds the row that `words` begin with. `spec` is missing where the words name a group only and
 * help for it was asked.
 */
function findCommand(
  words: readonly string[],
  flagsBefore: readonly string[],
): { spec?: CommandSpec; rest: readonly string[] } {
  const single = COMMANDS.find((spec) => spec.name === words[0]);
  if (single !== undefined) return { spec: single, rest: words.slice(1) };
  const members = membersOf(words[0]);
  if (members.length === 0) throw unknownCommand(words[0], topLevelNames());
  const member = words[1];
  const pair = members.find((spec) => spec.name === `${words[0]} ${member}`);
  if (pair !== undefined) return { spec: pair, rest: words.slice(2) };
  const asksHelp = [...flagsBefore, ...words].some((word) => word === '--help' || word === '-h');
  if (asksHelp) return { rest: [] };
  const names = members.map((spec) => spec.name.slice(words[0].length + 1));
  if (member === undefined || member.startsWith('-')) {
    throw usageError(
      `expected one of ${names.join(', ')} after "nen ${words[0]}", got ${member ?? 'nothing'}`,
      `nen ${words[0]} --help lists them`,
    );
  }
  throw unknownCommand(member, names, words[0]);
}

function unknownCommand(word: string, names: readonly string[], group?: string): CliError {
  const prefix = group === undefined ? '' : `${group} `;
  const guess = nearest(word, names);
  return usageError(
    `expected a command of nen, got "${prefix}${word}"`,
    guess === undefined
      ? `nen ${prefix}--help lists the commands`
      : `did you mean "nen ${prefix}${guess}"?`,
  );
}

function checkArgCount(spec: CommandSpec, words: readonly string[]): void {
  const min = spec.argsMin ?? 0;
  const max = spec.argsMax ?? 0;
  if (words.length >= min && words.length <= max) return;
  const wanted = spec.usage === '' ? 'no arguments' : spec.usage;
  const came = words.length === 0 ? 'nothing' : `"${words.join(' ')}"`;
  throw usageError(
    `expected ${wanted} after "nen ${spec.name}", got ${came}`,
    `nen ${spec.name} --help shows how it is used`,
  );
}

/** Fills flags that were not given from their environment variables. */
function withEnvironment(values: OptionValues, known: readonly OptionSpec[], io: Io): OptionValues {
  const filled: Record<string, string | true | undefined> = { ...values };
  for (const { name, env } of known) {
    if (filled[name] !== undefined || env === undefined) continue;
    const value = io.env[env];
    if (value !== undefined && value !== '') filled[name] = value;
  }
  return filled;
}

function membersOf(group: string): CommandSpec[] {
  return COMMANDS.filter((spec) => spec.name.startsWith(`${group} `));
}

function topLevelNames(): string[] {
  return [...new Set(COMMANDS.map((spec) => spec.name.split(' ')[0])), 'help'];
}

/** Flags may stand before the command: then any command's flag may be meant. */
function everyOption(): OptionSpec[] {
  const all = [...COMMON_OPTIONS, ...COMMANDS.flatMap((spec) => spec.options)];
  return [...new Map(all.map((spec) => [spec.name, spec])).values()];
}

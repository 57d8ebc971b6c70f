/** Help texts, made from the command table so that they cannot differ from it. */
import type { CommandSpec, OptionSpec } from './command.js';
import { COMMANDS, COMMON_OPTIONS, VERSION_OPTION } from './commands/table.js';

/** `nen --help`. */
export function overview(): string {
  return [
    'nen: the command line of NenDB',
    '',
    'usage: nen <command> [flags]',
    '',
    ...columns(COMMANDS.map((spec) => [spec.name, spec.summary])),
    '',
    'flags of every command',
    ...columns(COMMON_OPTIONS.map(optionRow)),
    '',
    'flags without a command',
    ...columns([optionRow(VERSION_OPTION)]),
    '',
    'exit codes: 0 ok, 1 failure, 2 usage, 3 unhealthy, 4 not found, 5 locked,',
    '            6 corrupt, 7 unreachable, 130 interrupted',
    'nen <command> --help shows the flags of a command.',
    '',
  ].join('\n');
}

/** `nen <group> --help`: the members of a group. */
export function groupHelp(group: string, members: readonly CommandSpec[]): string {
  return [
    `usage: nen ${group} <command> [flags]`,
    '',
    ...columns(members.map((spec) => [spec.name, spec.summary])),
    '',
    `nen ${group} <command> --help shows the flags of a command.`,
    '',
  ].join('\n');
}

/** `nen <command> --help`. */
export function commandHelp(spec: CommandSpec): string {
  const usage = ['usage: nen', spec.name, '[flags]', spec.usage].filter((part) => part !== '');
  const lines = [
    `nen ${spec.name}: ${spec.summary}`,
    '',
    usage.join(' '),
    '',
    ...columns([...spec.options, ...COMMON_OPTIONS].map(optionRow)),
    '',
  ];
  if (spec.notes !== undefined) lines.push(...spec.notes, '');
  lines.push('examples', ...spec.examples.map((example) => `  ${example}`), '');
  return lines.join('\n');
}

function optionRow(spec: OptionSpec): [string, string] {
  const names = [...(spec.short === undefined ? [] : [`-${spec.short}`]), `--${spec.name}`];
  const flag = `${names.join(', ')}${spec.value === undefined ? '' : ` ${spec.value}`}`;
  return [flag, spec.env === undefined ? spec.summary : `${spec.summary} [${spec.env}]`];
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

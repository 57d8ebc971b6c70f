/**
 * Splits an argument vector into flags and words by a list of known flags.
 *
 * `--flag value`, `--flag=value`, `-f value`, `-fvalue`; `--` ends the flags. The value of a flag is
 * never something that looks like a flag, unless it is joined with `=`.
 *
 * Why not a library: with `exec` everything behind the first word belongs to the database
 * (`nen exec INCRBY k -5`), values stay strings (`007`), and an unknown flag is worth a guess.
 */
import type { OptionSpec } from './command.js';
import { usageError } from './errors.js';
import { nearest } from './suggest.js';

export interface Scanned {
  values: Record<string, string | true | undefined>;
  words: string[];
  /** Index in `argv` of the first word; `argv.length` where there is none. */
  firstWordAt: number;
}

/**
 * Scans `argv`. With `stopAtWord`, the first word and all behind it are words, whatever they look
 * like. Throws `CliError` `USAGE` for unknown flags and missing or superfluous values.
 */
export function scanArgs(
  argv: readonly string[],
  options: readonly OptionSpec[],
  stopAtWord: boolean,
): Scanned {
  const values: Scanned['values'] = {};
  const words: string[] = [];
  let firstWordAt = argv.length;
  let at = 0;
  while (at < argv.length) {
    const token = argv[at];
    if (!token.startsWith('-') || token === '-') {
      if (words.length === 0) firstWordAt = at;
      if (stopAtWord) return { values, words: argv.slice(at), firstWordAt };
      words.push(token);
      at++;
      continue;
    }
    if (token === '--') {
      if (words.length === 0) firstWordAt = at + 1;
      words.push(...argv.slice(at + 1));
      break;
    }
    at += token.startsWith('--')
      ? scanLong(token, argv[at + 1], options, values)
      : scanShort(token, argv[at + 1], options, values);
  }
  return { values, words, firstWordAt };
}

/** Returns how many tokens were used up. */
function scanLong(
  token: string,
  next: string | undefined,
  options: readonly OptionSpec[],
  values: Scanned['values'],
): number {
  const equalsAt = token.indexOf('=');
  const name = equalsAt < 0 ? token.slice(2) : token.slice(2, equalsAt);
  const spec = options.find((known) => known.name === name || known.aliases?.includes(name));
  if (spec === undefined) throw unknownFlag(`--${name}`, options);
  if (equalsAt < 0) return take(spec, `--${name}`, undefined, next, values);
  return take(spec, `--${name}`, token.slice(equalsAt + 1), next, values);
}

function scanShort(
  token: string,
  next: string | undefined,
  options: readonly OptionSpec[],
  values: Scanned['values'],
): number {
  const flag = token.slice(0, 2);
  const spec = options.find((known) => known.short === flag[1]);
  if (spec === undefined) throw unknownFlag(token, options);
  const joined = token.length > 2 ? token.slice(2) : undefined;
  return take(spec, flag, joined, next, values);
}

function take(
  spec: OptionSpec,
  flag: string,
  joined: string | undefined,
  next: string | undefined,
  values: Scanned['values'],
): number {
  if (spec.value === undefined) {
    if (joined !== undefined) {
      throw usageError(`expected no value for ${flag}, got "${joined}"`, `write ${flag} alone`);
    }
    values[spec.name] = true;
    return 1;
  }
  if (joined !== undefined) {
    values[spec.name] = joined;
    return 1;
  }
  if (next === undefined || (next.startsWith('-') && next !== '-')) {
    throw usageError(
      `expected a value after ${flag}, got ${next === undefined ? 'nothing' : `the flag ${next}`}`,
      `write ${flag} ${spec.value}, or ${flag}=${spec.value} where the value begins with a dash`,
    );
  }
  values[spec.name] = next;
  return 2;
}

function unknownFlag(flag: string, options: readonly OptionSpec[]): Error {
  const known = options.flatMap((spec) => [spec.name, ...(spec.aliases ?? [])]);
  const guess = nearest(flag.replace(/^-+/, ''), known);
  return usageError(
    `expected a known flag, got ${flag}`,
    guess === undefined ? 'see --help' : `did you mean --${guess}?`,
  );
}

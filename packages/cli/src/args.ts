/**
 * Splits an argument vector into flags and words by a list of known flags, with `util.parseArgs`.
 *
 * `--flag value`, `--flag=value`, `-f value`, `-fvalue`; `--` ends the flags. What is added to the
 * library: with `exec` what stands behind the first word belongs to the database (`nen exec INCRBY k
 * -5`), the value of a flag never looks like a flag unless it is joined with `=`, and an unknown
 * flag is worth a guess.
 */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { OptionSpec } from './command.js';
import { usageError } from './errors.js';
import { nearest } from './suggest.js';

export interface Scanned {
  values: Record<string, string | true | undefined>;
  words: string[];
  /** Index in `argv` of the first word; `argv.length` where there is none. */
  firstWordAt: number;
}

type Tokens = NonNullable<ReturnType<typeof parseArgs>['tokens']>;
type OptionToken = Extract<Tokens[number], { kind: 'option' }>;

/**
 * What may stand behind the first word: flags like before it; words only; or words, and the known
 * flags by their long names (`nen exec INCRBY k -5 --dir ./data`).
 */
export type BehindWords = 'flags' | 'words' | 'words-and-long-flags';

/** Scans `argv`. Throws `CliError` `USAGE` for unknown flags and missing or superfluous values. */
export function scanArgs(
  argv: readonly string[],
  options: readonly OptionSpec[],
  behindWords: BehindWords,
): Scanned {
  const { tokens } = parseArgs({
    args: [...argv],
    options: optionsConfig(options),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Scanned['values'] = {};
  const words: string[] = [];
  let firstWordAt = argv.length;
  let wordTakenAt = -1;
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (words.length === 0) firstWordAt = token.index;
      if (behindWords === 'words') return { values, words: argv.slice(token.index), firstWordAt };
      words.push(token.value);
    } else if (token.kind === 'option') {
      const spec = specOf(token, options);
      const mayBeWord = words.length > 0 && behindWords === 'words-and-long-flags';
      if (mayBeWord && (spec === undefined || !token.rawName.startsWith('--'))) {
        // `-abc` is one word, of which the parser makes three flags.
        if (token.index > wordTakenAt) words.push(...wordsOf(argv, token));
        wordTakenAt = token.index;
        continue;
      }
      if (spec === undefined) throw unknownFlag(token.rawName, options);
      values[spec.name] = flagValue(spec, token);
    }
  }
  return { values, words, firstWordAt };
}

function specOf({ name }: OptionToken, options: readonly OptionSpec[]): OptionSpec | undefined {
  return options.find((spec) => spec.name === name || spec.aliases?.includes(name));
}

/** The words that were taken for a flag, and for its value where that stood apart. */
function wordsOf(argv: readonly string[], { index, value, inlineValue }: OptionToken): string[] {
  return value !== undefined && !inlineValue ? [argv[index], value] : [argv[index]];
}

function optionsConfig(options: readonly OptionSpec[]): ParseArgsConfig['options'] {
  const config: NonNullable<ParseArgsConfig['options']> = {};
  for (const { name, aliases, short, value } of options) {
    const type = value === undefined ? 'boolean' : 'string';
    config[name] = short === undefined ? { type } : { type, short };
    for (const alias of aliases ?? []) config[alias] = { type };
  }
  return config;
}

function flagValue(
  spec: OptionSpec,
  { rawName: flag, value, inlineValue }: OptionToken,
): string | true {
  if (spec.value === undefined) {
    if (value === undefined) return true;
    throw usageError(`expected no value for ${flag}, got "${value}"`, `write ${flag} alone`);
  }
  if (value !== undefined && (inlineValue || !value.startsWith('-') || value === '-')) return value;
  throw usageError(
    `expected a value after ${flag}, got ${value === undefined ? 'nothing' : `the flag ${value}`}`,
    `write ${flag} ${spec.value}, or ${flag}=${spec.value} where the value begins with a dash`,
  );
}

function unknownFlag(flag: string, options: readonly OptionSpec[]): Error {
  const known = options.flatMap((spec) => [spec.name, ...(spec.aliases ?? [])]);
  const guess = nearest(flag.replace(/^-+/, ''), known);
  return usageError(
    `expected a known flag, got ${flag}`,
    guess === undefined ? 'see --help' : `did you mean --${guess}?`,
  );
}

/**
 * What a command of `nen` is: a row of the table (`commands/table.ts`), which costs nothing to load,
 * and a handler, which is imported when the command runs.
 */
import type { Io } from './io.js';

/** One flag. Its value also comes from the environment variable `env`, below the flag. */
export interface OptionSpec {
  /** Without the dashes. */
  readonly name: string;
  readonly short?: string;
  /** Other spellings of the same flag. */
  readonly aliases?: readonly string[];
  /** What the value is, for help: `URL`, `DIR`. A flag without it takes no value. */
  readonly value?: string;
  readonly env?: string;
  readonly summary: string;
}

/** Flag values as typed: `true` for a flag without a value. */
export type OptionValues = Readonly<Record<string, string | true | undefined>>;

export interface CommandContext {
  readonly io: Io;
  readonly options: OptionValues;
  /** Words that are not flags, behind the command's name. */
  readonly args: readonly string[];
  readonly json: boolean;
}

/** Runs a command; the number is the exit code. Errors are thrown, printed by `run`. */
export type CommandHandler = (context: CommandContext) => Promise<number>;

export interface CommandSpec {
  /** One word, or two for a member of a group: `snapshot create`. */
  readonly name: string;
  /** What follows the name, for help: `<command> [argument…]`. */
  readonly usage: string;
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  /** Lines for the end of its help. */
  readonly notes?: readonly string[];
  readonly examples: readonly string[];
  /** Behind the first word only known flags, by their long names, are flags; the rest are words. */
  readonly verbatimArgs?: boolean;
  /** How many words may follow. Default: none. */
  readonly argsMin?: number;
  readonly argsMax?: number;
  readonly load: () => Promise<{ handler: CommandHandler }>;
}

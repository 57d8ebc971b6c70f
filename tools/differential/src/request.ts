/** One command of a round, as both servers get it. */
import { type Command, commandTable } from '@nendb/commands';

/** A payload of DUMP, of which each server has its own: by its place among those that a peer keeps. */
export interface Payload {
  payload: number;
}

export type Word = string | Uint8Array | Payload;

export interface DifferentialRequest {
  readonly words: readonly Word[];
  /** The row that it is of; `undefined` for a name that no row has. */
  readonly command: Command | undefined;
  /** What it has of the command's syntax, as paths: `set|EX`, `set|NX`. The command itself is one. */
  readonly units: readonly string[];
}

/** As a person would type it. */
export function textOf({ words }: DifferentialRequest): string {
  return words
    .map((word) => {
      if (typeof word === 'string') return /^[!-~]+$/.test(word) ? word : JSON.stringify(word);
      return word instanceof Uint8Array
        ? JSON.stringify(Buffer.from(word).toString('latin1'))
        : `<payload ${word.payload}>`;
    })
    .join(' ');
}

/** With the payloads of one server put in. */
export function wordsFor(
  { words }: DifferentialRequest,
  payloads: readonly Uint8Array[],
): (string | Uint8Array)[] {
  return words.map((word) =>
    typeof word === 'string' || word instanceof Uint8Array ? word : payloads[word.payload],
  );
}

/** A request that is not compared: words separated by single spaces. */
export function plainRequest(line: string): DifferentialRequest {
  return { words: line.split(' '), command: undefined, units: [] };
}

/** One that is, written by hand; `<0>` stands for the first payload. */
export function writtenRequest(line: string): DifferentialRequest {
  const words = line.split(' ').map((word) => {
    const payload = /^<(\d+)>$/.exec(word)?.[1];
    return payload === undefined ? word : { payload: Number(payload) };
  });
  const [name, sub] = words.map(String);
  const command = commandTable.byFullName(`${name}|${sub}`) ?? commandTable.byFullName(name);
  return { words, command, units: command === undefined ? [] : [command.fullName] };
}

/**
 * Transcripts in files: commands and their replies as `redis-cli` shows them, to read and to compare.
 *
 *     > HTTL key FIELDS 2 a none
 *     1) (integer) 100
 *     2) (integer) -2
 *
 * Words are separated by spaces, or stand in double quotes (JSON). `# text` is a remark, `# wait 20` waits
 * so many milliseconds. `(integer) ~n` is n or up to 5,000 less. With `NENDB_GOLDEN=write` the replies
 * are written anew, where they do not match.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Reply, RespDouble, RespError, RespVerbatim } from '@nendb/resp';
import { expect } from 'vitest';

const ABOUT = /\(integer\) ~(\d+)/g;
const ABOUT_LESS_MAX = 5_000;

export type Ask = (words: string[]) => Promise<Reply>;

interface Step {
  /** Lines as they stand in the file, before the reply. */
  lines: string[];
  command?: string;
  reply: string[];
}

export async function checkGolden(file: URL, ask: Ask): Promise<void> {
  const steps = stepsOf(readFileSync(file, 'utf8'));
  const written: string[] = [];
  for (const { lines, command, reply } of steps) {
    written.push(...lines);
    const waitMs = /^# wait (\d+)$/.exec(lines[0] ?? '')?.[1];
    if (waitMs !== undefined) await new Promise((resolve) => setTimeout(resolve, Number(waitMs)));
    if (command === undefined) continue;
    const got = shown(await ask(wordsOf(command)));
    const same = matches(reply, got);
    written.push(...(same ? reply : got));
    if (process.env.NENDB_GOLDEN !== 'write') {
      expect(same ? reply : got, `${file.pathname}: ${command}`).toEqual(reply);
    }
  }
  if (process.env.NENDB_GOLDEN === 'write') writeFileSync(file, `${written.join('\n')}\n`);
}

function stepsOf(text: string): Step[] {
  const steps: Step[] = [];
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('> ')) steps.push({ lines: [line], command: line.slice(2), reply: [] });
    else if (line.startsWith('#') || line === '') steps.push({ lines: [line], reply: [] });
    else steps.at(-1)?.reply.push(line);
  }
  return steps;
}

function wordsOf(command: string): string[] {
  const words = command.match(/"(?:[^"\\]|\\.)*"|[^ ]+/g) ?? [];
  return words.map((word) => (word.startsWith('"') ? (JSON.parse(word) as string) : word));
}

function matches(expected: readonly string[], got: readonly string[]): boolean {
  if (expected.length !== got.length) return false;
  return expected.every((line, i) => {
    const about = [...line.matchAll(ABOUT)].map(([, number]) => Number(number));
    if (about.length === 0) return line === got[i];
    const value = Number(/-?\d+$/.exec(got[i])?.[0]);
    return value <= about[0] && value >= about[0] - ABOUT_LESS_MAX;
  });
}

/** As `redis-cli` shows it. */
function shown(reply: Reply): string[] {
  if (reply === null) return ['(nil)'];
  if (reply instanceof RespError) return [`(error) ${reply.message}`];
  if (reply instanceof RespDouble) return [`(double) ${reply.value}`];
  if (reply instanceof RespVerbatim) return reply.text.trimEnd().split(/\r?\n/);
  if (Buffer.isBuffer(reply)) return [JSON.stringify(reply.toString('latin1'))];
  if (typeof reply === 'number' || typeof reply === 'bigint') return [`(integer) ${reply}`];
  if (reply instanceof Map) {
    const pairs = [...reply].map(([key, value]) => {
      const [first, ...more] = shown(value);
      return [`${shown(key).join(' ')} => ${first}`, ...more];
    });
    return numbered(pairs, '(empty hash)', '#');
  }
  if (reply instanceof Set) return numbered([...reply].map(shown), '(empty set)', '~');
  if (Array.isArray(reply)) return numbered(reply.map(shown), '(empty array)', ')');
  return [String(reply)];
}

function numbered(items: readonly string[][], empty: string, mark: string): string[] {
  if (items.length === 0) return [empty];
  return items.flatMap(([first, ...more], i) => {
    const label = `${i + 1}${mark} `;
    return [`${label}${first}`, ...more.map((line) => `${' '.repeat(label.length)}${line}`)];
  });
}

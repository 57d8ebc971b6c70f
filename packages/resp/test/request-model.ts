/**
 * The request grammar over a whole stream at once, written for clarity: what `RequestParser` must
 * agree with however the stream is cut. Bytes are latin1 text.
 */
import { RequestParser, type RequestParserOptions } from '../src/index.js';

export interface Outcome {
  requests: string[][];
  error?: string;
}

const LINE_MAX = 65_536;
const SPACES = ' \t\n\v\f\r';

export function modelRequests(input: string, { authenticated = true } = {}): Outcome {
  const requests: string[][] = [];
  let rest = input;
  const fail = (error: string): Outcome => ({ requests, error: `Protocol error: ${error}` });

  while (rest !== '') {
    if (!rest.startsWith('*')) {
      const end = rest.indexOf('\n');
      if ((end < 0 ? rest.length : end) > LINE_MAX) return fail('too big inline request');
      if (end < 0) break;
      const words = modelSplit(rest.slice(0, end));
      if (words === undefined) return fail('unbalanced quotes in request');
      if (words.length > 0) requests.push(words);
      rest = rest.slice(end + 1);
      continue;
    }
    let end = rest.indexOf('\r');
    if ((end < 0 ? rest.length : end) > LINE_MAX) return fail('too big mbulk count string');
    if (end < 0 || rest.length < end + 2) break;
    const count = integer(rest.slice(1, end));
    if (count === undefined || count > 1_048_576) return fail('invalid multibulk length');
    if (!authenticated && count > 10) return fail('unauthenticated multibulk length');
    let at = end + 2;
    const words: string[] = [];
    while (words.length < count) {
      end = rest.indexOf('\r', at);
      if ((end < 0 ? rest.length : end) - at > LINE_MAX) return fail('too big bulk count string');
      if (end < 0 || rest.length < end + 2) return { requests };
      if (rest[at] !== '$') return fail(`expected '$', got '${rest[at]}'`);
      const length = integer(rest.slice(at + 1, end));
      if (length === undefined || length < 0 || length > 512 * 1024 * 1024) {
        return fail('invalid bulk length');
      }
      if (!authenticated && length > 16_384) return fail('unauthenticated bulk length');
      at = end + 2;
      if (rest.length < at + length + 2) return { requests };
      words.push(rest.slice(at, at + length));
      at += length + 2;
    }
    if (count > 0) requests.push(words);
    rest = rest.slice(at);
  }
  return { requests };
}

function integer(text: string): number | undefined {
  return /^(0|-?[1-9]\d{0,17})$/.test(text) ? Number(text) : undefined;
}

/** `sdssplitargs`, state by state; undefined where the quotes are unbalanced. */
export function modelSplit(input: string): string[] | undefined {
  const line = `${input.split('\0')[0]}\0`;
  const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (SPACES.includes(line[at])) at++;
    if (line[at] === '\0') return words;
    let word = '';
    let quote = '';
    for (;;) {
      const c = line[at];
      if (quote === '') {
        if (' \n\r\t\0'.includes(c)) break;
        if (c === '"' || c === "'") quote = c;
        else word += c;
        at++;
        continue;
      }
      if (c === '\0') return undefined;
      if (c === quote) {
        at++;
        if (line[at] !== '\0' && !SPACES.includes(line[at])) return undefined;
        break;
      }
      const hex = /^\\x([0-9a-fA-F]{2})/.exec(line.slice(at, at + 4));
      if (quote === '"' && hex !== null) {
        word += String.fromCharCode(Number.parseInt(hex[1], 16));
        at += 4;
      } else if (quote === '"' && c === '\\' && line[at + 1] !== '\0') {
        word += escapes[line[at + 1]] ?? line[at + 1];
        at += 2;
      } else if (quote === "'" && c === '\\' && line[at + 1] === "'") {
        word += "'";
        at += 2;
      } else {
        word += c;
        at++;
      }
    }
    words.push(word);
  }
}

/** The arguments of the parser's current request. */
export function words(parser: RequestParser): string[] {
  const found: string[] = [];
  for (let i = 0; i < parser.argc; i++) {
    found.push(parser.bytes.toString('latin1', parser.starts[i], parser.ends[i]));
  }
  return found;
}

/**
 * What the parser makes of these chunks. Each chunk is overwritten once `next` gave false, as a
 * socket's receive buffer would be: whatever the parser still needs it must have taken.
 */
export function parseChunks(chunks: readonly Buffer[], options?: RequestParserOptions): Outcome {
  const parser = new RequestParser(options);
  const requests: string[][] = [];
  for (const chunk of chunks) {
    const lent = Buffer.from(chunk);
    parser.push(lent);
    try {
      while (parser.next()) requests.push(words(parser));
    } catch (error) {
      return { requests, error: (error as Error).message };
    }
    lent.fill(0x21);
  }
  return { requests };
}

/** Cuts `input` at these offsets, in any order. */
export function cutAt(input: Buffer, offsets: readonly number[]): Buffer[] {
  const sorted = [...new Set(offsets)].filter((at) => at > 0 && at < input.length);
  sorted.sort((a, b) => a - b);
  return [0, ...sorted].map((from, i) => input.subarray(from, sorted[i] ?? input.length));
}

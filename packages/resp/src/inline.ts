/**
 * Splits an inline command (`SET k "a b"`) into arguments, as a person typed it into a terminal.
 *
 *     plain       ends at white space
 *     "double"    \n \r \t \b \a, \xHH, and a backslash before any other byte means that byte
 *     'single'    only \' means something
 *
 * Invariants
 *  1. A closing quote is followed by white space or the end; anything else is unbalanced.
 *  2. The line itself is never written to: a line with quotes is decoded in a copy, in place, since
 *     decoding never lengthens.
 *
 * Rules as Redis's `sdssplitargs`, a zero byte as the end of the line included.
 */
import {
  BACKSLASH,
  CR,
  DIGIT_0,
  DIGIT_9,
  LF,
  QUOTE_DOUBLE,
  QUOTE_SINGLE,
  SPACE,
} from './format.js';

const TAB = 0x09;
const OUTSIDE = 0;

export class InlineSplitter {
  count = 0;
  readonly starts: number[] = [];
  readonly ends: number[] = [];

  /**
   * Splits `line[from..to]`. Returns the line, or its decoded copy: argument i is
   * `starts[i]..ends[i]` there; undefined if the quotes are unbalanced.
   */
  split(line: Buffer, from: number, to: number): Buffer | undefined {
    this.count = 0;
    const zero = line.subarray(from, to).indexOf(0);
    const end = zero < 0 ? to : from + zero;
    if (!hasQuotes(line, from, end)) {
      this.#splitPlain(line, from, end);
      return line;
    }
    const decoded = Buffer.from(line.subarray(from, end));
    return this.#splitQuoted(decoded) ? decoded : undefined;
  }

  #splitPlain(line: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      while (at < to && isSpace(line[at])) at++;
      const start = at;
      while (at < to && !endsPlain(line[at])) at++;
      if (at > start) this.#add(start, at);
    }
  }

  /** Decodes in place: `out` never passes `at`. False if the quotes are unbalanced. */
  #splitQuoted(line: Buffer): boolean {
    const to = line.length;
    let at = 0;
    let out = 0;
    for (;;) {
      while (at < to && isSpace(line[at])) at++;
      if (at >= to) return true;
      const start = out;
      let quote = OUTSIDE;
      for (; at < to; at++) {
        const byte = line[at];
        if (quote === OUTSIDE) {
          if (endsPlain(byte)) break;
          if (byte === QUOTE_DOUBLE || byte === QUOTE_SINGLE) quote = byte;
          else line[out++] = byte;
        } else if (byte === quote) {
          if (at + 1 < to && !isSpace(line[at + 1])) return false;
          quote = OUTSIDE;
          at++;
          break;
        } else if (byte !== BACKSLASH || at + 1 >= to) {
          line[out++] = byte;
        } else if (quote === QUOTE_SINGLE) {
          if (line[at + 1] === QUOTE_SINGLE) at++;
          line[out++] = line[at];
        } else if (line[at + 1] === 0x78 && isHexPair(line, at + 2, to)) {
          line[out++] = Number.parseInt(line.toString('latin1', at + 2, at + 4), 16);
          at += 3;
        } else {
          at++;
          line[out++] = unescaped(line[at]);
        }
      }
      if (quote !== OUTSIDE) return false;
      this.#add(start, out);
    }
  }

  #add(from: number, to: number): void {
    this.starts[this.count] = from;
    this.ends[this.count] = to;
    this.count++;
  }
}

function hasQuotes(line: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    if (line[i] === QUOTE_DOUBLE || line[i] === QUOTE_SINGLE) return true;
  }
  return false;
}

/** White space between arguments: C's `isspace`. */
function isSpace(byte: number): boolean {
  return byte === SPACE || (byte >= TAB && byte <= CR);
}

/** What ends an unquoted argument: narrower than what may stand between arguments. */
function endsPlain(byte: number): boolean {
  return byte === SPACE || byte === LF || byte === CR || byte === TAB;
}

function isHexPair(line: Buffer, at: number, to: number): boolean {
  return at + 1 < to && isHex(line[at]) && isHex(line[at + 1]);
}

function isHex(byte: number): boolean {
  const lower = byte | 0x20;
  return (byte >= DIGIT_0 && byte <= DIGIT_9) || (lower >= 0x61 && lower <= 0x66);
}

function unescaped(byte: number): number {
  switch (byte) {
    case 0x6e: // n
      return LF;
    case 0x72: // r
      return CR;
    case 0x74: // t
      return TAB;
    case 0x62: // b
      return 0x08;
    case 0x61: // a
      return 0x07;
    default:
      return byte;
  }
}

/**
 * The arguments of a command, written in one line of its row and read by COMMAND DOCS and by the
 * generators of the tests.
 *
 *     key value [condition(NX/ | XX/)] [expiration(EX/seconds:i | PX/milliseconds:i)]
 *
 *     item     := '[' item ']' | [TOKEN '/'] element ['...' | '...+']
 *     element  := name [':' type]              an argument
 *               | [name '!']                   only the token; its name is the token in lower case
 *               | name '(' item | item ')'     one of several
 *               | name '{' item item '}'       several in a row
 *
 * Types: s string (of all names but `key`), k key, i integer, d double, p pattern, t Unix time. `...`
 * means once or more, `...+` the token with each of them. The token `''` is an empty one.
 *
 * Source of the model: https://redis.io/commands/command-docs
 */

export type ArgumentType =
  | 'string'
  | 'key'
  | 'integer'
  | 'double'
  | 'pattern'
  | 'unix-time'
  | 'pure-token'
  | 'oneof'
  | 'block';

export interface Argument {
  readonly name: string;
  readonly type: ArgumentType;
  /** The word that comes before it, or that it is. */
  readonly token?: string;
  readonly optional: boolean;
  readonly multiple: boolean;
  /** Whether the token is said again before each of them. */
  readonly multipleToken: boolean;
  /** What it is one of, or made of. */
  readonly parts: readonly Argument[];
}

const TYPES: Readonly<Record<string, ArgumentType>> = {
  s: 'string',
  k: 'key',
  i: 'integer',
  d: 'double',
  p: 'pattern',
  t: 'unix-time',
};

const TOKEN = /([A-Z][A-Z-]*)\//y;
const NAME = /[a-z0-9][a-zA-Z0-9_:/-]*/y;
const TYPE_SUFFIX = /^(.+):([skidpt])$/;

/** Throws where `text` is not in the form above: a mistake in the table. */
export function parseSyntax(text: string): Argument[] {
  const reader = new SyntaxReader(text);
  return reader.items('');
}

class SyntaxReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Items up to `end`, which is stepped over; to the end of the text where it is empty. */
  items(end: string): Argument[] {
    const items: Argument[] = [];
    for (;;) {
      while (this.#take(' ') || this.#take('|'));
      if (end === '' ? this.#at === this.#text.length : this.#take(end)) return items;
      items.push(this.#item());
    }
  }

  #item(): Argument {
    if (this.#take('[')) {
      const item = this.#item();
      if (!this.#take(']')) throw this.#unexpected("a ']'");
      return { ...item, optional: true };
    }
    const token = this.#match(TOKEN)?.[1];
    const element = this.#element(token);
    const multiple = this.#take('...');
    const multipleToken = multiple && this.#take('+');
    return {
      ...element,
      ...(token !== undefined && { token }),
      optional: false,
      multiple,
      multipleToken,
    };
  }

  #element(token: string | undefined): Pick<Argument, 'name' | 'type' | 'parts'> {
    const written = this.#match(NAME)?.[0];
    if (written === undefined) {
      if (token === undefined) throw this.#unexpected('a token or a name');
      return { name: token.toLowerCase(), type: 'pure-token', parts: [] };
    }
    if (this.#take('!')) return { name: written, type: 'pure-token', parts: [] };
    if (this.#take('(')) return { name: written, type: 'oneof', parts: this.items(')') };
    if (this.#take('{')) return { name: written, type: 'block', parts: this.items('}') };
    const [, name, letter] = TYPE_SUFFIX.exec(written) ?? [
      undefined,
      written,
      written === 'key' ? 'k' : 's',
    ];
    return { name, type: TYPES[letter], parts: [] };
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text) ?? undefined;
    if (match !== undefined) this.#at = pattern.lastIndex;
    return match;
  }

  #unexpected(what: string): Error {
    const got = JSON.stringify(this.#text.slice(this.#at, this.#at + 10));
    return new Error(
      `expected ${what} at ${this.#at} of the syntax ${JSON.stringify(this.#text)}, got ${got}`,
    );
  }
}

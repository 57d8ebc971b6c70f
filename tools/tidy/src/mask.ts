/**
 * Blanks what is not code, keeping every offset and line: a check then finds calls and imports with
 * plain patterns and is fooled neither by a comment nor by a string.
 *
 *     source   call('a'); // call('b')
 *     code     call(' ');
 *     text     call('a');
 *
 * A lexer of its own, since TypeScript 7 has no compiler API: comments, quotes, templates with nested
 * expressions, and regular expressions, told from division by what stands before them.
 */

export interface Masked {
  /** Comments, and the contents of strings, templates and regular expressions, are blank. */
  code: string;
  /** Comments alone are blank. */
  text: string;
}

/** After these a slash begins a regular expression; after a name, a number or `)` it divides. */
const BEFORE_REGEX =
  /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield))$/;

export function mask(source: string): Masked {
  const code = source.split('');
  const text = source.split('');
  const templates: number[] = [];
  let depth = 0;
  let at = 0;

  const blank = (target: string[], from: number, to: number): void => {
    const end = Math.min(to, target.length);
    for (let i = from; i < end; i++) if (target[i] !== '\n') target[i] = ' ';
  };
  const quoted = (quote: string): void => {
    const from = ++at;
    while (at < source.length && source[at] !== quote && source[at] !== '\n') {
      at += source[at] === '\\' ? 2 : 1;
    }
    blank(code, from, at);
    at++;
  };
  const template = (): void => {
    const from = at;
    while (at < source.length && source[at] !== '`') {
      if (source.startsWith('${', at)) {
        blank(code, from, at);
        at += 2;
        templates.push(depth);
        depth = 0;
        return;
      }
      at += source[at] === '\\' ? 2 : 1;
    }
    blank(code, from, at);
    at++;
  };
  const regex = (): void => {
    const from = ++at;
    let inClass = false;
    while (at < source.length && source[at] !== '\n' && (inClass || source[at] !== '/')) {
      if (source[at] === '[') inClass = true;
      else if (source[at] === ']') inClass = false;
      at += source[at] === '\\' ? 2 : 1;
    }
    blank(code, from, at);
    at++;
  };

  while (at < source.length) {
    const char = source[at];
    if (source.startsWith('//', at) || source.startsWith('/*', at)) {
      const line = source[at + 1] === '/';
      const found = source.indexOf(line ? '\n' : '*/', at + 2);
      const end = found === -1 ? source.length : found + (line ? 0 : 2);
      blank(code, at, end);
      blank(text, at, end);
      at = end;
    } else if (char === "'" || char === '"') {
      quoted(char);
    } else if (char === '`') {
      at++;
      template();
    } else if (
      char === '/' &&
      BEFORE_REGEX.test(
        code
          .slice(Math.max(0, at - 40), at)
          .join('')
          .trimEnd(),
      )
    ) {
      regex();
    } else if (char === '}' && depth === 0 && templates.length > 0) {
      depth = templates.pop() ?? 0;
      at++;
      template();
    } else {
      if (char === '{') depth++;
      else if (char === '}') depth--;
      at++;
    }
  }
  return { code: code.join(''), text: text.join('') };
}

/** Text of others on a terminal: control characters shown, never obeyed. */

const TAB = 0x09;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** `text` with every control character but tab and line ends written as `\xNN`. */
export function visible(text: string): string {
  let shown = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const isLayout = code === TAB || code === NEWLINE || code === CARRIAGE_RETURN;
    const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0);
    shown += isControl && !isLayout ? `\\x${code.toString(16).padStart(2, '0')}` : character;
  }
  return shown;
}

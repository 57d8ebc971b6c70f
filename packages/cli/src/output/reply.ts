/**
 * Replies as redis-cli prints them: typed and quoted for a terminal, raw for a pipe, or JSON.
 *
 *     terminal   "a\x00b"   (integer) 5   (nil)   1) "x"\n2) "y"
 *     text       pages such as INFO's, on a terminal: as they are, control characters shown
 *     raw        the bytes themselves, one element a line
 *     json       strings, numbers, arrays, objects; bytes that are no UTF-8 as {"base64": "…"}
 */
import { type Reply, RespDouble, RespError, RespVerbatim } from '@nendb/resp';
import type { JsonValue } from './json.js';
import { visible } from './visible.js';

/** For a terminal; ends with a newline. */
export function formatTyped(reply: Reply): string {
  return `${typed(reply, '')}\n`;
}

function typed(reply: Reply, indent: string): string {
  if (reply === null) return '(nil)';
  if (typeof reply === 'string') return visible(reply);
  if (typeof reply === 'number' || typeof reply === 'bigint') return `(integer) ${reply}`;
  if (reply instanceof RespDouble) return `(double) ${doubleText(reply)}`;
  if (reply instanceof RespVerbatim) return visible(reply.text);
  if (typeof reply === 'boolean') return reply ? '(true)' : '(false)';
  if (reply instanceof Uint8Array) return quote(reply);
  if (reply instanceof RespError) return `(error) ${visible(reply.message)}`;
  if (Array.isArray(reply)) {
    return numbered(reply, indent, ')', '(empty array)', (member, inner) => typed(member, inner));
  }
  if (reply instanceof Set) {
    return numbered([...reply], indent, '~', '(empty set)', (member, inner) =>
      typed(member, inner),
    );
  }
  return numbered([...reply], indent, '#', '(empty hash)', ([key, value], inner) => {
    const label = typed(key, inner);
    return `${label} => ${typed(value, `${inner}${' '.repeat(4)}`)}`;
  });
}

/** Numbers right-aligned, nested aggregates indented below their number. */
function numbered<T>(
  members: readonly T[],
  indent: string,
  mark: string,
  empty: string,
  print: (member: T, indent: string) => string,
): string {
  if (members.length === 0) return empty;
  const width = String(members.length).length;
  const inner = `${indent}${' '.repeat(width + 2)}`;
  return members
    .map((member, index) => {
      const label = `${String(index + 1).padStart(width)}${mark} `;
      return `${index === 0 ? '' : indent}${label}${print(member, inner)}`;
    })
    .join('\n');
}

const ESCAPES: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/** Bytes in double quotes; whatever is not printable ASCII is escaped, so that nothing reaches the terminal raw. */
function quote(bytes: Uint8Array): string {
  let text = '"';
  for (const byte of bytes) {
    const printable = byte >= 0x20 && byte < 0x7f;
    text +=
      ESCAPES[byte] ??
      (printable ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`);
  }
  return `${text}"`;
}

/** A page of text for a terminal; whatever is no string has its type shown. */
export function formatText(reply: Reply): string {
  if (!(reply instanceof Uint8Array)) return formatTyped(reply);
  return `${visible(Buffer.from(reply).toString('utf8').trimEnd())}\n`;
}

/** For a pipe: one element a line, bytes untouched. */
export function formatRaw(reply: Reply): Uint8Array {
  const parts: Uint8Array[] = [];
  pushRaw(reply, parts);
  return Buffer.concat(parts);
}

const NEWLINE = Buffer.from('\n');

function pushRaw(reply: Reply, parts: Uint8Array[]): void {
  if (reply instanceof Uint8Array) {
    parts.push(reply, NEWLINE);
  } else if (reply instanceof Map) {
    for (const [key, value] of reply) {
      pushRaw(key, parts);
      pushRaw(value, parts);
    }
  } else if (Array.isArray(reply) || reply instanceof Set) {
    for (const member of reply) pushRaw(member, parts);
  } else {
    parts.push(Buffer.from(scalarText(reply)), NEWLINE);
  }
}

function scalarText(
  reply: null | string | number | bigint | boolean | RespError | RespDouble | RespVerbatim,
): string {
  if (reply === null) return '';
  if (reply instanceof RespError) return reply.message;
  if (reply instanceof RespDouble) return doubleText(reply);
  return reply instanceof RespVerbatim ? reply.text : String(reply);
}

/** As RESP3 writes it: `inf`, `-inf`, `nan`. */
function doubleText({ value }: RespDouble): string {
  if (Number.isNaN(value)) return 'nan';
  return Number.isFinite(value) ? String(value) : value > 0 ? 'inf' : '-inf';
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** For programs. Integers beyond 2^53 are decimal strings; doubles that JSON lacks are their names. */
export function replyToJson(reply: Reply): JsonValue {
  if (reply === null || typeof reply === 'string' || typeof reply === 'boolean') return reply;
  if (typeof reply === 'number') return reply;
  if (typeof reply === 'bigint') return String(reply);
  if (reply instanceof RespDouble) {
    return Number.isFinite(reply.value) ? reply.value : doubleText(reply);
  }
  if (reply instanceof RespVerbatim) return reply.text;
  if (reply instanceof Uint8Array) return bytesToJson(reply);
  if (reply instanceof RespError) return { error: reply.message };
  if (reply instanceof Map) {
    return Object.fromEntries([...reply].map(([key, value]) => [keyText(key), replyToJson(value)]));
  }
  return [...reply].map(replyToJson);
}

function bytesToJson(bytes: Uint8Array): JsonValue {
  return utf8Of(bytes) ?? { base64: Buffer.from(bytes).toString('base64') };
}

function keyText(key: Reply): string {
  if (key instanceof Uint8Array) {
    return utf8Of(key) ?? `base64:${Buffer.from(key).toString('base64')}`;
  }
  return typeof key === 'string' ? key : JSON.stringify(replyToJson(key));
}

function utf8Of(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

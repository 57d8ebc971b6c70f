/**
 * Requests that a web page or another service sent to the wrong port (cross-protocol scripting).
 *
 * An HTTP request begins with `POST` or carries a `Host:` line; both arrive as inline commands.
 * Redis closes such connections without an answer: `securityWarningCommand` in its `server.c`.
 */
import type { RequestParser } from '@nendb/resp';

const LETTER_CASE = 0x20;
const POST = Buffer.from('post');
const HOST = Buffer.from('host:');

export function isForeignProtocol({ bytes, starts, ends }: RequestParser): boolean {
  const from = starts[0];
  const length = ends[0] - from;
  if (length === POST.length) return matches(bytes, from, POST);
  return length === HOST.length && matches(bytes, from, HOST);
}

function matches(bytes: Uint8Array, from: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) {
    // The colon has the bit set already, so that folding leaves it alone.
    if ((bytes[from + i] | LETTER_CASE) !== word[i]) return false;
  }
  return true;
}

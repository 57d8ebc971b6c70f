/** Requests as clients send them: an array of bulk strings. */

export type RequestArgument = string | number | bigint | Uint8Array;

/** One request as bytes. Strings are UTF-8. */
export function encodeRequest(args: readonly RequestArgument[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const argument of args) {
    const bytes = argument instanceof Uint8Array ? argument : Buffer.from(String(argument));
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, LINE_END);
  }
  return Buffer.concat(parts);
}

const LINE_END = Buffer.from('\r\n');

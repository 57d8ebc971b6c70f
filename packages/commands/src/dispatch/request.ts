/**
 * A request: offsets into bytes. The parser of a connection is one; a request that must outlive the
 * parser's next turn (queued in MULTI, waiting for its keys) is copied into an `OwnedRequest`.
 */
import type { RequestArgument } from '@nendb/resp';
import { ERROR_QUOTE_BYTES_MAX } from '../limits.js';

/** Argument i is `bytes[starts[i]..ends[i]]`; argument 0 is the command's name. `argc` is at least 1. */
export interface Request {
  readonly argc: number;
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** A request that owns its bytes. */
export class OwnedRequest implements Request {
  private constructor(
    readonly argc: number,
    readonly bytes: Uint8Array,
    readonly starts: Int32Array,
    readonly ends: Int32Array,
  ) {}

  static copyOf(request: Request): OwnedRequest {
    const { argc } = request;
    const starts = new Int32Array(argc);
    const ends = new Int32Array(argc);
    const bytes = Buffer.allocUnsafe(argumentBytes(request));
    let at = 0;
    for (let i = 0; i < argc; i++) {
      starts[i] = at;
      bytes.set(request.bytes.subarray(request.starts[i], request.ends[i]), at);
      at += request.ends[i] - request.starts[i];
      ends[i] = at;
    }
    return new OwnedRequest(argc, bytes, starts, ends);
  }

  /** Of arguments as JavaScript values; strings are UTF-8. */
  static of(args: readonly RequestArgument[]): OwnedRequest {
    const parts = args.map((argument) =>
      argument instanceof Uint8Array ? argument : Buffer.from(String(argument)),
    );
    const starts = new Int32Array(parts.length);
    const ends = new Int32Array(parts.length);
    let at = 0;
    for (let i = 0; i < parts.length; i++) {
      starts[i] = at;
      at += parts[i].length;
      ends[i] = at;
    }
    return new OwnedRequest(parts.length, Buffer.concat(parts), starts, ends);
  }
}

/**
 * Argument `index` as an error text quotes it: its first bytes only, however long it is, and as they
 * are (latin1). A zero ends it, as in C.
 */
export function quote(request: Request, index: number): string {
  const from = request.starts[index];
  const to = Math.min(request.ends[index], from + ERROR_QUOTE_BYTES_MAX);
  const text = Buffer.from(request.bytes.subarray(from, to)).toString('latin1');
  const zero = text.indexOf('\0');
  return zero < 0 ? text : text.slice(0, zero);
}

/** The beginnings of as many arguments as an error text can hold. */
export function quoteAll(request: Request): string[] {
  const count = Math.min(request.argc, ERROR_QUOTE_BYTES_MAX);
  return Array.from({ length: count }, (_, i) => quote(request, i));
}

/** Bytes of all arguments together. */
export function argumentBytes(request: Request): number {
  let bytes = 0;
  for (let i = 0; i < request.argc; i++) bytes += request.ends[i] - request.starts[i];
  return bytes;
}

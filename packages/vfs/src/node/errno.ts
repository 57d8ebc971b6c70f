/** `node:fs` errors of calls by descriptor carry no path: this adds it (contract, invariant 4). */

/** `error` itself, with `path` set and named in the message. */
export function withPath(error: unknown, path: string): unknown {
  if (
    error instanceof Error &&
    'code' in error &&
    (error as { path?: string }).path === undefined
  ) {
    error.message += ` '${path}'`;
    Object.assign(error, { path });
  }
  return error;
}

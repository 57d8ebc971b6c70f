/** What replies become in JavaScript. */

/** An error that the server answered: a value, not thrown, since it may stand inside an array. */
export class RespError extends Error {
  override readonly name = 'RespError';
  /** The first word: `ERR`, `WRONGTYPE`, `MISCONF`. */
  readonly code: string;

  constructor(message: string) {
    super(message);
    const space = message.indexOf(' ');
    this.code = space < 0 ? message : message.slice(0, space);
  }
}

/** A double, told apart from an integer of the same value. */
export class RespDouble {
  constructor(readonly value: number) {}

  valueOf(): number {
    return this.value;
  }
}

/** Text for people, with its format: `txt` or `mkd`. */
export class RespVerbatim {
  constructor(
    readonly format: string,
    readonly text: string,
  ) {}
}

/**
 * Simple strings are strings; bulk strings are Buffers (or strings, with `bulk: 'text'`); integers
 * are numbers, or bigints beyond 2^53 - 1; big numbers are bigints; both nulls are null.
 */
export type Reply =
  | null
  | boolean
  | number
  | bigint
  | string
  | Buffer
  | RespError
  | RespDouble
  | RespVerbatim
  | Reply[]
  | Set<Reply>
  | Map<Reply, Reply>;

/** One reply. `push` is set on out of band data, which answers no request. */
export interface ReplyFrame {
  value: Reply;
  push?: true;
}

/** A session on a dispatcher, spoken to in bytes as a connection does. */
import { encodeRequest, ReplyParser, ReplyWriter, RequestParser } from '@nendb/resp';
import { type Dispatcher, Session, type SessionOptions } from '../../src/index.js';
import type { Answer } from './redis.js';

export class DirectLink {
  readonly session: Session;
  readonly #parser = new RequestParser();
  readonly #writer = new ReplyWriter();

  constructor(
    readonly dispatcher: Dispatcher,
    options: Partial<SessionOptions> = {},
  ) {
    this.session = new Session({ id: 1, authenticated: true, ...options });
  }

  /** All replies to the requests in `chunk`. */
  async receive(chunk: Uint8Array): Promise<Buffer> {
    this.#parser.push(chunk);
    while (this.#parser.next()) {
      const done = this.dispatcher.dispatch(this.session, this.#parser, this.#writer);
      if (done !== true) await done;
    }
    return this.#writer.take();
  }

  /** Throws unless exactly one whole reply comes. */
  async ask(args: readonly (string | number | Uint8Array)[]): Promise<Answer> {
    const bytes = await this.receive(encodeRequest(args));
    const replies = new ReplyParser();
    replies.push(bytes);
    const frame = replies.next();
    if (frame === undefined || replies.next() !== undefined || replies.pendingBytes > 0) {
      throw new Error(`expected one reply to ${args.join(' ')}, got ${bytes.toString('latin1')}`);
    }
    return { value: frame.value, bytes };
  }
}

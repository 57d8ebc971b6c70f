/**
 * A client inside the process: the database without a socket.
 *
 * Invariants
 *  1. Calls run in the order in which they were made; calls of one turn share one sync.
 *  2. A result is handed out only when the engine's barrier has passed (R9), a read's included.
 */
import type { EngineView } from '@nendb/engine';
import {
  type Reply,
  ReplyParser,
  type ReplyParserOptions,
  ReplyWriter,
  type RequestArgument,
  RespError,
} from '@nendb/resp';
import { Dispatcher } from '../dispatch/dispatcher.js';
import { OwnedRequest } from '../dispatch/request.js';
import type { Host } from '../host.js';
import { Session } from '../session.js';
import { LocalHost } from './local-host.js';

export interface LocalClientOptions {
  engine: EngineView;
  /** Default: a `LocalHost` of this engine. */
  host?: Host;
  /** Share one dispatcher among clients, and with it the counters of INFO. */
  dispatcher?: Dispatcher;
  /** RESP3 gives maps, sets, doubles and booleans their own types. Default 3. */
  protocol?: 2 | 3;
}

export class LocalClient {
  readonly session: Session;
  readonly #engine: EngineView;
  readonly #dispatcher: Dispatcher;
  readonly #writer = new ReplyWriter();
  /** Settles when the calls made so far have run, where one of them had to wait. */
  #tail: Promise<void> | undefined;

  constructor(options: LocalClientOptions) {
    this.#engine = options.engine;
    const host = options.host ?? new LocalHost({ engine: options.engine });
    this.#dispatcher = options.dispatcher ?? new Dispatcher({ engine: options.engine, host });
    this.session = new Session({ id: nextId++, authenticated: true });
    this.session.protocol = options.protocol ?? 3;
  }

  /**
   * Runs a command: `await client.call('SET', 'key', 'value')`. Strings in the result are UTF-8 text.
   *
   * Rejects with a `RespError` where the reply is an error (`code` is its first word), and with an
   * `EngineError` where the log failed, in which case the outcome of a write is unknown.
   */
  async call(...args: RequestArgument[]): Promise<Reply> {
    return unwrap(await this.send(args, { bulk: 'text' }));
  }

  /** The same with strings as Buffers: for values that are not text. */
  async callBytes(...args: RequestArgument[]): Promise<Reply> {
    return unwrap(await this.send(args));
  }

  /** The reply as it is: an error is a `RespError` value. SHUTDOWN has none: null. */
  async send(args: readonly RequestArgument[], options?: ReplyParserOptions): Promise<Reply> {
    if (args.length === 0) {
      throw new RangeError("expected a command and its arguments, got none: call('PING')");
    }
    const request = OwnedRequest.of(args);
    const bytes = await this.#inOrder(request);
    // SHUTDOWN has no reply, and leaves no engine to wait for.
    if (bytes.length === 0) return null;
    await this.#engine.barrier();
    return decode(bytes, options);
  }

  /** Forgets what it has queued and watched. The engine stays open, and so does the client. */
  release(): void {
    this.session.discard();
  }

  /** Runs the request now, or behind those that still run. */
  #inOrder(request: OwnedRequest): Buffer | Promise<Buffer> {
    const before = this.#tail;
    const run = before === undefined ? this.#run(request) : before.then(() => this.#run(request));
    if (run instanceof Promise) {
      const tail = run.then(settled, settled).then(() => {
        if (this.#tail === tail) this.#tail = undefined;
      });
      this.#tail = tail;
    }
    return run;
  }

  #run(request: OwnedRequest): Buffer | Promise<Buffer> {
    const done = this.#dispatcher.dispatch(this.session, request, this.#writer);
    if (done === true) return this.#writer.take();
    return done.then(() => this.#writer.take());
  }
}

let nextId = 1;

function settled(): void {}

function unwrap(reply: Reply): Reply {
  if (reply instanceof RespError) throw reply;
  return reply;
}

function decode(bytes: Buffer, options: ReplyParserOptions | undefined): Reply {
  const parser = new ReplyParser(options);
  parser.push(bytes);
  const frame = parser.next();
  if (frame === undefined) {
    throw new Error(`expected one whole reply, got ${bytes.length} bytes of one`);
  }
  return frame.value;
}

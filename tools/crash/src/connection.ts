/** A connection to the server under test: requests in a pipeline, replies in order, RESP2. */
import { connect, type Socket } from 'node:net';
import {
  encodeRequest,
  type Reply,
  ReplyParser,
  type RequestArgument,
  RespError,
} from '@nendb/resp';
import { CrashFailure } from './failure.js';

interface Waiting {
  left: number;
  replies: Reply[];
  done(replies: Reply[]): void;
  /** The connection closed before the last reply. */
  lost(): void;
}

const ignore = () => undefined;

export class Connection {
  /** Resolves when the connection is gone and everything it had received was handed out. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #parser = new ReplyParser({ bulk: 'text' });
  readonly #waiting: Waiting[] = [];
  #isOpen = true;
  /** Called after each chunk of replies was handed out. */
  onReplies: () => void = ignore;
  /** Called with what a reply, or its handler, made impossible to go on with. */
  onFailure: (error: unknown) => void = ignore;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#receive(chunk));
    // Whatever ends a connection, 'close' follows; the reason shows in how the server ended.
    socket.on('error', ignore);
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#isOpen = false;
        for (const waiting of this.#waiting.splice(0)) waiting.lost();
        resolve();
      });
    });
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new Connection(socket));
      });
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Sends requests in one go; `done` gets one reply to each. */
  send(
    requests: readonly (readonly RequestArgument[])[],
    done: (replies: Reply[]) => void,
    lost: () => void = ignore,
  ): void {
    if (!this.#isOpen) {
      lost();
      return;
    }
    this.#waiting.push({ left: requests.length, replies: [], done, lost });
    this.#socket.write(Buffer.concat(requests.map(encodeRequest)));
  }

  /** Sends requests and waits for their replies. An error among them is thrown. */
  requestAll(requests: readonly (readonly RequestArgument[])[]): Promise<Reply[]> {
    if (requests.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const done = (replies: Reply[]) => {
        const at = replies.findIndex((reply) => reply instanceof RespError);
        if (at < 0) resolve(replies);
        else reject(unexpectedError(String(requests[at][0]), replies[at] as RespError));
      };
      this.send(requests, done, () =>
        reject(
          new CrashFailure(
            'CRASH_SERVER',
            `expected replies to ${String(requests[0][0])}, the connection closed`,
          ),
        ),
      );
    });
  }

  async request(...args: RequestArgument[]): Promise<Reply> {
    const [reply] = await this.requestAll([args]);
    return reply;
  }

  close(): Promise<void> {
    this.#socket.destroy();
    return this.closed;
  }

  #receive(chunk: Buffer): void {
    try {
      this.#parser.push(chunk);
      for (let frame = this.#parser.next(); frame; frame = this.#parser.next()) {
        this.#handOut(frame.value);
      }
      this.onReplies();
    } catch (error) {
      this.#socket.destroy();
      this.onFailure(error);
    }
  }

  #handOut(reply: Reply): void {
    const waiting = this.#waiting[0];
    if (waiting === undefined) {
      throw new CrashFailure('CRASH_REPLY', `expected no reply, got ${String(reply)}`);
    }
    waiting.replies.push(reply);
    waiting.left--;
    if (waiting.left > 0) return;
    this.#waiting.shift();
    waiting.done(waiting.replies);
  }
}

function unexpectedError(name: string, error: RespError): CrashFailure {
  return new CrashFailure('CRASH_REPLY', `expected ${name} to succeed, got -${error.message}`);
}

/** A client that sends exactly the bytes it is told to, and reads replies one by one. */
import { connect, type Socket } from 'node:net';
import { encodeRequest, type Reply, ReplyParser, type RequestArgument } from '@nendb/resp';

export class RawClient {
  readonly socket: Socket;
  /** Resolves when the connection is closed, by whichever side. */
  readonly closed: Promise<void>;
  /** All that was received, for tests that count bytes. */
  receivedBytes = 0;
  readonly #parser = new ReplyParser({ bulk: 'text' });
  #wake: () => void = () => {};
  #isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#isClosed = true;
        this.#wake();
        resolve();
      });
    });
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.receivedBytes += chunk.length;
      this.#parser.push(chunk);
      this.#wake();
    });
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host, noDelay: true });
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  send(...args: RequestArgument[]): void {
    this.socket.write(encodeRequest(args));
  }

  /** The next reply; throws when the connection closes first. */
  async next(): Promise<Reply> {
    for (;;) {
      const frame = this.#parser.next();
      if (frame) return frame.value;
      if (this.#isClosed) throw new Error('expected a reply, the connection was closed');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Whether a whole reply has arrived that was not asked for with `next` yet. */
  arrived(): Reply | undefined {
    return this.#parser.next()?.value;
  }

  async call(...args: RequestArgument[]): Promise<Reply> {
    this.send(...args);
    return this.next();
  }

  close(): void {
    this.socket.destroy();
  }
}

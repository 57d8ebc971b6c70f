/** A real redis-server beside the tests, where the machine has one. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeRequest, type Reply, ReplyParser } from '@nendb/resp';

export const redisInstalled = spawnSync('redis-server', ['--version']).status === 0;

export class RedisPeer {
  private constructor(
    readonly port: number,
    readonly process: ChildProcess,
    readonly dir: string,
  ) {}

  /** With more options on the command line. */
  static async start(options: readonly string[] = []): Promise<RedisPeer> {
    const dir = mkdtempSync(join(tmpdir(), 'nendb-redis-'));
    const port = await freePort();
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir];
    args.push(...options);
    const child = spawn('redis-server', args, { stdio: 'ignore' });
    const peer = new RedisPeer(port, child, dir);
    for (let attempt = 0; attempt < 100; attempt++) {
      try {
        const link = await peer.connect();
        await link.ask(['PING']);
        link.close();
        return peer;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    await peer.stop();
    throw new Error(`expected redis-server on port ${port} within 5 s, it does not answer`);
  }

  connect(): Promise<RedisLink> {
    return RedisLink.open(this.port);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGKILL');
    await ended;
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A reply as a value and as the bytes that came. */
export interface Answer {
  value: Reply;
  bytes: Buffer;
}

/** One connection; one request at a time. */
export class RedisLink {
  readonly #parser = new ReplyParser();
  #received: Buffer[] = [];
  #answer: ((answer: Answer) => void) | undefined;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.#parser.push(chunk);
      this.#received.push(chunk);
      const frame = this.#parser.next();
      if (frame === undefined) return;
      const bytes = Buffer.concat(this.#received);
      this.#received = [];
      this.#answer?.({ value: frame.value, bytes });
    });
  }

  static open(port: number): Promise<RedisLink> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new RedisLink(socket)));
      socket.once('error', reject);
    });
  }

  ask(args: readonly (string | number | Uint8Array)[]): Promise<Answer> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.socket.write(encodeRequest(args));
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

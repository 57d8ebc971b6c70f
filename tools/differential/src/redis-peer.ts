/** A real redis-server of our own on a unix socket: started here, ended by its process id. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeRequest } from '@nendb/resp';
import { ReplyCollector } from './frames.js';
import { DUMPED, type Peer } from './peer.js';
import { type DifferentialRequest, plainRequest, wordsFor } from './request.js';

const START_TRIES = 100;
const START_WAIT_MS = 50;

/** The version of the redis-server on this machine, or `undefined` where there is none. */
export function redisVersion(): string | undefined {
  const { status, stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  return status === 0 ? (/ v=(\S+)/.exec(stdout)?.[1] ?? 'unknown') : undefined;
}

export class RedisPeer implements Peer {
  readonly #process: ChildProcess;
  readonly #dir: string;
  readonly #collector = new ReplyCollector();
  readonly #payloads: Uint8Array[] = [];
  #socket: Socket;
  #waiting: { count: number; replies: Buffer[]; resolve: (replies: Buffer[]) => void } | undefined;

  private constructor(child: ChildProcess, dir: string, socket: Socket) {
    this.#process = child;
    this.#dir = dir;
    this.#socket = this.#listen(socket);
  }

  static async start(): Promise<RedisPeer> {
    const dir = mkdtempSync(join(tmpdir(), 'nendb-differential-redis-'));
    const path = join(dir, 'redis.sock');
    const child = spawn(
      'redis-server',
      ['--port', '0', '--unixsocket', path, '--save', '', '--appendonly', 'no', '--dir', dir],
      { stdio: 'ignore' },
    );
    for (let tries = 0; tries < START_TRIES; tries++) {
      const socket = await open(path).catch(() => undefined);
      if (socket !== undefined) {
        const peer = new RedisPeer(child, dir, socket);
        await peer.#prepare();
        return peer;
      }
      await new Promise((resolve) => setTimeout(resolve, START_WAIT_MS));
    }
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
    throw new Error(
      `expected redis-server to listen within ${(START_TRIES * START_WAIT_MS) / 1000} s, it does not: run redis-server by hand to see why`,
    );
  }

  run(requests: readonly DifferentialRequest[]): Promise<Buffer[]> {
    if (requests.length === 0) return Promise.resolve([]);
    const bytes = Buffer.concat(
      requests.map((request) => encodeRequest(wordsFor(request, this.#payloads))),
    );
    return new Promise((resolve) => {
      this.#waiting = { count: requests.length, replies: [], resolve };
      this.#socket.write(bytes);
    });
  }

  async reconnect(): Promise<void> {
    this.#socket.removeAllListeners();
    this.#socket.destroy();
    this.#socket = this.#listen(await open(join(this.#dir, 'redis.sock')));
  }

  async close(): Promise<void> {
    this.#socket.removeAllListeners();
    this.#socket.destroy();
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #prepare(): Promise<void> {
    for (const words of DUMPED) {
      const set = { words, command: undefined, units: [] };
      const [, dumped] = await this.run([
        set,
        plainRequest('DUMP dumped'),
        plainRequest('DEL dumped'),
      ]);
      this.#payloads.push(dumped.subarray(dumped.indexOf('\n') + 1, -2));
    }
  }

  #listen(socket: Socket): Socket {
    socket.on('data', (chunk) => {
      this.#collector.push(chunk);
      const waiting = this.#waiting;
      if (waiting === undefined) return;
      waiting.replies.push(...this.#collector.take());
      if (waiting.replies.length < waiting.count) return;
      this.#waiting = undefined;
      waiting.resolve(waiting.replies);
    });
    socket.on('error', (error) => {
      throw new Error(`the connection to redis-server broke: ${error.message}`, { cause: error });
    });
    return socket;
  }
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

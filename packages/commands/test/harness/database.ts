/** An engine in a temporary directory and clients of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine, type EngineOptions, type EngineView } from '@nendb/engine';
import { type Reply, RespError } from '@nendb/resp';
import { Dispatcher, type Host, LocalClient, LocalHost } from '../../src/index.js';

/** The plainest store, unless told otherwise: `tools/differential` runs the commands over all of them. */
const STORE = process.env.NENDB_STORE ?? 'dash';

export class Database {
  readonly dispatcher: Dispatcher;

  constructor(
    readonly engine: EngineView,
    readonly host: Host,
    readonly dir: string,
  ) {
    this.dispatcher = new Dispatcher({ engine, host });
  }

  static async open(options: Partial<EngineOptions> = {}): Promise<Database> {
    const dir = mkdtempSync(join(tmpdir(), 'nendb-commands-'));
    const engine = await Engine.open({
      dir,
      sync: 'os',
      preallocate: false,
      store: STORE,
      regionBytes: 128 * 1024 * 1024,
      ...options,
    });
    return new Database(engine, new LocalHost({ engine }), dir);
  }

  client(protocol: 2 | 3 = 3): Client {
    return new Client(
      new LocalClient({
        engine: this.engine,
        host: this.host,
        dispatcher: this.dispatcher,
        protocol,
      }),
    );
  }

  async close(): Promise<void> {
    await this.engine.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Commands as a line of words, replies as plain values: `-ERR ...` for an error. */
export class Client {
  constructor(readonly local: LocalClient) {}

  /** `run('SET key value')`: words are separated by single spaces. */
  async run(line: string): Promise<unknown> {
    return this.args(...line.split(' '));
  }

  async args(...args: (string | number | Uint8Array)[]): Promise<unknown> {
    return plain(await this.local.send(args, { bulk: 'text' }));
  }
}

/** Errors as `-TEXT`, maps as arrays of pairs, sets as sorted arrays: comparable with `toEqual`. */
export function plain(reply: Reply): unknown {
  if (reply instanceof RespError) return `-${reply.message}`;
  if (reply instanceof Map) return [...reply].map(([key, value]) => [plain(key), plain(value)]);
  if (reply instanceof Set) return [...reply].map(plain).sort();
  if (Array.isArray(reply)) return reply.map(plain);
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  return reply;
}

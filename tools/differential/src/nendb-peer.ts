/** NenDB in this process: the engine in a temporary directory, the commands on it, no socket. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dispatcher, LocalHost, OwnedRequest, Session } from '@nendb/commands';
import { Engine, EngineError } from '@nendb/engine';
import { ReplyWriter } from '@nendb/resp';
import { ReplyCollector } from './frames.js';
import { DUMPED, type Peer } from './peer.js';
import { type DifferentialRequest, wordsFor } from './request.js';

/** Writes of one turn: the log gets a chance to write them, and does not grow in memory. */
const REQUESTS_PER_TURN = 500;

/** Whether the engine has a store of that name. */
export async function hasStore(store: string): Promise<boolean> {
  const dir = mkdtempSync(join(tmpdir(), 'nendb-differential-'));
  try {
    const engine = await Engine.open({ dir, store, preallocate: false });
    await engine.close();
    return true;
  } catch (error) {
    if (error instanceof EngineError && error.code === 'ENGINE_STORE_UNAVAILABLE') return false;
    throw error;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export class NendbPeer implements Peer {
  readonly #engine: Engine;
  readonly #dir: string;
  readonly #dispatcher: Dispatcher;
  readonly #payloads: Uint8Array[] = [];
  #session = new Session({ id: 1, authenticated: true });

  private constructor(engine: Engine, dir: string) {
    this.#engine = engine;
    this.#dir = dir;
    this.#dispatcher = new Dispatcher({ engine, host: new LocalHost({ engine }) });
  }

  static async start(store?: string): Promise<NendbPeer> {
    const dir = mkdtempSync(join(tmpdir(), 'nendb-differential-'));
    const engine = await Engine.open({
      dir,
      sync: 'os',
      preallocate: false,
      ...(store && { store }),
    });
    const peer = new NendbPeer(engine, dir);
    for (const words of DUMPED) {
      await peer.#ask(words);
      const reply = await peer.#ask(['DUMP', 'dumped']);
      peer.#payloads.push(reply.subarray(reply.indexOf('\n') + 1, -2));
      await peer.#ask(['DEL', 'dumped']);
    }
    return peer;
  }

  async run(requests: readonly DifferentialRequest[]): Promise<Buffer[]> {
    const replies: Buffer[] = [];
    for (let i = 0; i < requests.length; i++) {
      replies.push(await this.#ask(wordsFor(requests[i], this.#payloads)));
      if (i % REQUESTS_PER_TURN === 0) await this.#engine.barrier();
    }
    return replies;
  }

  async reconnect(): Promise<void> {
    this.#session.end();
    this.#session = new Session({ id: 1, authenticated: true });
  }

  async close(): Promise<void> {
    await this.#engine.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #ask(words: readonly (string | Uint8Array)[]): Promise<Buffer> {
    const writer = new ReplyWriter();
    const done = this.#dispatcher.dispatch(this.#session, OwnedRequest.of(words), writer);
    if (done !== true) await done;
    const bytes = writer.take();
    const collector = new ReplyCollector();
    collector.push(bytes);
    const replies = collector.take();
    if (replies.length === 1 && replies[0].length === bytes.length) return replies[0];
    throw new Error(`expected one reply to ${words.join(' ')}, got ${bytes.toString('latin1')}`);
  }
}

/**
 * A real server in a process of its own.
 *
 * Invariants
 *  1. `ready` resolves with the port of the line `ready redis://127.0.0.1:PORT`, or rejects when the
 *     server ends, or takes too long, before that.
 *  2. `kill` is SIGKILL: nothing in the server runs afterwards.
 *  3. No server outlives this process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { CrashFailure } from './failure.js';

export interface ServerOptions {
  /** The script to run with node. */
  script: string;
  dir: string;
  sync: string;
  segmentBytes: number;
  snapshotLogBytes: number;
  /** Further arguments, as they are. */
  args?: readonly string[];
}

export interface ServerEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const READY = /^ready redis:\/\/127\.0\.0\.1:(\d+)$/m;
const START_MS_MAX = 30_000;
const STOP_MS_MAX = 20_000;
/** What is kept of what the server says, for the report of a failure. */
const OUTPUT_CHARACTERS_MAX = 8000;

const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** The server of this repository, built: this file is tools/crash/{src,dist}/server-process.*. */
export function serverScript(): string {
  const tools = dirname(dirname(import.meta.dirname));
  return join(dirname(tools), 'apps', 'server', 'dist', 'main.js');
}

export class ServerProcess {
  readonly ready: Promise<number>;
  readonly ended: Promise<ServerEnd>;
  readonly #child: ChildProcess;
  #output = '';
  #isReady = false;
  #hasEnded = false;

  constructor(options: ServerOptions) {
    const { script, dir, sync, segmentBytes, snapshotLogBytes, args = [] } = options;
    const flags = {
      '--port': 0,
      '--dir': dir,
      '--sync': sync,
      '--segment-bytes': segmentBytes,
      '--snapshot-log-bytes': snapshotLogBytes,
    };
    const argv = [script, ...Object.entries(flags).flatMap(([name, value]) => [name, `${value}`])];
    this.#child = spawn(process.execPath, [...argv, ...args], {
      env: withoutOptions(process.env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    alive.add(this.#child);
    this.ended = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        alive.delete(this.#child);
        this.#hasEnded = true;
        resolve({ code, signal });
      });
    });
    this.ready = this.#untilReady();
    // Whoever kills a server that is starting does not wait for it to be ready.
    this.ready.catch(() => undefined);
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The end of what the server wrote to stdout and stderr. */
  get output(): string {
    return this.#output.trimEnd();
  }

  /** kill -9; resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** Asks the server to stop (SIGTERM) and expects it to exit with 0. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS_MAX);
    const { code, signal } = await this.ended;
    clearTimeout(timer);
    if (code === 0) return;
    throw new CrashFailure(
      'CRASH_SERVER',
      `expected SIGTERM to end the server with 0 within ${STOP_MS_MAX} ms, got ${code ?? signal}\n${this.output}`,
    );
  }

  #untilReady(): Promise<number> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(this.#startFailure(`none came within ${START_MS_MAX} ms`));
        void this.kill();
      }, START_MS_MAX);
      const listen = (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-OUTPUT_CHARACTERS_MAX);
        const port = this.#isReady ? undefined : READY.exec(this.#output)?.[1];
        if (port === undefined) return;
        this.#isReady = true;
        clearTimeout(timer);
        resolve(Number(port));
      };
      this.#child.stdout?.on('data', listen);
      this.#child.stderr?.on('data', listen);
      void this.ended.then(({ code, signal }) => {
        clearTimeout(timer);
        reject(this.#startFailure(`the server ended with ${code ?? signal}`));
      });
    });
  }

  #startFailure(what: string): CrashFailure {
    return new CrashFailure('CRASH_SERVER', `expected a ready line, ${what}\n${this.output}`);
  }
}

/** The environment without options for the server: they would not be part of the seed. */
function withoutOptions(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('NENDB_')));
}

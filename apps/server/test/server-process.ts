/** The server as users run it: a process of its own, from the build. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { RawClient } from './raw-client.js';

export const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const FAILING_DISK = new URL('./faults/failing-disk.mjs', import.meta.url).href;

export type DiskFault = 'sync' | 'write' | 'slow';

export interface ServerProcess {
  child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves with the port when the ready line came; rejects when the process ended before. */
  ready: Promise<number>;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  client(): Promise<RawClient>;
}

export function spawnServer(
  args: readonly string[],
  options: { env?: Record<string, string>; fault?: DiskFault; nodeOptions?: string[] } = {},
): ServerProcess {
  if (!existsSync(MAIN)) throw new Error(`expected ${MAIN}: build first (npm run build)`);
  const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, ...options.env };
  if (options.fault) env.NODE_TEST_DISK_FAULT = options.fault;
  const preload = options.fault ? ['--import', FAILING_DISK] : [];
  const nodeOptions = options.nodeOptions ?? [];
  const child = spawn(process.execPath, [...nodeOptions, ...preload, MAIN, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const ready = new Promise<number>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      stdout += chunk;
      const port = /^ready redis:\/\/[^\n]*:(\d+)\n/.exec(stdout);
      if (port) resolve(Number(port[1]));
    });
    exited.then(({ code }) => reject(new Error(`the server ended with ${code}: ${stderr}`)));
  });
  ready.catch(() => {});
  onTestFinished(() => {
    if (child.exitCode === null) child.kill('SIGKILL');
  });
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ready,
    exited,
    client: async () => {
      const client = await RawClient.connect(await ready);
      onTestFinished(() => client.close());
      return client;
    },
  };
}

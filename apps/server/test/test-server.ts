/** Servers in this process, each in a directory of its own that goes away with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type ServerConfig, serverConfig } from '../src/config.js';
import { type RunningServer, type ServerSeams, startServer } from '../src/server.js';
import { RawClient } from './raw-client.js';

export function temporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'nendb-server-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** What a log line holds, as far as tests look at it. */
export interface LogLine {
  level: number;
  msg: string;
  [key: string]: unknown;
}

export interface TestServer {
  server: RunningServer;
  dir: string;
  log: LogLine[];
  /** A connected client; closed when the test ends. */
  client(): Promise<RawClient>;
}

/** Starts a server on a free port; it is stopped when the test ends. */
export async function start(
  overrides: Partial<ServerConfig> = {},
  seams: Omit<ServerSeams, 'log'> = {},
): Promise<TestServer> {
  const dir = overrides.dir ?? join(temporaryDirectory(), 'data');
  const log: LogLine[] = [];
  const config = serverConfig({
    ...{ port: 0, dir, drainTimeoutMs: 2_000 },
    regionBytes: 256 * 1024 * 1024,
    ...overrides,
  });
  const server = await startServer(config, {
    ...seams,
    log: pino({ level: 'debug' }, { write: (line: string) => void log.push(JSON.parse(line)) }),
  });
  onTestFinished(() => server.stop('the test is over'));
  return {
    server,
    dir,
    log,
    client: async () => {
      const client = await RawClient.connect(server.port);
      onTestFinished(() => client.close());
      return client;
    },
  };
}

/** Waits until `condition` holds; the test's timeout bounds it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

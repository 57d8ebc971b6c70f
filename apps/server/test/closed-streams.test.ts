/** Whoever started the server may go away, and its pipes with it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RawClient } from './raw-client.js';
import { MAIN } from './server-process.js';
import { sleep, temporaryDirectory } from './test-server.js';

/** The port in LOCK, once the server has published it. */
async function publishedPort(dir: string): Promise<number> {
  for (;;) {
    try {
      const [, port] =
        /redis:\/\/127\.0\.0\.1:(\d+)/.exec(readFileSync(join(dir, 'LOCK'), 'utf8')) ?? [];
      if (port !== undefined) return Number(port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await sleep(10);
  }
}

describe('a server whose stdout and stderr are closed', () => {
  it('starts, serves and stops in order all the same', async () => {
    const dir = join(temporaryDirectory(), 'data');
    const child = spawn(
      process.execPath,
      [MAIN, '--port', '0', '--dir', dir, '--log-level', 'trace'],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    child.stdout.destroy();
    child.stderr.destroy();
    const exited = once(child, 'exit');
    const client = await RawClient.connect(await publishedPort(dir));
    onTestFinished(() => client.close());
    await sleep(100);
    expect(await client.call('SET', 'k', 'v')).toBe('OK');
    expect(await client.call('GET', 'k')).toBe('v');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });
});

import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Engine, type EngineOptions } from '@nendb/engine';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RawClient } from './raw-client.js';
import { sleep, start, temporaryDirectory, until } from './test-server.js';

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** An engine that recovers for as long as the test wants. */
function slowEngine() {
  let finish: (error?: Error) => void = () => {};
  const recovered = new Promise<void>((resolve, reject) => {
    finish = (error) => (error ? reject(error) : resolve());
  });
  const openEngine = async (options: EngineOptions) => {
    await recovered;
    return Engine.open(options);
  };
  return { openEngine, finish };
}

async function connectEarly(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  onTestFinished(() => client.close());
  return client;
}

describe('clients that come before recovery is done', () => {
  it('wait, and are served then', async () => {
    const port = await freePort();
    const { openEngine, finish } = slowEngine();
    const starting = start({ port }, { openEngine });
    await sleep(30);
    const [early, gone] = [await connectEarly(port), await connectEarly(port)];
    early.send('SET', 'k', 'v');
    gone.close();
    await sleep(30);
    expect(early.receivedBytes).toBe(0);
    finish();
    const { server } = await starting;
    expect(server.port).toBe(port);
    expect(await early.next()).toBe('OK');
    await until(() => server.connections === 1);
    expect(await early.call('GET', 'k')).toBe('v');
  });

  it('are hung up on when the directory cannot be opened, and the port is free again', async () => {
    const port = await freePort();
    const { openEngine, finish } = slowEngine();
    const dir = join(temporaryDirectory(), 'data');
    const starting = start({ port, dir }, { openEngine });
    const failed = expect(starting).rejects.toThrow('no recovery today');
    await sleep(30);
    const early = await connectEarly(port);
    finish(new Error('no recovery today'));
    await failed;
    await early.closed;
    await expect(RawClient.connect(port)).rejects.toThrow('ECONNREFUSED');
    expect(existsSync(dir)).toBe(false);
  });
});

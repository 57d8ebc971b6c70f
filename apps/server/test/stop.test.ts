import { describe, expect, it, vi } from 'vitest';
import { heldEngine } from './held-engine.js';
import { RawClient } from './raw-client.js';
import { sleep, start, until } from './test-server.js';

describe('an orderly stop', () => {
  it('sends the replies that are due, then closes', async () => {
    const engine = heldEngine();
    const { client, server } = await start({}, { openEngine: (options) => engine.open(options) });
    const a = await client();
    engine.hold();
    a.send('SET', 'k', 'v');
    await until(() => engine.inner.appliedLsn === 1);
    const stopped = server.stop('test');
    await sleep(30);
    expect(a.receivedBytes).toBe(0);
    await engine.letThrough();
    expect(await a.next()).toBe('OK');
    await a.closed;
    await stopped;
    expect(await server.ended).toEqual({ exitCode: 0, reason: 'test' });
  });

  it('accepts nobody any more and runs nothing more', async () => {
    const engine = heldEngine();
    const { client, server } = await start({}, { openEngine: (options) => engine.open(options) });
    const a = await client();
    engine.hold();
    a.send('SET', 'k', 'v');
    await until(() => engine.inner.appliedLsn === 1);
    const stopped = server.stop('test');
    // A process that another thread of the tests is starting may hold the socket until it runs.
    await vi.waitFor(() => expect(RawClient.connect(server.port)).rejects.toThrow('ECONNREFUSED'), {
      timeout: 5_000,
    });
    a.send('SET', 'late', 'v');
    await sleep(30);
    expect(engine.inner.appliedLsn).toBe(1);
    await engine.letThrough();
    expect(await a.next()).toBe('OK');
    await stopped;
  });

  it('gives up on a reader that does not read, in bounded time', async () => {
    const { client, server } = await start({ drainTimeoutMs: 150 });
    const slow = await client();
    await slow.call('SET', 'big', 'x'.repeat(1024 * 1024));
    slow.socket.pause();
    for (let i = 0; i < 64; i++) slow.send('GET', 'big');
    await sleep(50);
    const startMs = performance.now();
    await server.stop('test');
    expect(performance.now() - startMs).toBeLessThan(5_000);
    expect((await server.ended).exitCode).toBe(0);
  });

  it('is one stop however often it is asked for', async () => {
    const { server } = await start();
    await Promise.all([server.stop('first'), server.stop('second')]);
    expect(await server.ended).toEqual({ exitCode: 0, reason: 'first' });
  });

  it('keeps what was acknowledged for the next start', async () => {
    const first = await start();
    const a = await first.client();
    expect(await a.call('SET', 'k', 'kept')).toBe('OK');
    await first.server.stop('test');
    const second = await start({ dir: first.dir });
    expect(await (await second.client()).call('GET', 'k')).toBe('kept');
    expect(second.server.engine.epoch).toBeGreaterThan(first.server.engine.epoch);
  });
});

describe('waiting commands', () => {
  it('hold back their own connection only, and keep its order', async () => {
    const { client } = await start();
    const [saver, other] = [await client(), await client()];
    await saver.call('SET', 'k', 'v'.repeat(100_000));
    saver.send('PING');
    saver.send('SAVE');
    saver.send('GET', 'missing');
    expect(await other.call('PING')).toBe('PONG');
    expect(await saver.next()).toBe('PONG');
    expect(await saver.next()).toBe('OK');
    expect(await saver.next()).toBeNull();
  });

  it('let a reply that came before them leave at once', async () => {
    const { client } = await start();
    const a = await client();
    for (let i = 0; i < 20; i++) {
      a.send('ECHO', `before-${i}`);
      a.send('NENDB', 'STATUS');
      a.send('ECHO', `after-${i}`);
    }
    for (let i = 0; i < 20; i++) {
      expect(await a.next()).toBe(`before-${i}`);
      expect(JSON.parse(String(await a.next())).running).toBe(true);
      expect(await a.next()).toBe(`after-${i}`);
    }
  });
});

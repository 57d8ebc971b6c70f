import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RawClient } from './raw-client.js';
import { sleep, start, type TestServer, temporaryDirectory, until } from './test-server.js';

const MiB = 1024 * 1024;

/** Runs `attack` beside a client that must be served all the while, and returns its slowest reply. */
async function besideHealthyClient(test: TestServer, attack: () => Promise<void>): Promise<number> {
  const healthy = await test.client();
  let slowestMs = 0;
  let attacking = true;
  let served = 0;
  const serve = async () => {
    while (attacking) {
      const startMs = performance.now();
      expect(await healthy.call('SET', 'healthy', String(served))).toBe('OK');
      expect(await healthy.call('GET', 'healthy')).toBe(String(served));
      slowestMs = Math.max(slowestMs, performance.now() - startMs);
      served++;
      await sleep(1);
    }
  };
  const serving = serve();
  await attack();
  attacking = false;
  await serving;
  expect(served).toBeGreaterThan(0);
  return slowestMs;
}

describe('garbage', () => {
  it.each([
    ['*x\r\n', /Protocol error: invalid multibulk length/],
    ['*1048577\r\n', /Protocol error: invalid multibulk length/],
    ['*2147483648\r\n', /Protocol error: invalid multibulk length/],
    ['*1\r\nfoo\r\n', /Protocol error: expected '\$', got 'f'/],
    ['*1\r\n$-1\r\n', /Protocol error: invalid bulk length/],
    ['*1\r\n$536870913\r\n', /Protocol error: invalid bulk length/],
    ['*1\r\n$99999999999999999999\r\n', /Protocol error: invalid bulk length/],
    ['SET "unbalanced\r\n', /Protocol error: unbalanced quotes in request/],
    ['x'.repeat(70_000), /Protocol error: too big inline request/],
    [`*${'1'.repeat(70_000)}`, /Protocol error: too big mbulk count string/],
    [`*1\r\n$${'1'.repeat(70_000)}`, /Protocol error: too big bulk count string/],
  ])('%.40j gets the error Redis gives, and the connection closed', async (bytes, message) => {
    const test = await start();
    const client = await test.client();
    client.write('PING\r\n');
    client.write(bytes);
    expect(await client.next()).toBe('PONG');
    expect(String(await client.next())).toMatch(message);
    await client.closed;
    expect(await (await test.client()).call('PING')).toBe('PONG');
  });

  it('random bytes harm nobody', async () => {
    const test = await start();
    await besideHealthyClient(test, async () => {
      for (let i = 0; i < 60; i++) {
        const client = await RawClient.connect(test.server.port);
        client.write(randomBytes(1 + ((i * 997) % 5000)));
        await Promise.race([client.closed, sleep(5)]);
        client.close();
      }
    });
    await until(() => test.server.connections === 1);
  });

  it('requests cut at every byte, then hung up on, leave nothing behind', async () => {
    const test = await start();
    const request = Buffer.from('*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$5\r\nvalue\r\n');
    for (let cut = 1; cut < request.length; cut++) {
      const client = await RawClient.connect(test.server.port);
      client.write(request.subarray(0, cut));
      client.socket.end();
      await client.closed;
    }
    await until(() => test.server.connections === 0);
    expect(await (await test.client()).call('EXISTS', 'half')).toBe(0);
    expect(test.server.status()).toMatchObject({ wal_health: { applied_lsn: '0' } });
  });
});

describe('memory', () => {
  it('is not taken for what is only declared', async () => {
    const test = await start();
    const before = process.memoryUsage();
    const clients = await Promise.all(Array.from({ length: 100 }, test.client));
    for (const [i, client] of clients.entries()) {
      client.write(
        i % 2 === 0 ? '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nstart' : '*1048576\r\n',
      );
    }
    await besideHealthyClient(test, () => sleep(150));
    const after = process.memoryUsage();
    expect(after.external - before.external).toBeLessThan(32 * MiB);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(16 * MiB);
  });

  it('is bounded for half-sent requests of all clients together', async () => {
    const test = await start({ queryBufferBytesMax: 4 * MiB });
    const clients = await Promise.all(Array.from({ length: 8 }, test.client));
    await besideHealthyClient(test, async () => {
      for (const client of clients) {
        client.write('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000000\r\n');
        client.write(Buffer.alloc(MiB, 'x'));
      }
      await until(() => clients.filter((client) => client.isClosed).length >= 4);
    });
    const survivors = clients.filter((client) => !client.isClosed).length;
    expect(survivors).toBeGreaterThan(0);
    expect(survivors).toBeLessThanOrEqual(4);
    expect(test.log.some(({ msg }) => msg.includes('query buffers of all clients'))).toBe(true);
  });

  it('over that bound, whoever stands still is closed before a large request that is arriving', async () => {
    const test = await start({ queryBufferBytesMax: 4 * MiB });
    const [modest, busy] = [await test.client(), await test.client()];
    modest.write('*2\r\n$4\r\nECHO\r\n$5\r\nhe');
    const still = await Promise.all(Array.from({ length: 3 }, test.client));
    for (const client of still) {
      client.write(`*2\r\n$4\r\nECHO\r\n$${MiB}\r\n`);
      client.write(Buffer.alloc(MiB - 1, 'x'));
      await sleep(20);
    }
    const bytes = 2 * MiB;
    busy.write(`*2\r\n$4\r\nECHO\r\n$${bytes}\r\n`);
    for (let sent = 0; sent < bytes; sent += bytes / 8) {
      busy.write(Buffer.alloc(bytes / 8, 'y'));
      await sleep(5);
    }
    busy.write('\r\n');
    expect(await busy.next()).toBe('y'.repeat(bytes));
    await still[0].closed;
    modest.write('llo\r\n');
    expect(await modest.next(), 'who holds little is spared').toBe('hello');
    expect(still[2].isClosed).toBe(false);
  });

  it('over that bound, those that have not authenticated are closed first', async () => {
    const file = join(temporaryDirectory(), 'password');
    writeFileSync(file, 'secret\n', { mode: 0o600 });
    const test = await start({ requirepassFile: file, queryBufferBytesMax: 128 * 1024 });
    const owner = await test.client();
    expect(await owner.call('AUTH', 'secret')).toBe('OK');
    owner.write('*2\r\n$4\r\nECHO\r\n$100000\r\n');
    owner.write(Buffer.alloc(99_999, 'x'));
    await sleep(20);
    const strangers = await Promise.all(Array.from({ length: 6 }, test.client));
    for (const stranger of strangers) {
      stranger.write('*2\r\n$4\r\nAUTH\r\n$16000\r\n');
      stranger.write(Buffer.alloc(15_000, 'x'));
    }
    await until(() => strangers.filter((stranger) => stranger.isClosed).length >= 4);
    owner.write('x\r\n');
    expect(await owner.next()).toBe('x'.repeat(100_000));
  });

  it('counts what clients queue in MULTI', async () => {
    const test = await start({ queryBufferBytesMax: 4 * MiB });
    const [hoarder, modest] = [await test.client(), await test.client()];
    for (const client of [hoarder, modest]) expect(await client.call('MULTI')).toBe('OK');
    expect(await modest.call('SET', 'k', 'x')).toBe('QUEUED');
    const value = Buffer.alloc(MiB, 'x');
    for (let i = 0; i < 8; i++) hoarder.send('SET', `k${i}`, value);
    await hoarder.closed;
    expect(await modest.call('EXEC')).toEqual(['OK']);
  });

  it('is bounded for a reader that does not read: its own requests wait', async () => {
    const pause = MiB;
    const test = await start({ outputPauseBytes: pause });
    const slow = await test.client();
    const value = 'x'.repeat(256 * 1024);
    expect(await slow.call('SET', 'big', value)).toBe('OK');
    slow.socket.pause();
    const requests = 400;
    for (let i = 0; i < requests; i++) slow.send('GET', 'big');
    const slowestMs = await besideHealthyClient(test, () => sleep(200));
    expect(slowestMs).toBeLessThan(5_000);
    const info = String(await (await test.client()).call('CLIENT', 'LIST'));
    const waiting = [...info.matchAll(/ omem=(\d+)/g)].map(([, bytes]) => Number(bytes));
    expect(Math.max(...waiting)).toBeGreaterThan(pause / 2);
    expect(Math.max(...waiting)).toBeLessThan(pause + 2 * value.length);
    slow.socket.resume();
    for (let i = 0; i < requests; i++) expect(await slow.next()).toBe(value);
  });

  it('closes a client whose replies exceed the output limit', async () => {
    const test = await start({ outputPauseBytes: MiB, outputBufferBytesMax: 2 * MiB });
    const client = await test.client();
    const value = 'x'.repeat(1024 * 1024);
    await client.call('SET', 'big', value);
    client.socket.pause();
    client.send('MGET', ...Array<string>(64).fill('big'));
    client.send('PING');
    await until(() => test.server.connections === 0);
    expect(test.log.some(({ msg }) => msg.includes('--output-buffer-bytes-max'))).toBe(true);
  });
});

describe('many connections', () => {
  it('a thousand idle clients cost little, and a busy one is served', async () => {
    const test = await start();
    const before = process.memoryUsage().heapUsed;
    const idle: RawClient[] = [];
    for (let batch = 0; batch < 10; batch++) {
      idle.push(...(await Promise.all(Array.from({ length: 100 }, test.client))));
    }
    await until(() => test.server.connections === 1_000);
    await besideHealthyClient(test, () => sleep(100));
    // Both ends of each connection live in this process.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * MiB);
    expect(await idle[500].call('PING')).toBe('PONG');
  });

  it('over the limit a client gets the error Redis gives', async () => {
    const test = await start({ clientsMax: 2 });
    const [a] = [await test.client(), await test.client()];
    const third = await test.client();
    expect(String(await third.next())).toContain('max number of clients reached');
    await third.closed;
    expect(await a.call('PING')).toBe('PONG');
    a.close();
    await until(() => test.server.connections === 1);
    expect(await (await test.client()).call('PING')).toBe('PONG');
    expect(test.server.status()).toMatchObject({ server: { clients_rejected: 1 } });
  });
});

describe('timeouts', () => {
  it('close a client whose half-sent request stands still, not one that is idle', async () => {
    const test = await start({ requestTimeoutMs: 80 });
    const [half, idle] = [await test.client(), await test.client()];
    half.write('*2\r\n$4\r\nECHO\r\n$5\r\nhe');
    await half.closed;
    expect(await idle.call('PING')).toBe('PONG');
  });

  it('spare a request that arrives slowly but steadily', async () => {
    const test = await start({ requestTimeoutMs: 400 });
    const client = await test.client();
    const startMs = performance.now();
    for (const byte of 'ECHO slowly-but-steadily\r\n') {
      client.write(byte);
      await sleep(25);
    }
    expect(performance.now() - startMs).toBeGreaterThan(400);
    expect(await client.next()).toBe('slowly-but-steadily');
  });

  it('close an idle client where that is asked for', async () => {
    const test = await start({ idleTimeoutMs: 300 });
    const client = await test.client();
    expect(await client.call('PING')).toBe('PONG');
    await client.closed;
    expect(test.server.status()).toMatchObject({ server: { clients_evicted: 1 } });
  });
});

describe('half-closed connections', () => {
  it('get the replies they asked for before they stopped sending', async () => {
    const test = await start();
    const client = await test.client();
    client.send('SET', 'k', 'v');
    client.send('GET', 'k');
    client.socket.end();
    expect(await client.next()).toBe('OK');
    expect(await client.next()).toBe('v');
    await client.closed;
  });

  it('QUIT answers and closes, and what follows it is not run', async () => {
    const test = await start();
    const client = await test.client();
    client.send('QUIT');
    client.send('SET', 'k', 'v');
    expect(await client.next()).toBe('OK');
    await client.closed;
    expect(await (await test.client()).call('EXISTS', 'k')).toBe(0);
  });
});

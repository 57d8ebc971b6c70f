import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { start } from './test-server.js';

/** What both libraries are put through, whatever they call it. */
interface Client {
  send(...args: string[]): Promise<unknown>;
}

async function ioredis(port: number, protocol: 2 | 3): Promise<Client & { redis: Redis }> {
  const redis = new Redis({ port, host: '127.0.0.1', protocol, lazyConnect: true } as never);
  onTestFinished(() => redis.disconnect());
  await redis.connect();
  return { redis, send: (name, ...args) => redis.call(name, ...args) };
}

async function nodeRedis(port: number, RESP: 2 | 3) {
  const client = createClient({ url: `redis://127.0.0.1:${port}`, RESP });
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.destroy());
  return { client, send: (...args: string[]) => client.sendCommand(args) as Promise<unknown> };
}

const libraries = [
  ['ioredis, RESP2', (port: number) => ioredis(port, 2)],
  ['ioredis, RESP3', (port: number) => ioredis(port, 3)],
  ['node-redis, RESP2', (port: number) => nodeRedis(port, 2)],
  ['node-redis, RESP3', (port: number) => nodeRedis(port, 3)],
] as const;

describe.each(libraries)('%s', (_name, connect: (port: number) => Promise<Client>) => {
  it('runs the commands of every family', async () => {
    const { server } = await start();
    const { send } = await connect(server.port);
    expect(await send('PING')).toBe('PONG');
    expect(await send('ECHO', 'hé')).toBe('hé');
    expect(await send('SELECT', '3')).toBe('OK');
    expect(await send('SET', 'k', 'v', 'EX', '100')).toBe('OK');
    expect(await send('SET', 'k', 'w', 'NX')).toBeNull();
    expect(await send('SET', 'k', 'w', 'XX', 'GET', 'KEEPTTL')).toBe('v');
    expect(await send('TTL', 'k')).toBeGreaterThan(98);
    expect(await send('PERSIST', 'k')).toBe(1);
    expect(await send('TTL', 'k')).toBe(-1);
    expect(await send('MSET', 'a', '1', 'b', '2')).toBe('OK');
    expect(await send('MGET', 'a', 'missing', 'b')).toEqual(['1', null, '2']);
    expect(await send('INCR', 'a')).toBe(2);
    expect(await send('DECRBY', 'a', '5')).toBe(-3);
    expect(await send('HSET', 'h', 'f', '1', '__proto__', '2')).toBe(2);
    expect(await send('HGET', 'h', '__proto__')).toBe('2');
    expect(await send('HDEL', 'h', '__proto__')).toBe(1);
    expect(await send('TYPE', 'h')).toBe('hash');
    expect(await send('DBSIZE')).toBe(4);
    expect(await send('EXISTS', 'a', 'b', 'nope')).toBe(2);
    expect(await send('DEL', 'a', 'b')).toBe(2);
    expect(await send('SCAN', '0', 'COUNT', '100')).toEqual([
      '0',
      expect.arrayContaining(['k', 'h']),
    ]);
    expect(await send('FLUSHDB')).toBe('OK');
    expect(await send('DBSIZE')).toBe(0);
    await expect(send('GET')).rejects.toThrow("wrong number of arguments for 'get' command");
    await expect(send('NOSUCH', 'x')).rejects.toThrow("unknown command 'NOSUCH'");
  });

  it('answers what libraries ask about the server', async () => {
    const { server, dir } = await start();
    const { send } = await connect(server.port);
    const info = String(await send('INFO'));
    expect(info).toContain('redis_version:7.4.0');
    expect(info).toContain('nendb_version:');
    expect(info).toContain(`tcp_port:${server.port}`);
    expect(info).toMatch(/connected_clients:1\r\n/);
    expect(info).toContain('maxmemory_policy:noeviction');
    expect(await send('CLIENT', 'SETNAME', 'me')).toBe('OK');
    expect(await send('CLIENT', 'GETNAME')).toBe('me');
    expect(await send('CLIENT', 'ID')).toBeGreaterThan(0);
    expect(await send('COMMAND', 'COUNT')).toBeGreaterThan(60);
    expect(JSON.stringify(await send('CONFIG', 'GET', 'dir'))).toContain(JSON.stringify(dir));
    const status = JSON.parse(String(await send('NENDB', 'STATUS')));
    expect(status).toMatchObject({
      running: true,
      server: { address: server.url, clients_connected: 1, sync: 'always' },
    });
  });

  it('runs a transaction', async () => {
    const { server } = await start();
    const { send } = await connect(server.port);
    expect(await send('MULTI')).toBe('OK');
    expect(await send('SET', 'x', '5')).toBe('QUEUED');
    expect(await send('INCR', 'x')).toBe('QUEUED');
    expect(await send('EXEC')).toEqual(['OK', 6]);
    expect(await send('MULTI')).toBe('OK');
    expect(await send('DEL', 'x')).toBe('QUEUED');
    expect(await send('DISCARD')).toBe('OK');
    expect(await send('GET', 'x')).toBe('6');
  });
});

describe('pipelines and helpers of the libraries', () => {
  it('ioredis: a pipeline of a thousand, MULTI, binary values', async () => {
    const { server } = await start();
    const { redis } = await ioredis(server.port, 2);
    const pipeline = redis.pipeline();
    for (let i = 0; i < 1000; i++) pipeline.set(`k${i}`, i);
    for (let i = 0; i < 1000; i++) pipeline.get(`k${i}`);
    const results = (await pipeline.exec()) ?? [];
    expect(results).toHaveLength(2000);
    expect(results.every(([error]) => error === null)).toBe(true);
    expect(results[1999][1]).toBe('999');
    expect(await redis.multi().incr('n').hset('h', { a: '1' }).exec()).toEqual([
      [null, 1],
      [null, 1],
    ]);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await redis.set('bytes', bytes);
    expect(await redis.getBuffer('bytes')).toEqual(bytes);
    expect(await redis.hgetall('h')).toEqual({ a: '1' });
  });

  it.each([2, 3] as const)(
    'node-redis, RESP%i: parallel calls, multi, hashes, scan',
    async (resp) => {
      const { server } = await start();
      const { client } = await nodeRedis(server.port, resp);
      await Promise.all(Array.from({ length: 500 }, (_, i) => client.set(`k${i}`, `v${i}`)));
      expect(await client.get('k499')).toBe('v499');
      expect(await client.multi().set('m', '1').incr('m').get('m').exec()).toEqual(['OK', 2, '2']);
      await client.hSet('h', { a: '1', b: '2' });
      expect({ ...(await client.hGetAll('h')) }).toEqual({ a: '1', b: '2' });
      const keys: string[] = [];
      for await (const batch of client.scanIterator({ MATCH: 'k*', COUNT: 100 }))
        keys.push(...batch);
      expect(new Set(keys).size).toBe(500);
    },
  );

  it('HELLO: a connection changes its protocol', async () => {
    const { client } = await start();
    const raw = await client();
    await raw.call('HSET', 'h', 'f', 'v');
    expect(await raw.call('HGETALL', 'h')).toEqual(['f', 'v']);
    const hello = await raw.call('HELLO', '3');
    expect(hello).toBeInstanceOf(Map);
    expect((hello as Map<string, unknown>).get('proto')).toBe(3);
    expect(await raw.call('HGETALL', 'h')).toEqual(new Map([['f', 'v']]));
  });
});

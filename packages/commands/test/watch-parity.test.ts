/**
 * WATCH against a real redis-server 7: several clients of each, the same commands in the same order,
 * the same replies byte for byte. Skips visibly where there is no redis-server.
 *
 * Left out is what Redis calls a modification though nothing is modified: SET with a time in the past of a
 * key that is missing.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from './harness/database.js';
import { DirectLink } from './harness/direct-link.js';
import { type RedisLink, RedisPeer, redisInstalled } from './harness/redis.js';
import { FIXED_SEED, rotatingSeed } from './harness/seeds.js';

const CLIENTS = 3;
const NULL_ARRAYS = ['*-1\r\n', '_\r\n'];

const key = fc.constantFrom('a', 'b', 'c');
const line = (...parts: (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> =>
  fc
    .tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part)))
    .map((words) => words.join(' '));

const anyLine = fc.oneof(
  { weight: 6, arbitrary: line('WATCH', key) },
  { weight: 2, arbitrary: line('WATCH', key, key) },
  { weight: 1, arbitrary: line(fc.constantFrom('UNWATCH', 'DISCARD', 'NOSUCH', 'EXEC extra')) },
  { weight: 6, arbitrary: line('MULTI') },
  { weight: 8, arbitrary: line('EXEC') },
  { weight: 3, arbitrary: line(fc.constantFrom('SET', 'SETNX', 'GETSET', 'APPEND'), key, '1') },
  {
    weight: 4,
    arbitrary: line(fc.constantFrom('GET', 'DEL', 'GETDEL', 'INCR', 'PERSIST', 'UNLINK'), key),
  },
  { weight: 1, arbitrary: line('EXPIRE', key, fc.constantFrom('100', '-1')) },
  { weight: 2, arbitrary: line(fc.constantFrom('RENAME', 'RENAMENX', 'COPY'), key, key) },
  { weight: 1, arbitrary: line('MOVE', key, '1') },
  { weight: 1, arbitrary: line('GETEX', key, fc.constantFrom('EX 100', 'PERSIST')) },
  { weight: 1, arbitrary: line(fc.constantFrom('SETBIT', 'SETRANGE'), key, '3', '1') },
  { weight: 1, arbitrary: line('INCRBYFLOAT', key, '0') },
  { weight: 1, arbitrary: line('MSET', key, '1', key, '2') },
  { weight: 1, arbitrary: line('HSET', key, 'f', '1') },
  { weight: 1, arbitrary: line('HDEL', key, 'f') },
  { weight: 1, arbitrary: line(fc.constantFrom('FLUSHDB', 'FLUSHALL')) },
  { weight: 2, arbitrary: line('SWAPDB', fc.constantFrom('0 1', '1 0', '0 0', '0 2')) },
  { weight: 2, arbitrary: line('SELECT', fc.constantFrom('0', '0', '1')) },
);

describe.skipIf(!redisInstalled)('WATCH does as redis-server does', () => {
  let redis: RedisPeer;
  let database: Database;
  let theirs: RedisLink[] = [];
  let ours: DirectLink[] = [];
  const seen = { nulls: 0, arrays: 0 };

  beforeAll(async () => {
    redis = await RedisPeer.start(['--enable-debug-command', 'yes']);
    database = await Database.open({ activeExpiry: false });
    const link = await redis.connect();
    await link.ask(['DEBUG', 'SET-ACTIVE-EXPIRE', '0']);
    link.close();
  });

  afterAll(async () => {
    for (const link of theirs) link.close();
    await redis?.stop();
    await database?.close();
  });

  /** New clients of both, which speak `protocol`, and nothing in the databases. */
  async function begin(protocol: 2 | 3): Promise<void> {
    for (const link of theirs) link.close();
    for (const link of ours) link.session.end();
    theirs = await Promise.all(Array.from({ length: CLIENTS }, () => redis.connect()));
    ours = Array.from({ length: CLIENTS }, () => new DirectLink(database.dispatcher));
    for (const link of [...theirs, ...ours]) await link.ask(['HELLO', protocol]);
    for (const link of [theirs[0], ours[0]]) await link.ask(['FLUSHALL']);
  }

  async function compare(client: number, text: string): Promise<string> {
    const args = text.split(' ');
    const expected = (await theirs[client].ask(args)).bytes.toString('latin1');
    const reply = (await ours[client].ask(args)).bytes.toString('latin1');
    expect(reply, `client ${client}: ${text}`).toBe(expected);
    if (text === 'EXEC' && NULL_ARRAYS.includes(reply)) seen.nulls++;
    else if (text === 'EXEC' && reply.startsWith('*')) seen.arrays++;
    return reply;
  }

  /** Lines begin with the client's number. */
  async function compareAll(...lines: string[]): Promise<string[]> {
    const replies: string[] = [];
    for (const each of lines) replies.push(await compare(Number(each[0]), each.slice(2)));
    return replies;
  }

  const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  for (const protocol of [2, 3] as const) {
    it(`when a key ends after it was watched, RESP${protocol}`, async () => {
      await begin(protocol);
      await compareAll('0 SET k v PX 700', '0 WATCH k', '0 MULTI', '0 GET k');
      await sleep(800);
      expect(NULL_ARRAYS).toContain(await compare(0, 'EXEC'));
    });

    it(`when a key had ended before, and is looked at or not, RESP${protocol}`, async () => {
      for (const between of [[], ['1 GET k'], ['1 DEL k'], ['1 SWAPDB 0 1'], ['1 FLUSHALL']]) {
        await begin(protocol);
        await compareAll('0 SET k v PX 1');
        await sleep(10);
        await compareAll('0 WATCH k', ...between, '0 MULTI', '0 PING');
        expect(await compare(0, 'EXEC'), `${between}`).toBe('*1\r\n+PONG\r\n');
      }
    });

    it(`when a key that had ended before is set again, RESP${protocol}`, async () => {
      await begin(protocol);
      await compareAll('0 SET k v PX 1');
      await sleep(10);
      await compareAll('0 WATCH k', '1 SET k w', '0 MULTI');
      expect(NULL_ARRAYS).toContain(await compare(0, 'EXEC'));
    });
  }

  it.each([
    ['fixed', FIXED_SEED],
    ['rotating', rotatingSeed('watch-parity')],
  ])('in random histories of three clients (%s seed)', async (_name, seed) => {
    seen.nulls = 0;
    seen.arrays = 0;
    const step = fc.tuple(fc.nat(CLIENTS - 1), anyLine);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<2 | 3>(2, 3),
        fc.array(step, { minLength: 80, maxLength: 80 }),
        async (protocol, steps) => {
          await begin(protocol);
          for (const [client, text] of steps) await compare(client, text);
        },
      ),
      { seed, numRuns: 60, endOnFailure: true },
    );
    expect(seen.nulls).toBeGreaterThan(50);
    expect(seen.arrays).toBeGreaterThan(50);
  });
});

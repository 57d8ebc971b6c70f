import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Dispatcher, LocalHost } from '../src/index.js';
import { Database, plain } from './harness/database.js';
import { DirectLink } from './harness/direct-link.js';

/** A host whose clock jumps: each look at it costs `stepMs`. */
class SlowHost extends LocalHost {
  stepMs = 0;
  #nowMs = 1_700_000_000_000;

  override wallMs(): number {
    this.#nowMs += this.stepMs;
    return this.#nowMs;
  }
}

describe('what the server observes of its commands', () => {
  let database: Database;
  let host: SlowHost;
  let link: DirectLink;

  beforeEach(async () => {
    database = await Database.open();
    host = new SlowHost({ engine: database.engine });
    const dispatcher = new Dispatcher({ engine: database.engine, host, debugAllowed: true });
    link = new DirectLink(dispatcher, { address: '10.0.0.1:5000' });
    link.session.name = 'tester';
    await link.ask(['HELLO', 3]);
  });

  afterEach(() => database.close());

  const run = async (...words: (string | number)[]): Promise<unknown> =>
    plain((await link.ask(words)).value);
  const say = (line: string) => run(...line.split(' '));

  async function slowly(ms: number, line: string): Promise<unknown> {
    host.stepMs = ms;
    const reply = await say(line);
    host.stepMs = 0;
    return reply;
  }

  it('SLOWLOG has what took long, the newest first, up to a length', async () => {
    await say('SET k v');
    await slowly(10, 'GET k');
    await slowly(25.5, 'SET k w');
    expect(await say('SLOWLOG LEN')).toBe(2);
    expect(await say('SLOWLOG GET')).toEqual([
      [1, expect.any(Number), 25_500, ['SET', 'k', 'w'], '10.0.0.1:5000', 'tester'],
      [0, expect.any(Number), 10_000, ['GET', 'k'], '10.0.0.1:5000', 'tester'],
    ]);
    expect(await say('SLOWLOG GET 1')).toHaveLength(1);
    expect(await say('SLOWLOG GET -1')).toHaveLength(2);
    await say('CONFIG SET slowlog-max-len 1');
    await slowly(11, 'PING');
    expect(await say('SLOWLOG GET')).toEqual([expect.arrayContaining([2, ['PING']])]);
    await say('CONFIG SET slowlog-log-slower-than -1');
    await slowly(1_000, 'PING');
    expect(await say('SLOWLOG LEN')).toBe(1);
    expect(await say('SLOWLOG RESET')).toBe('OK');
    expect(await say('SLOWLOG GET')).toEqual([]);
  });

  it('SLOWLOG cuts long requests, and never has a password', async () => {
    host.stepMs = 20;
    await run('MSET', ...Array.from({ length: 100 }, (_, i) => `word${i}`));
    await run('SET', 'k', 'x'.repeat(1_000));
    await run('AUTH', 'default', 'secret');
    await run('HELLO', '3', 'AUTH', 'default', 'secret');
    host.stepMs = 0;
    const entries = (await say('SLOWLOG GET')) as unknown[][];
    const words = entries.map((entry) => entry[3] as string[]);
    expect(words[0]).toEqual(['HELLO', ...Array(4).fill('(redacted)')]);
    expect(words[1]).toEqual(['AUTH', '(redacted)', '(redacted)']);
    expect(words[2][2]).toBe(`${'x'.repeat(128)}... (872 more bytes)`);
    expect(words[3]).toHaveLength(32);
    expect(words[3].at(-1)).toBe('... (70 more arguments)');
    expect(JSON.stringify(entries)).not.toContain('secret');
  });

  it('commands inside EXEC are timed each by itself', async () => {
    await say('MULTI');
    await say('SET k v');
    await say('GET k');
    await slowly(15, 'EXEC');
    const entries = (await say('SLOWLOG GET')) as unknown[][];
    expect(entries.map((entry) => entry[3])).toEqual([
      ['GET', 'k'],
      ['SET', 'k', 'v'],
    ]);
  });

  it('LATENCY keeps what took longer than its threshold, by second', async () => {
    await slowly(500, 'GET k');
    expect(await say('LATENCY LATEST')).toEqual([]);
    expect(await say('LATENCY DOCTOR')).toMatchObject({
      text: expect.stringMatching(/latency-monitor-threshold/),
    });
    await say('CONFIG SET latency-monitor-threshold 100');
    expect(await say('LATENCY DOCTOR')).toMatchObject({ text: expect.stringMatching(/100 ms/) });
    await slowly(99, 'GET k');
    await slowly(2_000, 'GET k');
    await slowly(3_000, 'GET k');
    await slowly(150, 'KEYS *');
    expect(await say('LATENCY LATEST')).toEqual([
      ['fast-command', expect.any(Number), 3_000, 3_000],
      ['command', expect.any(Number), 150, 150],
    ]);
    const history = (await say('LATENCY HISTORY fast-command')) as number[][];
    expect(history.map(([, ms]) => ms)).toEqual([2_000, 3_000]);
    expect(await say('LATENCY GRAPH fast-command')).toMatchObject({
      text: /high 3000 ms, low 2000/,
    });
    expect(await say('LATENCY DOCTOR')).toMatchObject({
      text: expect.stringMatching(/2 spikes, 2500 ms on average/),
    });
    expect(await say('LATENCY RESET nosuch command')).toBe(1);
    expect(await say('LATENCY RESET')).toBe(1);
    expect(await say('LATENCY LATEST')).toEqual([]);
  });

  it('LATENCY HISTOGRAM counts calls by powers of two of microseconds', async () => {
    for (const ms of [0.0005, 0.003, 0.003, 1]) await slowly(ms, 'GET k');
    await slowly(0.01, 'CLIENT ID');
    expect(await say('LATENCY HISTOGRAM get nosuch client')).toEqual([
      [
        'get',
        [
          ['calls', 4],
          [
            'histogram_usec',
            [
              [2, 1],
              [4, 3],
              [1024, 4],
            ],
          ],
        ],
      ],
      [
        'client|id',
        [
          ['calls', 1],
          ['histogram_usec', [[16, 1]]],
        ],
      ],
    ]);
    await say('CONFIG RESETSTAT');
    expect(await say('LATENCY HISTOGRAM get')).toEqual([]);
  });

  it('MEMORY USAGE grows with what a key holds', async () => {
    await run('SET', 'small', 'v');
    await run('SET', 'large', 'v'.repeat(10_000));
    await run('HSET', 'h', ...Array.from({ length: 2_000 }, (_, i) => `word${i}`));
    const [small, large, hash] = await Promise.all(
      ['small', 'large', 'h'].map((key) => run('MEMORY', 'USAGE', key)),
    );
    expect(small).toBeGreaterThan(5);
    expect(large).toBeGreaterThan(10_000);
    expect(hash).toBeGreaterThan(2_000 * 5);
    const all = Number(await run('MEMORY', 'USAGE', 'h', 'SAMPLES', 0));
    expect(Math.abs(Number(hash) - all) / all).toBeLessThan(0.1);
    const stats = new Map((await say('MEMORY STATS')) as [string, number][]);
    expect(stats.get('keys.count')).toBe(3);
    expect(stats.get('dataset.bytes')).toBeGreaterThan(10_000);
    expect(await say('MEMORY DOCTOR')).toMatchObject({
      text: expect.stringMatching(/No memory problem/),
    });
    expect(await say('MEMORY MALLOC-STATS')).toMatchObject({
      text: expect.stringMatching(/runtime/),
    });
  });

  it('ROLE, WAIT and WAITAOF of a server without replicas', async () => {
    await say('SET k v');
    expect(await say('ROLE')).toEqual(['master', database.engine.appliedLsn, []]);
    expect(await say('WAIT 1 0')).toBe(0);
    expect(await say('WAITAOF 0 0 0')).toEqual([expect.any(Number), 0]);
    expect(await say('WAITAOF 2 0 0')).toBe('-ERR value is out of range');
    expect(await say('WAITAOF 1 0 -1')).toBe('-ERR timeout is negative');
    const strict = await Database.open({ sync: 'always' });
    const client = strict.client();
    await client.run('SET k v');
    expect(await client.run('WAITAOF 1 0 0')).toEqual([1, 0]);
    await strict.close();
  });

  it('DEBUG runs only where it was allowed', async () => {
    expect(plain((await new DirectLink(database.dispatcher).ask(['DEBUG', 'HELP'])).value)).toMatch(
      /^-ERR DEBUG command not allowed/,
    );
    await say('HSET h f v');
    expect(await say('DEBUG OBJECT h')).toMatch(/^Value type:hash length:1 expireAtMs:0 lsn:\d+$/);
    expect(await say('DEBUG OBJECT none')).toBe('-ERR no such key');
    expect(await say('DEBUG NOSUCH')).toMatch(/Try DEBUG HELP/);
    for (const protocol of ['2', '3']) {
      await say(`HELLO ${protocol}`);
      for (const type of ['string', 'double', 'null', 'set', 'map', 'verbatim', 'true', 'false']) {
        expect(String(await say(`DEBUG PROTOCOL ${type}`)), type).not.toMatch(/^-/);
      }
    }
    expect(await say('DEBUG PROTOCOL nosuch')).toMatch(/Wrong protocol type name/);
  });

  it('LOLWUT ends with the versions', async () => {
    const { text } = (await say('LOLWUT')) as { text: string };
    expect(text.split('\n')).toHaveLength(13);
    expect(text).toMatch(/Redis ver\. \S+, NenDB ver\. \S+\n$/);
  });
});

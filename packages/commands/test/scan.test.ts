import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalHost } from '../src/index.js';
import { PATTERN_BYTES_MAX, SCAN_COUNT_MAX } from '../src/limits.js';
import { type Client, Database } from './harness/database.js';
import { withMembers } from './harness/held-engine.js';

const KEYS = 1_000;

describe('walking through the keys', () => {
  let database: Database;
  let client: Client;

  beforeAll(async () => {
    database = await Database.open();
    client = database.client();
    const pairs = Array.from({ length: KEYS }, (_, i) => [`key:${i}`, i]).flat();
    await client.args('MSET', ...pairs);
    for (let i = 0; i < 10; i++) await client.run(`HSET hash:${i} f v`);
  });

  afterAll(() => database.close());

  async function scanAll(...options: string[]): Promise<string[]> {
    const found: string[] = [];
    let cursor = '0';
    do {
      const reply = (await client.args('SCAN', cursor, ...options)) as [string, string[]];
      cursor = reply[0];
      found.push(...reply[1]);
    } while (cursor !== '0');
    return found;
  }

  it.each(['1', '7', '100', '100000'])('SCAN COUNT %s meets every key', async (count) => {
    const found = await scanAll('COUNT', count);
    expect(new Set(found).size).toBe(KEYS + 10);
  });

  it('SCAN MATCH and TYPE leave out what does not match, and go on', async () => {
    expect(new Set(await scanAll('MATCH', 'key:99?')).size).toBe(10);
    expect(new Set(await scanAll('TYPE', 'HASH')).size).toBe(10);
    expect(new Set(await scanAll('TYPE', 'hash', 'MATCH', '*:[1-3]')).size).toBe(3);
    expect(await scanAll('TYPE', 'stream')).toEqual([]);
  });

  it('COUNT is bounded, however large it is', async () => {
    const counts: number[] = [];
    const engine = withMembers(database.engine, {
      begin() {
        const transaction = database.engine.begin();
        const scan: typeof transaction.scan = (number, cursor, count, visit) => {
          counts.push(count);
          return transaction.scan(number, cursor, count, visit);
        };
        return Object.create(transaction, { scan: { value: scan } }) as typeof transaction;
      },
    });
    const counting = new Database(engine, new LocalHost({ engine }), database.dir).client();
    await counting.run(`SCAN 0 COUNT ${Number.MAX_SAFE_INTEGER}`);
    expect(counts).toEqual([SCAN_COUNT_MAX]);
  });

  it('KEYS finds all, in steps', async () => {
    expect((await client.run('KEYS *')) as string[]).toHaveLength(KEYS + 10);
    expect((await client.run('KEYS hash:*')) as string[]).toHaveLength(10);
  });

  it('sees what its own transaction has staged', async () => {
    await client.run('MULTI');
    for (const line of ['SELECT 5', 'SET staged 1', 'KEYS *', 'SCAN 0', 'FLUSHDB', 'KEYS *']) {
      await client.run(line);
    }
    expect(await client.run('EXEC')).toEqual(['OK', 'OK', ['staged'], ['0', ['staged']], 'OK', []]);
    await client.run('SELECT 0');
  });

  it('patterns are bounded', async () => {
    const long = '*a'.repeat(PATTERN_BYTES_MAX);
    for (const args of [
      ['KEYS', long],
      ['SCAN', '0', 'MATCH', long],
      ['CONFIG', 'GET', long],
      ['COMMAND', 'LIST', 'FILTERBY', 'PATTERN', long],
    ]) {
      expect(await client.args(...args)).toMatch(/^-ERR pattern is longer than/);
    }
  });

  it('large hashes come whole', async () => {
    const fields = Array.from({ length: 5_000 }, (_, i) => [`f${i}`, i]).flat();
    await client.args('HSET', 'large', ...fields);
    expect((await client.run('HGETALL large')) as unknown[]).toHaveLength(5_000);
    expect(new Set((await client.run('HKEYS large')) as string[]).size).toBe(5_000);
    expect((await client.run('HVALS large')) as string[]).toHaveLength(5_000);
    expect(await client.run('HLEN large')).toBe(5_000);
    await client.run('DEL large');
  });
});

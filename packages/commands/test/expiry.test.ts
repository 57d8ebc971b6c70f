import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalHost } from '../src/index.js';
import { type Client, Database } from './harness/database.js';
import { withMembers } from './harness/held-engine.js';

const FAR_MS = 4_000_000_000_000;

describe('keys that end', () => {
  let database: Database;
  let client: Client;

  beforeEach(async () => {
    database = await Database.open({ activeExpiry: false });
    client = database.client();
  });

  afterEach(() => database.close());

  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  it('are gone when their time has come, for every command', async () => {
    await client.run('SET k v PX 250');
    await client.run('HSET h f v');
    await client.run('PEXPIRE h 250');
    expect(await client.run('EXISTS k h')).toBe(2);
    await sleep(270);
    expect(await client.run('GET k')).toBeNull();
    expect(await client.run('HGET h f')).toBeNull();
    expect(await client.run('HGETALL h')).toEqual([]);
    expect(await client.run('TYPE h')).toBe('none');
    expect(await client.run('TTL k')).toBe(-2);
    expect(await client.run('KEYS *')).toEqual([]);
    expect(await client.run('SCAN 0')).toEqual(['0', []]);
    expect(await client.run('DEL k h')).toBe(0);
    expect(await client.run('PERSIST k')).toBe(0);
    expect(await client.run('SETNX k w')).toBe(1);
    expect(await client.run('HSET h g w')).toBe(1);
    expect(await client.run('HGETALL h')).toEqual([['g', 'w']]);
    expect(await client.run('TTL h')).toBe(-1);
  });

  it.each([
    ['INCR k', true],
    ['INCRBY k 5', true],
    ['INCRBY k 9007199254740991', true],
    ['APPEND k 1', true],
    ['SET k 1 KEEPTTL', true],
    ['SET k 1', false],
    ['GETSET k 1', false],
    ['MSET k 1', false],
    ['PERSIST k', false],
  ])('%s keeps the time: %s', async (line, keeps) => {
    await client.run(`SET k 7 PXAT ${FAR_MS}`);
    await client.run(line);
    expect(await client.run('PEXPIRETIME k')).toBe(keeps ? FAR_MS : -1);
  });

  it('HSET, HINCRBY and HDEL keep the time of the hash', async () => {
    await client.run('HSET h f 1 g 2');
    await client.run(`PEXPIREAT h ${FAR_MS}`);
    for (const line of ['HSET h f 2', 'HINCRBY h n 1', 'HDEL h g']) await client.run(line);
    expect(await client.run('PEXPIRETIME h')).toBe(FAR_MS);
  });

  it('R1: the log gets absolute times, whatever the command said', async () => {
    const nowMs = 1_700_000_000_000;
    const engine = withMembers(database.engine, {
      begin() {
        const transaction = database.engine.begin();
        return Object.assign(transaction, { nowMs });
      },
    });
    const frozen = new Database(engine, new LocalHost({ engine }), database.dir).client();
    const expected: [string, number][] = [
      ['SET k v EX 100', nowMs + 100_000],
      ['SET k v PX 100', nowMs + 100],
      ['SET k v EXAT 1800000000', 1_800_000_000_000],
      ['SETEX k 7 v', nowMs + 7_000],
      ['PSETEX k 7 v', nowMs + 7],
      ['EXPIRE k 9', nowMs + 9_000],
      ['PEXPIRE k 9', nowMs + 9],
    ];
    for (const [line, atMs] of expected) {
      await frozen.run(line);
      expect(await frozen.run('PEXPIRETIME k'), line).toBe(atMs);
    }
    await frozen.run('PEXPIRE k 1499');
    expect(await frozen.run('TTL k'), 'rounded to the nearest').toBe(1);
    await frozen.run('PEXPIRE k 1500');
    expect(await frozen.run('TTL k')).toBe(2);
    expect(await frozen.run('PTTL k')).toBe(1_500);
  });

  it('times beyond what the formats hold are refused', async () => {
    await client.run('SET k v');
    const tooLate = '9007199254740992';
    expect(await client.run(`PEXPIREAT k ${tooLate}`)).toBe(
      "-ERR invalid expire time in 'pexpireat' command",
    );
    expect(await client.run(`SET k w PXAT ${tooLate}`)).toBe(
      "-ERR invalid expire time in 'set' command",
    );
    expect(await client.run('PEXPIREAT k 9007199254740991')).toBe(1);
    expect(await client.run('PEXPIRETIME k')).toBe(Number.MAX_SAFE_INTEGER);
  });
});

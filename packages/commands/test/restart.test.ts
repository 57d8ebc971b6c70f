/**
 * What commands put into the log is results, not commands: a database that is opened again has the
 * same contents, to the byte and the millisecond.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '@nendb/engine';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalHost } from '../src/index.js';
import { type Client, Database } from './harness/database.js';
import { FIXED_SEED, rotatingSeed } from './harness/seeds.js';

async function open(dir: string): Promise<{ engine: Engine; client: Client }> {
  const engine = await Engine.open({
    ...{ dir, sync: 'os', preallocate: false },
    regionBytes: 128 * 1024 * 1024,
  });
  return { engine, client: new Database(engine, new LocalHost({ engine }), dir).client() };
}

/** Everything in the 16 databases, as the commands tell it. */
async function contents(client: Client): Promise<unknown> {
  const all: unknown[] = [];
  for (let database = 0; database < 16; database++) {
    await client.run(`SELECT ${database}`);
    for (const key of ((await client.run('KEYS *')) as string[]).sort()) {
      const isHash = (await client.args('TYPE', key)) === 'hash';
      const value = (await client.args(isHash ? 'HGETALL' : 'GET', key)) as unknown;
      all.push([database, key, await client.args('PEXPIRETIME', key), value]);
    }
  }
  return all;
}

const key = fc.constantFrom('a', 'b', '__proto__');
const field = fc.constantFrom('f', 'g');
const number = fc.integer({ min: -1_000, max: 1_000 });
const command = fc.oneof(
  fc.tuple(fc.constantFrom('SET', 'APPEND', 'SETNX', 'GETSET'), key, fc.string()),
  fc.tuple(fc.constant('SET'), key, fc.string(), fc.constant('EX'), fc.constant(1_000)),
  fc.tuple(fc.constantFrom('INCRBY', 'DECRBY'), key, number),
  fc.tuple(fc.constant('EXPIRE'), key, fc.constantFrom(-1, 1_000, 5_000)),
  fc.tuple(fc.constantFrom('DEL', 'PERSIST', 'GETDEL'), key),
  fc.tuple(fc.constant('HSET'), key, field, fc.string()),
  fc.tuple(fc.constant('HINCRBY'), key, field, number),
  fc.tuple(fc.constant('HDEL'), key, field),
  fc.tuple(fc.constant('SELECT'), fc.integer({ min: 0, max: 2 })),
  fc.tuple(fc.constant('SWAPDB'), fc.constant(0), fc.integer({ min: 0, max: 2 })),
  fc.tuple(fc.constantFrom('FLUSHDB', 'MULTI', 'EXEC', 'EXEC', 'DISCARD', 'BGSAVE')),
);

describe('after a restart', () => {
  it.each([
    ['fixed', FIXED_SEED],
    ['rotating', rotatingSeed('restart')],
  ])('R1: everything is as the commands left it (%s seed)', async (_name, seed) => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 20, maxLength: 60 }), async (commands) => {
        const dir = mkdtempSync(join(tmpdir(), 'nendb-restart-'));
        const first = await open(dir);
        for (const args of commands) await first.client.args(...args);
        await first.client.run('EXEC');
        const before = await contents(first.client);
        await first.engine.close();
        const second = await open(dir);
        expect(await contents(second.client)).toEqual(before);
        await second.engine.close();
        rmSync(dir, { recursive: true, force: true });
      }),
      { seed, numRuns: 20, endOnFailure: true },
    );
  });
});

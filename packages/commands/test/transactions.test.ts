import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Dispatcher, LocalClient } from '../src/index.js';
import { Client, Database } from './harness/database.js';
import { Gate, quiet, withMembers } from './harness/held-engine.js';

/** A database whose keys named `cold...` have to be loaded before a command may touch them. */
function withColdKeys(database: Database, gate: Gate): { dispatcher: Dispatcher; asked: string[] } {
  const asked: string[] = [];
  let loaded = false;
  const engine = withMembers(database.engine, {
    alwaysReady: false,
    prepare(number, keys) {
      const names = keys.map((key) => Buffer.from(key).toString());
      asked.push(...names.map((name) => `${number}:${name}`));
      if (loaded || !names.some((name) => name.startsWith('cold'))) return true;
      return gate.opened.then(() => {
        loaded = true;
      });
    },
  });
  return { dispatcher: new Dispatcher({ engine, host: database.host }), asked };
}

function clientOf(database: Database, dispatcher: Dispatcher): Client {
  return new Client(new LocalClient({ engine: database.engine, host: database.host, dispatcher }));
}

describe('MULTI and EXEC', () => {
  let database: Database;

  beforeEach(async () => {
    database = await Database.open();
  });

  afterEach(() => database.close());

  it('commit as one record, which reads alone do not need', async () => {
    const client = database.client();
    await client.run('MULTI');
    for (const line of ['SET a 1', 'INCR a', 'HSET h f v', 'DEL a']) await client.run(line);
    const before = database.engine.appliedLsn;
    expect(await client.run('EXEC')).toEqual(['OK', 2, 1, 1]);
    expect(database.engine.appliedLsn).toBe(before + 1);
    await client.run('MULTI');
    await client.run('GET a');
    expect(await client.run('EXEC')).toEqual([null]);
    expect(database.engine.appliedLsn).toBe(before + 1);
  });

  it('a command that fails inside gives its error, and the others run', async () => {
    const client = database.client();
    await client.run('HSET h f v');
    await client.run('MULTI');
    for (const line of ['SET a 1', 'INCR h', 'INCR a']) await client.run(line);
    const [first, second, third] = (await client.run('EXEC')) as unknown[];
    expect([first, third]).toEqual(['OK', 2]);
    expect(second).toMatch(/^-WRONGTYPE/);
  });

  it('R8: EXEC is not interleaved, even where its keys have to be loaded first', async () => {
    const gate = new Gate();
    const { dispatcher } = withColdKeys(database, gate);
    const slow = clientOf(database, dispatcher);
    const quick = clientOf(database, dispatcher);
    await slow.run('MULTI');
    for (const line of ['INCR n', 'SET cold 1', 'INCR n', 'GET n']) await slow.run(line);
    const exec = slow.run('EXEC');
    await quiet();
    expect(await quick.run('SET n 10'), 'others go on').toBe('OK');
    gate.open();
    expect(await exec).toEqual([11, 'OK', 12, '12']);
    expect(await quick.run('GET n')).toBe('12');
  });

  it('R8: a command waits for its keys alone, and runs once they are all ready', async () => {
    const gate = new Gate();
    const { dispatcher } = withColdKeys(database, gate);
    const slow = clientOf(database, dispatcher);
    const quick = clientOf(database, dispatcher);
    const waiting = slow.run('MGET hot cold');
    await quiet();
    await quick.run('MSET hot 1 lukewarm 2');
    await quick.run('SET hot 3');
    gate.open();
    expect(await waiting).toEqual(['3', null]);
  });

  it('prepares the keys of each command in the database that is selected by then', async () => {
    const { dispatcher, asked } = withColdKeys(database, new Gate());
    const client = clientOf(database, dispatcher);
    await client.run('MULTI');
    for (const line of ['GET a', 'SELECT 2', 'MSET b 1 c 2', 'SELECT x', 'DEL d']) {
      await client.run(line);
    }
    await client.run('EXEC');
    expect(asked.sort()).toEqual(['0:a', '2:b', '2:c', '2:d']);
    expect(await client.run('GET b'), 'SELECT holds after EXEC').toBe('1');
  });

  it('a transaction that the engine refuses has one error and no effect', async () => {
    const small = await Database.open({ commitBytesMax: 1_000, valueBytesMax: 900 });
    const client = small.client();
    await client.run('MULTI');
    for (let i = 0; i < 4; i++) await client.run(`SET k${i} ${'x'.repeat(400)}`);
    expect(await client.run('EXEC')).toMatch(/^-ERR /);
    expect(await client.run('DBSIZE')).toBe(0);
    expect(await client.run('SET k v')).toBe('OK');
    await small.close();
  });

  it('bounds what a client may queue, and then refuses the whole', async () => {
    const { engine, host } = database;
    const dispatcher = new Dispatcher({ engine, host, queueBytesMax: 2_000 });
    const client = clientOf(database, dispatcher);
    await client.run('MULTI');
    expect(await client.run(`SET a ${'x'.repeat(1_000)}`)).toBe('QUEUED');
    expect(await client.run(`SET b ${'x'.repeat(1_000)}`)).toMatch(/^-ERR expected at most 2000/);
    expect(client.local.session.queue?.allocatedBytes, 'the memory is given back').toBe(0);
    expect(await client.run('EXEC')).toMatch(/^-EXECABORT/);
    expect(await client.run('EXISTS a b')).toBe(0);
  });

  it('RESET and QUIT end a transaction at once', async () => {
    const client = database.client();
    await client.run('MULTI');
    await client.run('SET a 1');
    expect(await client.run('RESET')).toBe('RESET');
    expect(await client.run('EXEC')).toBe('-ERR EXEC without MULTI');
    await client.run('MULTI');
    expect(await client.run('QUIT')).toBe('OK');
    expect(client.local.session.closing).toBe(true);
    expect(await database.client().run('EXISTS a')).toBe(0);
  });

  it('a queued request owns its bytes: what the parser does next does not change it', async () => {
    const client = database.client();
    const value = Buffer.from('before');
    await client.run('MULTI');
    await client.args('SET', 'k', value);
    value.fill('x');
    await client.run('EXEC');
    expect(await client.run('GET k')).toBe('before');
  });
});

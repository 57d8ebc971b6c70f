import { EngineError } from '@nendb/engine';
import { RespError } from '@nendb/resp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalClient } from '../src/index.js';
import { Database } from './harness/database.js';
import { Gate, quiet, withMembers } from './harness/held-engine.js';

describe('a client inside the process', () => {
  let database: Database;

  beforeEach(async () => {
    database = await Database.open();
  });

  afterEach(() => database.close());

  it('gives JavaScript values', async () => {
    const client = new LocalClient({ engine: database.engine });
    expect(await client.call('SET', 'key', 'välue')).toBe('OK');
    expect(await client.call('GET', 'key')).toBe('välue');
    expect(await client.callBytes('GET', 'key')).toEqual(Buffer.from('välue'));
    expect(await client.call('GET', 'nothing')).toBeNull();
    expect(await client.call('INCRBY', 'n', 9007199254740993n)).toBe(9007199254740993n);
    expect(await client.call('HSET', 'h', 'f', 1, 'g', Buffer.from([0xff]))).toBe(2);
    expect(await client.callBytes('HGET', 'h', 'g')).toEqual(Buffer.from([0xff]));
    expect(await client.call('HGETALL', 'none')).toEqual(new Map());
    expect(await client.call('MGET', 'key', 'nothing')).toEqual(['välue', null]);
  });

  it('throws errors with their code, and hands them out as values with send', async () => {
    const client = new LocalClient({ engine: database.engine });
    await client.call('HSET', 'h', 'f', 'v');
    const error = await client.call('GET', 'h').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RespError);
    expect((error as RespError).code).toBe('WRONGTYPE');
    expect(await client.send(['GET', 'h'])).toBeInstanceOf(RespError);
    await expect(client.call()).rejects.toThrow(/expected a command/);
  });

  it('R9: hands out no result, of a write or a read, before the barrier has passed', async () => {
    const gate = new Gate();
    const engine = withMembers(database.engine, { barrier: () => gate.opened });
    const client = new LocalClient({ engine });
    const results: unknown[] = [];
    const all = ['SET', 'GET', 'DEL'].map(async (name) => {
      results.push(await (name === 'SET' ? client.call(name, 'k', 'v') : client.call(name, 'k')));
    });
    await quiet();
    expect(database.engine.appliedLsn, 'applied at once').toBe(2);
    expect(results, 'but told to nobody').toEqual([]);
    gate.open();
    await Promise.all(all);
    expect(results).toEqual(['OK', 'v', 1]);
  });

  it('R9: a log that fails in between is an error, not a result', async () => {
    const gate = new Gate();
    const engine = withMembers(database.engine, { barrier: () => gate.opened });
    const client = new LocalClient({ engine });
    const result = client.call('SET', 'k', 'v');
    gate.fail(new EngineError('ENGINE_FAILED', 'the log has failed'));
    await expect(result).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
  });

  it('applies all calls of a turn before it waits, so that they can share one sync', async () => {
    const barriers: Gate[] = [];
    const engine = withMembers(database.engine, {
      barrier: () => {
        barriers.push(new Gate());
        return barriers[barriers.length - 1].opened;
      },
    });
    const client = new LocalClient({ engine });
    const calls = Array.from({ length: 50 }, (_, i) => client.call('SET', `k${i}`, i));
    await quiet();
    expect(database.engine.appliedLsn).toBe(50);
    for (const barrier of barriers) barrier.open();
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 50 }, () => 'OK'));
  });

  it('keeps the order of calls behind one that waits', async () => {
    const client = new LocalClient({ engine: database.engine });
    const order: string[] = [];
    const note = (name: string) => (): number => order.push(name);
    await Promise.all([
      client.call('SET', 'k', '1').then(note('set')),
      client.call('SAVE').then(note('save')),
      client.call('INCR', 'k').then(note('incr')),
      client.call('GET', 'k').then((value) => order.push(`get ${value}`)),
    ]);
    expect(order).toEqual(['set', 'save', 'incr', 'get 2']);
  });

  it('has a session of its own: database, name, transaction', async () => {
    const one = database.client();
    const two = database.client();
    await one.run('SELECT 3');
    await one.run('SET k v');
    expect(await two.run('GET k')).toBeNull();
    await one.run('MULTI');
    expect(await two.run('SET k w')).toBe('OK');
    expect(await one.run('GET k')).toBe('QUEUED');
    expect(await one.run('EXEC')).toEqual(['v']);
    expect(await one.run('CLIENT ID')).not.toBe(await two.run('CLIENT ID'));
  });

  it('SHUTDOWN closes the engine, and says nothing more after it', async () => {
    const closing = await Database.open();
    const client = closing.client();
    await client.run('SET k v');
    expect(await client.run('SHUTDOWN NOSAVE')).toBeNull();
    expect(closing.engine.health().state).toBe('closed');
    await closing.close();
  });
});

import { EngineError, type EngineView } from '@nendb/engine';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Dispatcher, LocalClient, LocalHost } from '../src/index.js';
import { Client, Database } from './harness/database.js';
import { withMembers } from './harness/held-engine.js';

describe('what the engine refuses', () => {
  let database: Database;
  let reported: Error[];

  beforeEach(async () => {
    database = await Database.open();
    reported = [];
  });

  afterEach(() => database.close());

  function clientOf(engine: EngineView): { client: Client; dispatcher: Dispatcher } {
    const host = new LocalHost({ engine, onError: (error) => reported.push(error) });
    const dispatcher = new Dispatcher({ engine, host });
    return { client: new Client(new LocalClient({ engine, host, dispatcher })), dispatcher };
  }

  function refusing(error: Error): EngineView {
    const { engine } = database;
    return withMembers(engine, {
      commit() {
        engine.abort();
        throw error;
      },
    });
  }

  it('R10: a log that could not be synced refuses writes with MISCONF and serves reads', async () => {
    await database.client().run('SET k v');
    const error = new EngineError('ENGINE_READ_ONLY', 'a sync of the log failed: EIO');
    const engine = withMembers(database.engine, {
      commit() {
        const before = database.engine.appliedLsn;
        database.engine.abort();
        if (writing) throw error;
        return before;
      },
    });
    let writing = true;
    const { client, dispatcher } = clientOf(engine);
    expect(await client.run('SET k w')).toBe('-MISCONF a sync of the log failed: EIO');
    writing = false;
    expect(await client.run('GET k')).toBe('v');
    expect(await client.run('DEL nothing'), 'refused before it runs').toMatch(/^-MISCONF/);
    const set = dispatcher.table.byFullName('del');
    expect(dispatcher.counters.rejected[set?.index ?? -1]).toBe(1);
  });

  it('R10: EXEC of a transaction with writes is refused as a whole, one of reads is not', async () => {
    const { client } = clientOf(refusing(new EngineError('ENGINE_READ_ONLY', 'EIO')));
    await client.run('SET k v');
    await client.run('MULTI');
    expect(await client.run('SET k v')).toMatch(/^-MISCONF/);
    expect(await client.run('EXEC')).toMatch(/^-EXECABORT/);
  });

  it('R10: a transaction queued before the failure is refused at EXEC', async () => {
    const { client, dispatcher } = clientOf(refusing(new EngineError('ENGINE_READ_ONLY', 'EIO')));
    const { engine, host } = dispatcher;
    const other = new Client(new LocalClient({ engine, host, dispatcher }));
    await other.run('MULTI');
    await other.run('SET k v');
    await client.run('SET k w');
    expect(await other.run('EXEC')).toBe(
      '-EXECABORT Transaction discarded because of: MISCONF EIO',
    );
  });

  it.each([
    ['ENGINE_NO_SPACE', '-MISCONF Errors writing to the log: the disk is full'],
    ['ENGINE_TOO_LARGE', '-ERR the disk is full'],
    ['ENGINE_FAILED', '-MISCONF The log has failed, the server stops: the disk is full'],
  ] as const)('%s is the reply, in place of the command’s own', async (code, expected) => {
    const { client } = clientOf(refusing(new EngineError(code, 'the disk\r\nis full')));
    expect(await client.run('SET k v')).toBe(expected);
    await client.run('MULTI');
    await client.run('SET k v');
    expect(await client.run('EXEC')).toBe(expected);
    expect(reported).toEqual([]);
  });

  it('R10: a log that cannot grow is a refusal that is remembered until a write succeeds', async () => {
    const { engine } = database;
    let full = true;
    const { client, dispatcher } = clientOf(
      withMembers(engine, {
        commit() {
          if (!full) return engine.commit();
          engine.abort();
          throw new EngineError('ENGINE_NO_SPACE', 'no room to append: free disk space');
        },
      }),
    );
    const reason = 'MISCONF Errors writing to the log: no room to append: free disk space';
    expect(dispatcher.writeRefusal).toBeUndefined();
    expect(await client.run('SET k v')).toBe(`-${reason}`);
    expect(dispatcher.writeRefusal).toMatchObject({ reason });
    expect(dispatcher.writeRefusal?.atMs).toBeGreaterThan(1_600_000_000_000);
    expect(await client.local.call('INFO', 'persistence')).toMatchObject({
      text: expect.stringContaining('aof_last_write_status:err'),
    });
    full = false;
    expect(await client.run('GET k'), 'reads go on and prove nothing').toBeNull();
    expect(dispatcher.writeRefusal).toMatchObject({ reason });
    expect(await client.run('SET k v')).toBe('OK');
    expect(dispatcher.writeRefusal).toBeUndefined();
    expect(await client.local.call('INFO', 'persistence')).toMatchObject({
      text: expect.stringContaining('aof_last_write_status:ok'),
    });
  });

  it.each([
    ['ENOSPC', 'no space left on device', /no room to append to f .*: free disk space/],
    ['EMFILE', 'too many open files', /log: EMFILE: too many open files: nothing .*open files/],
    ['EACCES', 'permission denied', /log: EACCES: permission denied: nothing was written; mend/],
  ])('the cause %s of a log that cannot grow is given as it is', async (code, text, expected) => {
    const system = Object.assign(new Error(`${code}: ${text}`), { code });
    const log = new Error('of the log', { cause: system });
    const message = `no room to append to f (${code}): free disk space`;
    const error = new EngineError('ENGINE_NO_SPACE', message, { cause: log });
    const { client } = clientOf(refusing(error));
    const reply = await client.run('SET k v');
    expect(reply).toMatch(expected);
    if (code !== 'ENOSPC') expect(reply).not.toContain('disk');
  });

  it('a defect in a handler is reported, leaves nothing behind and stops nobody', async () => {
    let broken = true;
    const engine = withMembers(database.engine, {
      begin() {
        const transaction = database.engine.begin();
        if (!broken) return transaction;
        return Object.create(transaction, {
          nowMs: { value: transaction.nowMs },
          find: { value: transaction.find.bind(transaction) },
          putField: {
            value: () => {
              throw new TypeError('a defect');
            },
          },
          putString: { value: transaction.putString.bind(transaction) },
        }) as typeof transaction;
      },
    });
    const { client } = clientOf(engine);
    expect(await client.run('HSET h f v')).toBe("-ERR internal error in 'hset': a defect");
    await client.run('MULTI');
    await client.run('SET k v');
    await client.run('HSET h f v');
    expect(await client.run('EXEC')).toBe("-ERR internal error in 'hset': a defect");
    broken = false;
    expect(await client.run('EXISTS h k')).toBe(0);
    expect(await client.run('HSET h f v')).toBe(1);
    expect(reported.map((error) => error.message)).toEqual(['a defect', 'a defect']);
  });

  it('a commit that breaks is not a reply: the caller hears of it', async () => {
    const { dispatcher } = clientOf(refusing(new Error('the store is broken')));
    const { engine, host } = dispatcher;
    const local = new LocalClient({ engine, host, dispatcher });
    await expect(local.call('SET', 'k', 'v')).rejects.toThrow('the store is broken');
    await local.call('MULTI').catch(() => undefined);
    await local.call('SET', 'k', 'v').catch(() => undefined);
    await expect(local.call('EXEC')).rejects.toThrow('the store is broken');
    expect(reported).toEqual([]);
  });

  it('keys that cannot be loaded are an error of the command that needs them', async () => {
    const unreadable = new EngineError('ENGINE_CORRUPT', 'table 7 is damaged at offset 12');
    const engine = withMembers(database.engine, {
      alwaysReady: false,
      prepare: (_database, keys) =>
        keys.some((key) => key[0] === 0x3f) ? Promise.reject(unreadable) : true,
    });
    const { client } = clientOf(engine);
    const expected = '-ERR table 7 is damaged at offset 12';
    expect(await client.run('GET ?k')).toBe(expected);
    await client.run('MULTI');
    await client.run('SET a 1');
    await client.run('GET ?k');
    expect(await client.run('EXEC')).toBe(expected);
    expect(await client.run('GET a')).toBeNull();
    expect(reported).toEqual([]);
  });

  it('a closed engine answers errors', async () => {
    const closed = await Database.open();
    await closed.engine.close();
    const { client } = clientOf(withMembers(closed.engine, { barrier: async () => {} }));
    expect(await client.run('GET k')).toMatch(/^-ERR .*closed/);
    await client.run('MULTI');
    await client.run('GET k');
    expect(await client.run('EXEC')).toMatch(/^-ERR .*closed/);
    await closed.close();
  });

  it('values that would grow too long are refused before anything is staged', async () => {
    const { client } = clientOf(
      withMembers(database.engine, {
        begin() {
          const transaction = database.engine.begin();
          const find: typeof transaction.find = (...args) => {
            const view = transaction.find(...args);
            return (
              view && {
                ...view,
                type: view.type,
                expireAtMs: 0,
                length: 512 * 1024 * 1024,
                copyTo: () => 0,
                bytes: () => new Uint8Array(0),
              }
            );
          };
          return Object.create(transaction, { find: { value: find } }) as typeof transaction;
        },
      }),
    );
    await database.client().run('SET k v');
    expect(await client.run('APPEND k x')).toBe(
      '-ERR string exceeds maximum allowed size (proto-max-bulk-len)',
    );
    expect(await database.client().run('GET k')).toBe('v');
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Dispatcher, LocalClient } from '../src/index.js';
import { Client, Database } from './harness/database.js';
import { Gate, quiet, withMembers } from './harness/held-engine.js';

let database: Database;
let mine: Client;
let other: Client;

beforeEach(async () => {
  database = await Database.open();
  mine = database.client(2);
  other = database.client();
});

afterEach(() => database.close());

async function run(client: Client, ...lines: string[]): Promise<unknown[]> {
  const replies: unknown[] = [];
  for (const line of lines) replies.push(await client.run(line));
  return replies;
}

/** What EXEC of a transaction with one INCR replies. */
async function exec(client = mine): Promise<unknown> {
  return (await run(client, 'MULTI', 'INCR n', 'EXEC')).at(-1);
}

/** `[watches, flags]` of the client as CLIENT INFO gives them. */
async function described(client = mine): Promise<[string, string]> {
  const line = String(await client.run('CLIENT INFO'));
  const value = (name: string) => new RegExp(` ${name}=(\\S*)`).exec(line)?.[1] ?? '';
  return [value('watch'), value('flags')];
}

describe('WATCH', () => {
  it('makes EXEC do nothing and reply null where a key has changed', async () => {
    await mine.run('WATCH a b');
    await other.run('SET b 1');
    expect(await exec()).toBeNull();
    expect(await other.run('EXISTS n')).toBe(0);
    expect(await exec(), 'EXEC has let go of the keys').toEqual([1]);
  });

  it('lets EXEC run where others have changed something else, or only read', async () => {
    await mine.run('WATCH a b');
    await run(other, 'SET c 1', 'GET a', 'DEL a', 'EXPIRE b 100', 'FLUSHDB');
    expect(await exec()).toEqual([1]);
  });

  it('is for a client’s own changes as well, but not for those of its transaction', async () => {
    await run(mine, 'WATCH n', 'SET n 1');
    expect(await exec()).toBeNull();
    await mine.run('WATCH n');
    expect(await exec()).toEqual([2]);
  });

  it.each([
    ['EXEC', ['MULTI', 'EXEC']],
    ['DISCARD', ['MULTI', 'DISCARD']],
    ['UNWATCH', ['UNWATCH']],
    ['RESET', ['RESET']],
    ['an EXEC that is refused', ['MULTI', 'NOSUCH', 'EXEC']],
    ['an EXEC that is misspelt', ['EXEC now']],
  ])('ends with %s', async (_name, lines) => {
    await run(mine, 'WATCH a', ...lines);
    await other.run('SET a 1');
    expect(await described()).toEqual(['0', 'N']);
    expect(await exec()).toEqual([1]);
  });

  it('does not end with an EXEC or DISCARD outside of MULTI, nor with UNWATCH inside', async () => {
    await run(mine, 'WATCH a', 'EXEC', 'DISCARD');
    await mine.run('MULTI');
    expect(await mine.run('UNWATCH')).toBe('QUEUED');
    await other.run('SET a 1');
    expect(await mine.run('EXEC')).toBeNull();
  });

  it('is refused inside MULTI, which goes on', async () => {
    const replies = await run(mine, 'MULTI', 'WATCH a', 'SET a 1', 'EXEC');
    expect(replies).toEqual(['OK', '-ERR WATCH inside MULTI is not allowed', 'QUEUED', ['OK']]);
  });

  it('is in the database that was selected, whichever is at EXEC', async () => {
    await run(mine, 'SELECT 1', 'WATCH a', 'SELECT 0');
    await other.run('SET a 1');
    expect(await exec()).toEqual([1]);
    await run(mine, 'SELECT 1', 'WATCH a', 'SELECT 0');
    await run(other, 'SELECT 1', 'SET a 1');
    expect(await exec()).toBeNull();
  });

  it('is seen in CLIENT INFO: how many keys, and whether EXEC will fail', async () => {
    await run(mine, 'WATCH a b', 'WATCH b c');
    expect(await described()).toEqual(['3', 'N']);
    await run(other, 'SET c 1');
    expect(await described()).toEqual(['0', 'd']);
    await mine.run('WATCH z');
    expect(await described()).toEqual(['0', 'd']);
    await mine.run('MULTI');
    expect(await mine.run('EXEC')).toBeNull();
  });

  it('says so before the errors of a transaction that cannot run are replied', async () => {
    await run(mine, 'WATCH a', 'MULTI', 'NOSUCH');
    await other.run('SET a 1');
    expect(await mine.run('EXEC')).toMatch(/^-EXECABORT/);
  });

  it('R8: looks again when the keys of EXEC have been loaded, in the turn in which it runs', async () => {
    const gate = new Gate();
    let loaded = false;
    const engine = withMembers(database.engine, {
      alwaysReady: false,
      prepare: (_database, keys) =>
        loaded || !keys.some((key) => Buffer.from(key).toString() === 'cold')
          ? true
          : gate.opened.then(() => {
              loaded = true;
            }),
    });
    const dispatcher = new Dispatcher({ engine, host: database.host });
    const slow = new Client(new LocalClient({ engine, host: database.host, dispatcher }));
    await run(slow, 'WATCH a', 'MULTI', 'SET cold 1');
    const pending = slow.run('EXEC');
    await quiet();
    await other.run('SET a 1');
    // Its connection ends: the transaction is not to run unwatched for it.
    slow.local.session.end();
    gate.open();
    expect(await pending).toBeNull();
    expect(await other.run('EXISTS cold')).toBe(0);
  });

  it('leaves nothing watched where the connection ended while its keys were loaded', async () => {
    const gate = new Gate();
    let watches = 0;
    const engine = withMembers(database.engine, {
      alwaysReady: false,
      prepare: () => (watches++ === 0 ? gate.opened : true),
      watch: () => {
        throw new Error('expected no watch');
      },
    });
    const dispatcher = new Dispatcher({ engine, host: database.host });
    const slow = new Client(new LocalClient({ engine, host: database.host, dispatcher }));
    const pending = slow.run('WATCH cold');
    await quiet();
    slow.local.session.end();
    gate.open();
    expect(await pending).toBe('OK');
  });

  it('R9: the null of EXEC waits until the change that it tells of is durable', async () => {
    const gate = new Gate();
    const engine = withMembers(database.engine, { barrier: () => gate.opened });
    const held = new Client(
      new LocalClient({ engine, host: database.host, dispatcher: database.dispatcher }),
    );
    const { session } = held.local;
    const sent = [held.run('WATCH a'), other.run('SET a 1'), held.run('MULTI'), held.run('EXEC')];
    let replied = false;
    const exec = sent[3].then((reply) => {
      replied = true;
      return reply;
    });
    await quiet();
    expect(session.queue, 'it has run').toBeUndefined();
    expect(replied).toBe(false);
    gate.open();
    expect(await exec).toBeNull();
  });

  it('is a counter that many clients raise, none of them in vain', async () => {
    const clients = Array.from({ length: 5 }, () => database.client());
    let refused = 0;
    await Promise.all(
      clients.map(async (client) => {
        for (let raised = 0; raised < 20; ) {
          await client.run('WATCH counter');
          const value = Number((await client.run('GET counter')) ?? 0);
          await run(client, 'MULTI', `SET counter ${value + 1}`);
          if ((await client.run('EXEC')) === null) refused++;
          else raised++;
        }
      }),
    );
    expect(await mine.run('GET counter')).toBe('100');
    expect(refused).toBeGreaterThan(0);
  });

  it('is let go of by a client that is released', async () => {
    await mine.run('WATCH a');
    mine.local.release();
    await other.run('SET a 1');
    expect(await exec()).toEqual([1]);
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  commandTable,
  Dispatcher,
  type engineStatus,
  LocalClient,
  LocalHost,
  NENDB_VERSION,
  Session,
  type ShutdownMode,
} from '../src/index.js';
import { Client, Database } from './harness/database.js';
import { quiet } from './harness/held-engine.js';

/** A host with two sessions and some configuration, that notes how it was stopped. */
class TestHost extends LocalHost {
  readonly stops: ShutdownMode[] = [];
  readonly list: Session[] = [
    new Session({
      id: 7,
      authenticated: true,
      address: '127.0.0.1:5000',
      localAddress: '127.0.0.1:6379',
      connectedAtMs: this.startedAtMs,
    }),
    new Session({ id: 9, authenticated: true, address: '127.0.0.1:5001' }),
  ];
  refusesToStop = false;
  resets = 0;

  override configuration(): ReadonlyMap<string, string> {
    return new Map([
      ['save', ''],
      ['maxclients', '10000'],
      ['appendonly', 'yes'],
    ]);
  }

  override sessions(): Iterable<Session> {
    return this.list;
  }

  override info(section = ''): Record<string, string | number> {
    return section === 'clients' ? { connected_clients: this.list.length } : {};
  }

  override resetStatistics(): void {
    this.resets++;
  }

  override async shutdown(mode: ShutdownMode): Promise<void> {
    this.stops.push(mode);
    if (this.refusesToStop) throw new Error('the snapshot failed');
  }
}

describe('what the server tells of itself', () => {
  let database: Database;
  let host: TestHost;
  let client: Client;

  beforeEach(async () => {
    database = await Database.open();
    const { engine } = database;
    host = new TestHost({ engine });
    const dispatcher = new Dispatcher({ engine, host });
    client = new Client(new LocalClient({ engine, host, dispatcher, protocol: 3 }));
  });

  afterEach(() => database.close());

  async function info(...sections: string[]): Promise<Map<string, string>> {
    const reply = await client.local.call('INFO', ...sections);
    const text = (reply as { text: string }).text;
    const lines = text.split('\r\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(lines.map((line) => line.split(/:(.*)/s).slice(0, 2) as [string, string]));
  }

  it('INFO: versions, keys of each database, hits and misses', async () => {
    await client.run('SET a 1 EX 100');
    await client.run('SET b 1');
    await client.run('SELECT 3');
    await client.run('HSET h f v');
    await client.run('GET nothing');
    await client.run('HGET h f');
    const fields = await info();
    expect(fields.get('redis_version')).toBe('7.4.0');
    expect(fields.get('nendb_version')).toBe(NENDB_VERSION);
    expect(fields.get('run_id')).toMatch(/^[0-9a-f]{40}$/);
    expect(fields.get('db0')).toBe('keys=2,expires=1,avg_ttl=0,subexpiry=0');
    expect(fields.get('db3')).toBe('keys=1,expires=0,avg_ttl=0,subexpiry=0');
    expect(fields.get('keyspace_hits')).toBe('1');
    expect(fields.get('keyspace_misses')).toBe('1');
    expect(fields.get('connected_clients')).toBe('2');
    expect(fields.get('maxmemory_policy')).toBe('noeviction');
    expect(fields.get('role')).toBe('master');
    expect(fields.has('cmdstat_get')).toBe(false);
  });

  it('INFO: sections by name, all of them, and none that does not exist', async () => {
    await client.run('GET k');
    await client.run('GET');
    await client.run('INCRBY k x');
    expect([...(await info('keyspace', 'replication')).keys()]).toContain('master_replid');
    expect((await info('keyspace')).size).toBe(0);
    expect((await info('nosuch')).size).toBe(0);
    const all = await info('everything');
    expect(all.get('cmdstat_get')).toMatch(
      /^calls=1,usec=\d+,usec_per_call=[\d.]+,rejected_calls=1,failed_calls=0$/,
    );
    expect(all.get('cmdstat_incrby')).toMatch(/^calls=1,usec=.*,rejected_calls=0,failed_calls=1$/);
    expect(all.get('errorstat_ERR')).toBe('count=2');
    const twoSections = (await client.local.call('INFO', 'cpu', 'keyspace')) as { text: string };
    expect(twoSections.text).toBe('# CPU\r\n\r\n# Keyspace\r\n');
  });

  it('CONFIG RESETSTAT sets the counters back', async () => {
    await client.run('GET k');
    expect(await client.run('CONFIG RESETSTAT')).toBe('OK');
    expect(host.resets).toBe(1);
    expect((await info('stats')).get('keyspace_misses')).toBe('0');
  });

  it('CONFIG GET takes globs; CONFIG SET says that nothing can be changed', async () => {
    expect(await client.run('CONFIG GET save')).toEqual([['save', '']]);
    expect(await client.run('CONFIG GET MAX* append*')).toEqual([
      ['maxclients', '10000'],
      ['appendonly', 'yes'],
    ]);
    expect(await client.run('CONFIG SET maxclients 5')).toMatch(
      /^-ERR CONFIG SET failed .*'maxclients'.* can't set immutable config$/,
    );
    expect(await client.run('CONFIG SET maxclients 5 nosuch 1')).toMatch(
      /Unknown option.*'nosuch'/,
    );
  });

  it('COMMAND: the whole table, its size, its documentation', async () => {
    const names = commandTable.commands.map((command) => command.fullName);
    expect(await client.run('COMMAND COUNT')).toBe(names.length);
    const all = (await client.run('COMMAND')) as unknown[][];
    expect(all.map((row) => row[0])).toEqual(names);
    const docs = new Map((await client.run('COMMAND DOCS')) as [string, [string, unknown][]][]);
    expect([...docs.keys()]).toEqual(names);
    expect(new Map(docs.get('get')).get('group')).toBe('string');
    const list = (await client.run('COMMAND LIST FILTERBY PATTERN h*')) as string[];
    expect(list).toContain('hgetall');
    expect(list.every((name) => name.startsWith('h'))).toBe(true);
    expect(await client.run('COMMAND LIST FILTERBY ACLCAT transaction')).toEqual([
      'multi',
      'exec',
      'discard',
      'watch',
      'unwatch',
    ]);
    expect(await client.run('COMMAND LIST FILTERBY MODULE json')).toEqual([]);
    expect((await client.run('COMMAND INFO client|id nosuch')) as unknown[]).toEqual([
      expect.arrayContaining(['client|id', 2]),
      null,
    ]);
  });

  it.each(['CLIENT', 'CONFIG', 'COMMAND', 'NENDB'])(
    '%s HELP names its subcommands',
    async (name) => {
      const lines = (await client.run(`${name} HELP`)) as string[];
      for (const sub of commandTable.byFullName(name)?.subcommands ?? []) {
        const text = sub.spec.name.toUpperCase();
        if (text === 'HELP') continue;
        expect(
          lines.some((line) => line.startsWith(text)),
          text,
        ).toBe(true);
      }
    },
  );

  it('CLIENT SETINFO, NO-TOUCH and INFO', async () => {
    expect(await client.run('CLIENT SETINFO LIB-NAME ioredis')).toBe('OK');
    expect(await client.run('CLIENT SETINFO lib-ver 5.4.1')).toBe('OK');
    expect(await client.args('CLIENT', 'SETINFO', 'LIB-VER', '5 4')).toMatch(
      /cannot contain spaces/,
    );
    expect(await client.run('CLIENT SETINFO nosuch x')).toBe("-ERR Unrecognized option 'nosuch'");
    expect(await client.run('CLIENT NO-TOUCH on')).toBe('OK');
    await client.run('CLIENT SETNAME worker');
    const line = ((await client.local.call('CLIENT', 'INFO')) as { text: string }).text;
    expect(line).toMatch(
      / name=worker .* db=0 .* cmd=client\|info user=default .*resp=3 lib-name=ioredis lib-ver=5\.4\.1\n$/,
    );
    expect(line).toMatch(/ flags=T /);
  });

  it('CLIENT LIST: a line for each session, or for those asked for', async () => {
    const textOf = async (line: string): Promise<string> =>
      ((await client.local.call(...line.split(' '))) as { text: string }).text;
    const all = await textOf('CLIENT LIST');
    expect(all.split('\n').filter((line) => line !== '')).toHaveLength(2);
    expect(all).toMatch(/^id=7 addr=127\.0\.0\.1:5000 laddr=127\.0\.0\.1:6379 fd=-1 name= age=0/);
    expect(await textOf('CLIENT LIST ID 9 100')).toMatch(/^id=9 [^\n]*\n$/);
    expect(await textOf('CLIENT LIST TYPE NORMAL')).toBe(all);
    expect(await textOf('CLIENT LIST TYPE pubsub')).toBe('');
  });

  it('SAVE waits for the snapshot, BGSAVE does not, LASTSAVE says when', async () => {
    await client.run('SET k v');
    const startedS = Math.floor(host.startedAtMs / 1000);
    expect(await client.run('LASTSAVE')).toBe(startedS);
    expect(await client.run('SAVE')).toBe('OK');
    expect(database.engine.health().snapshot.newest?.header.lsn).toBe(1);
    expect(await client.run('LASTSAVE')).toBeGreaterThanOrEqual(startedS);
    await client.run('SET k w');
    const { dispatcher } = database;
    const other = new Client(new LocalClient({ engine: database.engine, dispatcher }));
    const [first, second, third] = await Promise.all([
      client.run('BGSAVE'),
      client.run('BGSAVE SCHEDULE'),
      other.run('SAVE'),
    ]);
    expect(first).toBe('Background saving started');
    expect(second).toBe('-ERR Background save already in progress');
    expect(third).toBe('-ERR Background save already in progress');
    while (database.engine.health().snapshot.inProgress) await quiet();
    expect(database.engine.health().snapshot.newest?.header.lsn).toBe(2);
    expect((await info('persistence')).get('rdb_changes_since_last_save')).toBe('0');
  });

  it('BGSAVE inside MULTI takes its snapshot once EXEC has committed', async () => {
    await client.run('MULTI');
    await client.run('SET k v');
    await client.run('BGSAVE');
    await client.run('SET l w');
    expect(await client.run('EXEC')).toEqual(['OK', 'Background saving scheduled', 'OK']);
    const { snapshot } = database.engine.health();
    expect(snapshot.inProgress || snapshot.newest !== undefined).toBe(true);
    while (database.engine.health().snapshot.inProgress) await quiet();
    expect(database.engine.health().snapshot.newest?.header.lsn).toBe(1);
  });

  it('SHUTDOWN tells the host how, and goes on where it could not stop', async () => {
    host.refusesToStop = true;
    const failed = '-ERR Errors trying to SHUTDOWN: the snapshot failed';
    expect(await client.run('SHUTDOWN')).toBe(failed);
    expect(await client.run('SHUTDOWN SAVE')).toBe(failed);
    expect(await client.run('SHUTDOWN NOSAVE NOW')).toBe(failed);
    expect(host.stops).toEqual(['default', 'save', 'nosave']);
    expect(await client.run('PING')).toBe('PONG');
  });

  it('TIME is the wall clock in seconds and microseconds', async () => {
    const [seconds, us] = (await client.run('TIME')) as [string, string];
    const atMs = Number(seconds) * 1000 + Number(us) / 1000;
    expect(Math.abs(atMs - host.wallMs())).toBeLessThan(5_000);
    expect(Number(us)).toBeLessThan(1_000_000);
  });

  it('NENDB STATUS is JSON with snake_case keys and LSNs as decimal strings', async () => {
    await client.run('SET k v');
    const text = (await client.run('NENDB STATUS')) as string;
    const status = JSON.parse(text) as ReturnType<typeof engineStatus> & { running: boolean };
    expect(status.running).toBe(true);
    expect(status.wal_health).toMatchObject({ healthy: true, applied_lsn: '1', last_error: null });
    expect(status.wal_health.end_pos.lsn).toMatch(/^\d+$/);
    expect(status.store).toMatchObject({ kind: expect.any(String), keys: 1 });
    expect(status.snapshot).toMatchObject({ lsn: null, in_progress: false });
    const keys = text.match(/"[^"]+":/g) ?? [];
    expect(keys.length).toBeGreaterThan(30);
    for (const key of keys) expect(key).toMatch(/^"[a-z0-9_]+":$/);
  });
});

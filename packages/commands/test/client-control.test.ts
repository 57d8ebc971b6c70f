import { encodeRequest } from '@nendb/resp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Dispatcher, LocalHost, type Session } from '../src/index.js';
import { Database, plain } from './harness/database.js';
import { DirectLink } from './harness/direct-link.js';
import { quiet } from './harness/held-engine.js';

/** Knows its clients, as a server does. */
class CrowdedHost extends LocalHost {
  readonly clients: Session[] = [];

  override sessions(): Iterable<Session> {
    return this.clients;
  }
}

describe('control of clients', () => {
  let database: Database;
  let host: CrowdedHost;
  let dispatcher: Dispatcher;

  beforeEach(async () => {
    database = await Database.open();
    host = new CrowdedHost({ engine: database.engine });
    dispatcher = new Dispatcher({ engine: database.engine, host });
  });

  afterEach(() => database.close());

  function connect(id: number, ageMs = 0): DirectLink {
    const link = new DirectLink(dispatcher, {
      id,
      address: `10.0.0.${id}:5000`,
      localAddress: '10.0.0.99:6379',
      connectedAtMs: host.wallMs() - ageMs,
    });
    host.clients.push(link.session);
    return link;
  }

  const say = async (link: DirectLink, line: string) =>
    plain((await link.ask(line.split(' '))).value);

  describe('CLIENT KILL', () => {
    let self: DirectLink;
    let cut: number[];

    beforeEach(() => {
      self = connect(1);
      cut = [];
      for (const [id, ageMs] of [
        [2, 0],
        [3, 60_000],
        [4, 120_000],
      ]) {
        const { session } = connect(id, ageMs);
        session.cut = () => cut.push(id);
      }
    });

    it.each([
      ['10.0.0.3:5000', 'OK', [3]],
      ['10.0.0.9:5000', '-ERR No such client', []],
      ['ID 2', 1, [2]],
      ['ADDR 10.0.0.4:5000', 1, [4]],
      ['LADDR 10.0.0.99:6379', 3, [2, 3, 4]],
      ['TYPE normal', 3, [2, 3, 4]],
      ['TYPE pubsub', 0, []],
      ['USER default', 3, [2, 3, 4]],
      ['MAXAGE 90', 1, [4]],
      ['MAXAGE 30 ADDR 10.0.0.3:5000', 1, [3]],
      ['ID 2 ADDR 10.0.0.3:5000', 0, []],
    ])('%s: %s, and %j are cut', async (filter, reply, ids) => {
      expect(await say(self, `CLIENT KILL ${filter}`)).toBe(reply);
      expect(cut).toEqual(ids);
      expect(self.session.closing).toBe(false);
    });

    it('ends its own connection when the reply has left, where it is meant too', async () => {
      expect(await say(self, 'CLIENT KILL TYPE normal SKIPME no')).toBe(4);
      expect(cut).toEqual([2, 3, 4]);
      expect(self.session.closing).toBe(true);
    });

    it('refuses an age that is none', async () => {
      expect(await say(self, 'CLIENT KILL MAXAGE 0')).toBe('-ERR maxage should be greater than 0');
      expect(await say(self, 'CLIENT KILL MAXAGE x')).toMatch(/not an integer/);
    });
  });

  describe('CLIENT PAUSE', () => {
    it('holds writes up until its time is over, and reads go on', async () => {
      const [admin, user] = [connect(1), connect(2)];
      expect(await say(admin, 'CLIENT PAUSE 60 WRITE')).toBe('OK');
      const startMs = performance.now();
      expect(await say(user, 'GET k')).toBe(null);
      expect(await say(user, 'SET k v')).toBe('OK');
      expect(performance.now() - startMs).toBeGreaterThanOrEqual(55);
      expect(await say(user, 'GET k')).toBe('v');
    });

    it('holds all up until CLIENT UNPAUSE, in order, and transactions that write', async () => {
      const [admin, user, other] = [connect(1), connect(2), connect(3)];
      await say(user, 'MULTI');
      await say(user, 'INCR n');
      await say(admin, 'CLIENT PAUSE 100000 WRITE');
      const executed = say(user, 'EXEC');
      await say(admin, 'CLIENT PAUSE 100000 ALL');
      const read = say(other, 'GET n');
      const settled: string[] = [];
      void executed.then(() => settled.push('exec'));
      void read.then(() => settled.push('get'));
      await quiet();
      expect(settled).toEqual([]);
      expect(await say(admin, 'CLIENT UNPAUSE')).toBe('OK');
      expect(await executed).toEqual([1]);
      expect(await read).toBe('1');
      expect(settled).toEqual(['exec', 'get']);
    });

    it('runs nothing of a connection that ended meanwhile', async () => {
      const [admin, user] = [connect(1), connect(2)];
      await say(admin, 'CLIENT PAUSE 100000');
      const written = user.receive(encodeRequest(['SET', 'k', 'v']));
      user.session.end();
      await say(admin, 'CLIENT UNPAUSE');
      expect((await written).length).toBe(0);
      expect(await say(admin, 'GET k')).toBe(null);
    });
  });

  it('CLIENT REPLY says which requests are answered', async () => {
    const link = connect(1);
    const lines = [
      'PING 1',
      'CLIENT REPLY SKIP',
      'PING 2',
      'PING 3',
      'CLIENT REPLY OFF',
      'PING 4',
      'NOSUCH',
      'CLIENT REPLY SKIP',
      'CLIENT REPLY nosuch',
      'SET k v',
      'CLIENT REPLY ON',
      'GET k',
      'CLIENT REPLY OFF',
      'RESET',
      'PING 5',
    ];
    const bytes = Buffer.concat(lines.map((line) => encodeRequest(line.split(' '))));
    const answers = (await link.receive(bytes)).toString('latin1');
    expect(answers).toBe('$1\r\n1\r\n$1\r\n3\r\n+OK\r\n$1\r\nv\r\n+RESET\r\n$1\r\n5\r\n');
  });
});

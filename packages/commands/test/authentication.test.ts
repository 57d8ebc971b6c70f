import { ReplyParser, ReplyWriter } from '@nendb/resp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Dispatcher, LocalHost, OwnedRequest, PasswordDigest, Session } from '../src/index.js';
import { Database, plain } from './harness/database.js';
import { RedisPeer, redisInstalled } from './harness/redis.js';

const PASSWORD = 'correct horse';

class LockedHost extends LocalHost {
  override readonly passwordRequired: boolean = true;
  readonly #digest = new PasswordDigest(PASSWORD);

  override checkPassword(password: Uint8Array): boolean {
    return this.#digest.matches(password);
  }
}

const transcript: readonly (readonly string[])[] = [
  ['PING'],
  ['GET', 'k'],
  ['nosuch'],
  ['GET'],
  ['HELLO', '3'],
  ['HELLO', '3', 'AUTH', 'default', 'wrong'],
  ['AUTH', 'wrong'],
  ['AUTH', 'nobody', PASSWORD],
  ['AUTH', 'DEFAULT', PASSWORD],
  ['AUTH', 'default', PASSWORD, 'more'],
  ['MULTI'],
  ['SELECT', '1'],
  ['CLIENT', 'ID', 'extra'],
  ['AUTH', PASSWORD],
  ['PING'],
  ['SET', 'k', 'v'],
  ['RESET'],
  ['GET', 'k'],
  ['AUTH', 'default', PASSWORD],
  ['GET', 'k'],
  ['AUTH', 'wrong'],
  ['GET', 'k'],
  ['QUIT'],
];

describe('a database with a password', () => {
  let database: Database;
  let session: Session;
  let run: (...args: string[]) => unknown;

  beforeEach(async () => {
    database = await Database.open();
    const { engine } = database;
    const dispatcher = new Dispatcher({ engine, host: new LockedHost({ engine }) });
    const writer = new ReplyWriter();
    session = new Session({ id: 1, authenticated: false });
    run = (...args) => {
      expect(dispatcher.dispatch(session, OwnedRequest.of(args), writer)).toBe(true);
      const parser = new ReplyParser({ bulk: 'text' });
      parser.push(writer.take());
      return plain(parser.next()?.value ?? null);
    };
  });

  afterEach(() => database.close());

  it('answers nothing but NOAUTH to who has not given it', () => {
    expect(run('GET', 'k')).toBe('-NOAUTH Authentication required.');
    expect(run('SHUTDOWN')).toBe('-NOAUTH Authentication required.');
    expect(run('NENDB', 'STATUS')).toBe('-NOAUTH Authentication required.');
    expect(run('AUTH', PASSWORD)).toBe('OK');
    expect(run('GET', 'k')).toBeNull();
  });

  it('has one answer for an unknown user and a wrong password, and counts the failures', () => {
    const wrong = '-WRONGPASS invalid username-password pair or user is disabled.';
    expect(run('AUTH', 'nobody', PASSWORD)).toBe(wrong);
    expect(run('AUTH', 'default', 'wrong')).toBe(wrong);
    expect(run('HELLO', '3', 'AUTH', 'default', 'wrong')).toBe(wrong);
    expect(session.authFailures).toBe(3);
    expect(session.protocol, 'a refused HELLO changes nothing').toBe(2);
    expect(run('HELLO', '3', 'AUTH', 'default', PASSWORD, 'SETNAME', 'me')).toContainEqual([
      'proto',
      3,
    ]);
    expect(session).toMatchObject({ authFailures: 0, protocol: 3, name: 'me' });
  });

  it('compares all bytes of a password, and only bytes', () => {
    const digest = new PasswordDigest(PASSWORD);
    expect(digest.matches(Buffer.from(PASSWORD))).toBe(true);
    for (const wrong of ['', PASSWORD.slice(1), `${PASSWORD}x`, PASSWORD.toUpperCase()]) {
      expect(digest.matches(Buffer.from(wrong)), wrong).toBe(false);
    }
    expect(JSON.stringify(digest)).toBe('{}');
  });

  it.skipIf(!redisInstalled)('answers as redis-server does', async () => {
    const redis = await RedisPeer.start(['--requirepass', PASSWORD]);
    try {
      const link = await redis.connect();
      for (const args of transcript) {
        const theirs = plain(await link.send(args));
        expect(run(...args), args.join(' ')).toEqual(theirs);
      }
      link.close();
    } finally {
      await redis.stop();
    }
  });
});

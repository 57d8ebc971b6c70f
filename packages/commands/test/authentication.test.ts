import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Dispatcher, LocalHost, PasswordDigest, type Session } from '../src/index.js';
import { Database, plain } from './harness/database.js';
import { DirectLink } from './harness/direct-link.js';
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
  let link: DirectLink;

  const run = async (...args: string[]): Promise<unknown> => plain((await link.ask(args)).value);

  beforeEach(async () => {
    database = await Database.open();
    const { engine } = database;
    link = new DirectLink(new Dispatcher({ engine, host: new LockedHost({ engine }) }), {
      authenticated: false,
    });
    session = link.session;
  });

  afterEach(() => database.close());

  it('answers nothing but NOAUTH to who has not given it', async () => {
    expect(await run('GET', 'k')).toBe('-NOAUTH Authentication required.');
    expect(await run('SHUTDOWN')).toBe('-NOAUTH Authentication required.');
    expect(await run('NENDB', 'STATUS')).toBe('-NOAUTH Authentication required.');
    expect(await run('AUTH', PASSWORD)).toBe('OK');
    expect(await run('GET', 'k')).toBeNull();
  });

  it('has one answer for an unknown user and a wrong password, and counts the failures', async () => {
    const wrong = '-WRONGPASS invalid username-password pair or user is disabled.';
    expect(await run('AUTH', 'nobody', PASSWORD)).toBe(wrong);
    expect(await run('AUTH', 'default', 'wrong')).toBe(wrong);
    expect(await run('HELLO', '3', 'AUTH', 'default', 'wrong')).toBe(wrong);
    expect(session.authFailures).toBe(3);
    expect(session.protocol, 'a refused HELLO changes nothing').toBe(2);
    expect(await run('HELLO', '3', 'AUTH', 'default', PASSWORD, 'SETNAME', 'me')).toContainEqual([
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
      const peer = await redis.connect();
      for (const args of transcript) {
        const theirs = await peer.ask(args);
        const ours = await link.ask(args);
        expect(ours.bytes.toString(), args.join(' ')).toBe(theirs.bytes.toString());
      }
      peer.close();
    } finally {
      await redis.stop();
    }
  });
});

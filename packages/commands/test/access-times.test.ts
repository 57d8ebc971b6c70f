import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AccessTimes } from '../src/dispatch/access-times.js';
import { Database } from './harness/database.js';
import { DirectLink } from './harness/direct-link.js';

describe('when a key was last used', () => {
  const key = Buffer.from('..key..');

  it('is known by database and name, and counts from the start before', () => {
    const times = new AccessTimes(1_000);
    expect(times.lastUseMs(0, key, 2, 5)).toBe(1_000);
    times.use(0, key, 2, 5, 5_000);
    expect(times.lastUseMs(0, Buffer.from('key'), 0, 3)).toBe(5_000);
    expect(times.lastUseMs(1, key, 2, 5)).toBe(1_000);
    expect(times.lastUseMs(0, key, 2, 4)).toBe(1_000);
  });

  it('of many keys is seldom that of another', () => {
    const times = new AccessTimes(0);
    const name = (i: number) => Buffer.from(`some:prefix:that:is:long:${i}`);
    for (let i = 0; i < 1_000; i++) times.use(0, name(i), 0, name(i).length, i + 1);
    let wrong = 0;
    for (let i = 0; i < 1_000; i++) {
      const at = times.lastUseMs(0, name(i), 0, name(i).length);
      expect(at).toBeGreaterThanOrEqual(i + 1);
      if (at !== i + 1) wrong++;
    }
    expect(wrong).toBeLessThan(30);
  });

  describe('through commands', () => {
    let database: Database;
    let link: DirectLink;

    beforeEach(async () => {
      database = await Database.open();
      link = new DirectLink(database.dispatcher);
    });

    afterEach(() => database.close());

    const say = async (line: string) => (await link.ask(line.split(' '))).value;
    const idle = () => say('OBJECT IDLETIME k');
    const neglect = () => database.dispatcher.accessTimes.use(0, Buffer.from('k'), 0, 1, 1_000);

    it('is now for what reads or writes the key, not for what looks at it from outside', async () => {
      await say('SET k v');
      for (const line of ['GET k', 'SET k w', 'TOUCH k', 'APPEND k x', 'STRLEN k', 'MGET k']) {
        neglect();
        await say(line);
        expect(await idle(), line).toBe(0);
      }
      for (const line of ['TTL k', 'EXISTS k', 'TYPE k', 'OBJECT ENCODING k', 'MEMORY USAGE k']) {
        neglect();
        await say(line);
        expect(await idle(), line).toBeGreaterThan(1_000_000);
      }
      await say('CLIENT NO-TOUCH on');
      neglect();
      await say('GET k');
      expect(await idle()).toBe(2 ** 24 - 1);
    });
  });
});

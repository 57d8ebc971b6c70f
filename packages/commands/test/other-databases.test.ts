/** Commands that need a key in two databases have it prepared in both. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Dispatcher } from '../src/index.js';
import { Database } from './harness/database.js';
import { DirectLink } from './harness/direct-link.js';
import { withMembers } from './harness/held-engine.js';

describe('a command over two databases', () => {
  let database: Database;
  let link: DirectLink;
  let prepared: string[];

  beforeEach(async () => {
    database = await Database.open();
    prepared = [];
    const engine = withMembers(database.engine, {
      alwaysReady: false,
      prepare(number, keys) {
        prepared.push(...keys.map((key) => `${number}:${Buffer.from(key)}`));
        return true;
      },
    });
    link = new DirectLink(new Dispatcher({ engine, host: database.host }));
  });

  afterEach(() => database.close());

  const say = async (line: string) => (await link.ask(line.split(' '))).value;

  it.each([
    ['COPY a b', ['0:a', '0:b']],
    ['COPY a b DB 3', ['0:a', '0:b', '3:b']],
    ['COPY a b REPLACE DB 3', ['0:a', '0:b', '3:b']],
    ['COPY a b DB 1 DB 2', ['0:a', '0:b', '2:b']],
    ['COPY a b DB 16', ['0:a', '0:b']],
    ['COPY DB DB', ['0:DB', '0:DB']],
    ['MOVE a 5', ['0:a', '5:a']],
    ['MOVE a x', ['0:a']],
    ['RENAME a b', ['0:a', '0:b']],
    ['OBJECT ENCODING a', ['0:a']],
    ['BITOP AND a b c', ['0:a', '0:b', '0:c']],
  ])('%s prepares %j', async (line, keys) => {
    await say(line);
    expect(prepared).toEqual(keys);
  });

  it('inside MULTI too, with the databases that SELECT leaves', async () => {
    for (const line of ['MULTI', 'SELECT 2', 'COPY a b DB 3', 'SELECT 4', 'MOVE c 5'])
      await say(line);
    expect(prepared).toEqual([]);
    await say('EXEC');
    expect(prepared.sort()).toEqual(['2:a', '2:b', '3:b', '4:c', '5:c']);
  });
});

/** What redis-server 7.0 lacks, after the command pages and the source of Redis 7.4 and 8.0. */
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'vitest';
import { Database } from './harness/database.js';
import { DirectLink } from './harness/direct-link.js';
import { checkGolden } from './harness/golden.js';

const folder = new URL('./golden/', import.meta.url);

describe('golden transcripts', () => {
  let database: Database;

  beforeEach(async () => {
    database = await Database.open();
  });

  afterEach(() => database.close());

  for (const name of readdirSync(folder).sort()) {
    it(name, async () => {
      const link = new DirectLink(database.dispatcher);
      await checkGolden(new URL(name, folder), async (words) => (await link.ask(words)).value);
    });
  }
});

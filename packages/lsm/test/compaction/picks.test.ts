/**
 * Golden transcripts of compaction picks: each file in `picks/` is a session of commands and what they answered.
 * `npx vitest run packages/lsm/test/compaction -u` writes the answers anew; read the difference.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Session } from './session.js';

const FOLDER = new URL('./picks/', import.meta.url);

describe('compaction picks', () => {
  it.each(readdirSync(FOLDER).sort())('%s', async (name) => {
    const file = new URL(name, FOLDER);
    const said = Session.run(readFileSync(file, 'utf8'));
    await expect(said).toMatchFileSnapshot(file.pathname);
  });
});
